import { type Kind, onObserver, pickBy } from './kind.ts';
import type { Outcome } from './lane.ts';
import { openObserverLane } from './other-lanes.ts';

const observer = (name: string, ends: readonly Outcome[], texts: (i: number) => readonly string[]): Kind =>
  onObserver({
    name,
    group: 'envelope',
    edges: ['observer'],
    ends,
    run: ({ lane, i }) => lane.say(...texts(i)),
  });
const lock = (fields: unknown) => JSON.stringify({ event: 'lock_fields', fields });

/** What a client of the old protocol may say that cannot be taken as it is, and what it is told. */
export const OLD_PROTOCOL_KINDS: readonly Kind[] = [
  observer('lock_fields without fields', ['field-missing', 'field-wrong'], (i) => [
    pickBy(['{"event":"lock_fields"}', lock([]), lock(7), lock(null)], i),
  ]),
  observer('too much locked', ['event-too-big'], (i) => [
    pickBy(
      [lock({ x: 'x'.repeat(65 * 1024) }), lock({ a: { b: { c: { d: { e: { f: { g: { h: {} } } } } } } } })],
      i,
    ),
  ]),
  observer('event without a name', ['field-wrong', 'field-missing'], (i) => [
    JSON.stringify(
      pickBy([{ event: 7 }, { event: '' }, { event: 'x'.repeat(129) }, { event: null }, { fields: {} }], i),
    ),
  ]),
  observer('names locked that nobody may lock', ['stored'], (i) => [
    lock({ [pickBy(['event', 'id', 'student', 'at', 'auth', 'metadata'], i)]: 'evil' }),
  ]),
  observer('blob without a value', ['field-missing'], (i) => [
    pickBy(['{"event":"save_blob","activity":"a"}', '{"event":"save_blob","blob":1}'], i),
  ]),
  observer('blob under no key', ['key-field-invalid'], () => [
    JSON.stringify({ event: 'save_blob', blob: 1, activity: 'a\nb' }),
  ]),
  onObserver({
    name: 'terminate before anything',
    group: 'envelope',
    edges: ['observer'],
    ends: ['close 1000'],
    run: ({ lane }) => lane.say('{"event":"terminate"}', lock({ source: 'fuzz' }), '{"event":"terminate"}'),
  }),
  onObserver({
    name: 'claim that nobody believes',
    group: 'envelope',
    edges: ['observer'],
    ends: ['claims-off'],
    async run({ world, i }) {
      const stranger = await openObserverLane(world, false);
      const claims = [{ user_tag: 'ada' }, { chrome_identity: { id: '1157', email: 'a@school.edu' } }];
      const outcome = await stranger.say(
        lock({ source: 'fuzz', ...pickBy(claims, i) }),
        '{"event":"mark","doc":"d","n":1,"tag":"nobody"}',
      );
      stranger.close();
      return outcome;
    },
  }),
  onObserver({
    name: 'token in locked fields that proves nothing',
    group: 'envelope',
    edges: ['observer'],
    ends: ['unauthenticated'],
    async run({ world, i }) {
      const stranger = await openObserverLane(world, false);
      const none = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJhdWQiOiJpbmdlc3QifQ.';
      const outcome = await stranger.say(lock({ ingest_token: pickBy(['x', none], i) }));
      stranger.close();
      return outcome;
    },
  }),
];
