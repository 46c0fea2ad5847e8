/**
 * Entries that a read hands over at a time. Few enough that they are applied and forgotten before the collector of young
 * objects comes round: what lives through its turn costs more than parsing it did. And the event loop is left to others.
 */
export const SLICE_ENTRIES = 100;
