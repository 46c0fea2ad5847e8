import type { StateOf } from '#modules/kit/index.ts';
import type { captureGaps } from './reducers/capture-gaps.ts';
import type { Sheet } from './reducers/document-text.ts';
import type { presence } from './reducers/presence.ts';

/** A note on how far the numbers can be trusted. */
export type Quality = 'parts-not-seen' | 'events-lost' | 'identity-not-verified';

/** @param sheet the text that the row is about. */
export function qualityOf(
  sheet: Sheet,
  here: StateOf<typeof presence>,
  gaps: StateOf<typeof captureGaps>,
): Quality[] {
  const notes: Quality[] = [];
  if (sheet.unknown > 0) notes.push('parts-not-seen');
  if (here.gone + gaps.count > 0) notes.push('events-lost');
  if (here.identity === 'claimed') notes.push('identity-not-verified');
  return notes;
}
