import { hash } from 'node:crypto';
import type { Sent } from '#server/ingest/protocol.ts';
import type { Random } from '#server/simulate/random.ts';
import type { Kind } from './ledger.ts';

/** An event as a tool captured it. `hash`: 16 bytes, latin1, of its JSON text (delivery.md §2). */
export type Captured = { readonly sent: Sent; readonly kind: Kind; readonly hash: string };

const WORDS = ['Frühling', 'und', 'so', 'weiter', 'the', 'quick', '狐', 'jumps', '\n', '"', 'a\\b'];
/** Lists of ids stay short, so that a state costs the same late as early. */
const EVENTS_OF_A_DOC = 60;

/** Mostly good events, some that start a cascade, some that fit no schema, some that must not be collected. */
export function capture(random: Random, n: number, tag?: string): Captured {
  const dice = random.next();
  const doc = `d${Math.floor(n / EVENTS_OF_A_DOC)}`;
  const tagged: Readonly<Record<string, string>> = tag === undefined ? {} : { tag };
  const body = { doc, n, text: random.pick(WORDS), ...tagged };
  const sentAt = Date.now();
  if (dice < 0.02) return captured({ event: 'mark', sentAt, body: { doc, ...tagged } }, 'bad');
  if (dice < 0.04) return captured({ event: 'secret', sentAt, body: { n, ...tagged } }, 'declined');
  return captured({ event: dice < 0.12 ? 'ripple' : 'mark', sentAt, body }, 'good');
}

function captured(sent: Sent, kind: Kind): Captured {
  return { sent, kind, hash: hash('sha256', JSON.stringify(sent), 'binary').slice(0, 16) };
}
