import { expect, test } from 'vitest';
import { text } from '#modules/kit/index.ts';
import { event, inMemory, replay } from '#modules/kit/testing.ts';
import type { Op } from '#modules/writing/events.ts';
import { documentText, sheetOf } from '#modules/writing/reducers/document-text.ts';
import { countWords } from '#modules/writing/words.ts';
import { type Command, googleDocs } from '../events.ts';
import { docText } from './doc-text.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** Mulberry32: the same numbers for the same seed. */
function randomOf(from: number): (below: number) => number {
  let a = from;
  return (below) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const PIECES = [
  'a',
  'bc',
  ' ',
  '. ',
  '\n',
  '—',
  '😀',
  '𐀀x',
  "don't",
  'It was late. ',
  '1',
  '…',
  'über alles ',
];

type Trace = { readonly commands: readonly Command[]; readonly end: string };

/** A writer who mostly types on, sometimes elsewhere, deletes, and pastes; and the text it ends with, by plain strings. */
function traceOf(from: number, steps: number): Trace {
  const random = randomOf(from);
  const commands: Command[] = [];
  let end = '';
  let cursor = 0;
  for (let i = 0; i < steps; i += 1) {
    if (random(12) === 0) cursor = random(end.length + 1);
    if (random(4) === 0 && end.length > 0) {
      const start = Math.min(cursor, end.length - 1);
      const to = Math.min(end.length, start + 1 + random(random(20) === 0 ? 400 : 6));
      end = end.slice(0, start) + end.slice(to);
      commands.push({ ty: 'ds', si: start + 1, ei: to });
      cursor = start;
    } else {
      const piece =
        random(40) === 0
          ? 'a longer piece of text, as pasted '.repeat(1 + random(9))
          : (PIECES[random(PIECES.length)] ?? '');
      end = end.slice(0, cursor) + piece + end.slice(cursor);
      commands.push({ ty: 'is', ibi: cursor + 1, s: piece });
      cursor += piece.length;
    }
  }
  return { commands, end };
}

/** Saves of one to five commands, some of them grouped. */
function savesOf(commands: readonly Command[], from: number) {
  const random = randomOf(from + 1);
  const events = [];
  for (let i = 0; i < commands.length; ) {
    const some = commands.slice(i, i + 1 + random(5));
    i += some.length;
    const bundle = random(3) === 0 ? [{ ty: 'mlti', mts: some }] : some;
    events.push(
      event(googleDocs, 'google_docs_save', {
        student: 'ada',
        at: 1000 * i,
        doc_id: 'd1',
        bundles: [{ commands: bundle }],
      }),
    );
  }
  return events;
}

function played(ops: readonly Op[], start: string): string {
  return ops.reduce((now, op) => {
    const end = op.kind === 'ins' ? op.pos : op.pos + op.text.length;
    return now.slice(0, op.pos) + (op.kind === 'ins' ? op.text : '') + now.slice(end);
  }, start);
}

for (const trace of [1, 2, 3].map((n) => seed + n)) {
  test(`random edits end with the text that plain strings give (seed ${trace})`, () => {
    const { commands, end } = traceOf(trace, 4000);
    const states = replay([docText, documentText], savesOf(commands, trace), inMemory);
    const { main } = states.read(docText, { student: 'ada', doc: 'd1' });
    const sheet = sheetOf(states.read(documentText, { student: 'ada', doc: 'd1' }));
    expect(text.whole(main.text)).toBe(end);
    expect(text.whole(sheet.text)).toBe(end);
    expect(sheet.words).toBe(countWords(end));
    const ops = states.heard.flatMap((heard) => ('ops' in heard ? (heard.ops as readonly Op[]) : []));
    expect(played(ops, '')).toBe(end);
  });

  test(`a history of random edits is the text that saving them gave (seed ${trace})`, () => {
    const { commands, end } = traceOf(trace, 1500);
    const history = event(googleDocs, 'document_history', {
      student: 'ada',
      at: 9e6,
      doc_id: 'd1',
      object: {},
      history: { changelog: commands.map((command) => [command, 0]) },
    });
    const healed = replay(docText, [...savesOf(commands, trace), history]);
    expect(healed.counts.healed).toBe(0);
    expect(text.whole(replay(docText, [history]).main.text)).toBe(end);
  });
}
