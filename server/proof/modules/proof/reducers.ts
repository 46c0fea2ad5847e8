import { createHash } from 'node:crypto';
import { defineReducer, only, scope, student, type Text, text } from '#modules/kit/index.ts';
import { doc, proof, proofEcho } from './events.ts';

type Heard = { readonly id: string };

/** None of these is idempotent, so an event that is lost, doubled or out of its place shows in at least one of them. */
export const proofCount = defineReducer({
  name: 'proof-count',
  source: proof,
  scope: scope(student),
  initial: { n: 0 },
  on: { mark: ({ n }) => ({ n: n + 1 }), ripple: ({ n }) => ({ n: n + 1 }) },
});

const append = (ids: readonly string[], event: Heard) => [...ids, event.id];
export const proofIds = defineReducer({
  name: 'proof-ids',
  source: proof,
  scope: scope(student, doc),
  initial: [] as readonly string[],
  on: { mark: append, ripple: append },
});

const chain = (before: string, event: Heard) =>
  createHash('sha256').update(`${before}\n${event.id}`).digest('hex');
export const proofHash = defineReducer({
  name: 'proof-hash',
  source: proof,
  scope: scope(student),
  initial: '',
  on: { mark: chain, ripple: chain },
});

/** Emits what its state says: an emission that is lost or doubled shows in who hears it. */
export const proofRipple = defineReducer({
  name: 'proof-ripple',
  source: proof,
  scope: scope(student),
  initial: { n: 0 },
  emits: only(proofEcho, 'echo'),
  on: {
    ripple: ({ n }, event, emit) => {
      emit('echo', { doc: event.doc, n });
      emit('echo', { doc: event.doc, n: n + 0.5 });
      return { n: n + 1 };
    },
  },
});

export const proofEchoed = defineReducer({
  name: 'proof-echoed',
  source: proofEcho,
  scope: scope(student, doc),
  initial: [] as readonly string[],
  on: { echo: (heard, event) => [...heard, `${event.n} ${event.id}`] },
});

/** A text that is written in pieces, one edit a ripple: what a flush stores of it must be of one moment too. */
export const proofStory = defineReducer({
  name: 'proof-story',
  source: proof,
  scope: scope(student, doc),
  initial: { story: text.of('') as Text, n: 0 },
  on: {
    ripple: ({ story, n }, event) => ({
      story: text.insert(story, text.length(story) >> 1, event.text),
      n: n + 1,
    }),
  },
});
