import { ARCHIVE_READERS } from './archive.ts';
import type { Property } from './property.ts';
import { STATE_KEYS } from './state-keys.ts';
import { VALIDATOR } from './validator.ts';

/** F4 (delivery.md §16): envelope, entry and segment reader, state key. */
export const PROPERTIES: readonly Property[] = [...VALIDATOR, ...ARCHIVE_READERS, ...STATE_KEYS];
