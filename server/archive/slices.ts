/** Entries that a read hands over at a time: enough to be cheap, few enough to leave the event loop to others. */
export const SLICE_ENTRIES = 1000;
