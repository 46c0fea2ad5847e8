import { hash } from 'node:crypto';
import type { Sent } from '#server/ingest/protocol.ts';
import type { Random } from '#server/simulate/random.ts';
import type { Kind } from './ledger.ts';

/** An event as a tool captured it. `hash`: 16 bytes, latin1, of its JSON text (delivery.md §2). */
export type Captured = { readonly sent: Sent; readonly kind: Kind; readonly hash: string };

const WORDS = ['Frühling', 'und', 'so', 'weiter', 'the', 'quick', '狐', 'jumps', '\n', '"', 'a\\b'];
/** Lists of ids stay short, so that a state costs the same late as early. */
const EVENTS_OF_A_DOC = 60;

/** What a client captures; a new one for each client, since a text's length goes on from event to event. */
export type Tool = {
  readonly source: string;
  readonly capture: (random: Random, n: number, sentAt: number) => Captured;
};

export const proofTool = (): Tool => ({ source: 'proof', capture });

/** Mostly good events, some that start a cascade, some that fit no schema, some that must not be collected. */
export function capture(random: Random, n: number, sentAt: number, tag?: string): Captured {
  const dice = random.next();
  const doc = `d${Math.floor(n / EVENTS_OF_A_DOC)}`;
  const tagged: Readonly<Record<string, string>> = tag === undefined ? {} : { tag };
  const body = { doc, n, text: random.pick(WORDS), ...tagged };
  if (dice < 0.02) return captured({ event: 'mark', sentAt, body: { doc, ...tagged } }, 'bad');
  if (dice < 0.04) return captured({ event: 'secret', sentAt, body: { n, ...tagged } }, 'declined');
  return captured({ event: dice < 0.12 ? 'ripple' : 'mark', sentAt, body }, 'good');
}

/** Someone writes in a Google document: mostly at its end, sometimes elsewhere, and cuts some of it again (wire.md §A4). */
export function googleDocsTool(): Tool {
  let length = 0;
  const edits = (random: Random) => {
    if (length > 20 && random.next() < 0.1) {
      const si = 1 + random.below(length - 10);
      length -= 10;
      return [{ ty: 'ds', si, ei: si + 9 }];
    }
    const s = random.pick(WORDS);
    const ibi = random.next() < 0.8 ? length + 1 : 1 + random.below(length + 1);
    length += s.length;
    return [{ ty: 'is', ibi, s }];
  };
  return {
    source: 'org.mitros.writing_analytics',
    capture(random, n, sentAt) {
      const dice = random.next();
      const doc = 'essay';
      if (dice < 0.02)
        return captured({ event: 'google_docs_save', sentAt, body: { doc_id: doc, bundles: n } }, 'bad');
      if (dice < 0.04) return captured({ event: 'childList', sentAt, body: {} }, 'declined');
      const bundles = [{ commands: edits(random) }];
      const body = { doc_id: doc, bundles, timestamp: sentAt };
      return captured({ event: 'google_docs_save', sentAt, body }, 'good');
    },
  };
}

function captured(sent: Sent, kind: Kind): Captured {
  return { sent, kind, hash: hash('sha256', JSON.stringify(sent), 'binary').slice(0, 16) };
}
