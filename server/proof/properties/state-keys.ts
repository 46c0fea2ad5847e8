import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { keyOfEvent, stateKey } from '#server/state/state-key.ts';
import { proofCount, proofIds } from '../modules/proof/reducers.ts';
import type { Property } from './property.ts';

/** Well-formed, as every frame is made: separators of the key, of paths and of lines among it. */
const id = fc.oneof(
  fc.string({ maxLength: 300, unit: 'binary' }),
  fc.string({
    maxLength: 8,
    unit: fc.constantFrom(':', '=', '/', '.', '%', ',', 'a', '3', 'A', '\n', '\r', '{', '}', ' '),
  }),
);

export const STATE_KEYS: readonly Property[] = [
  {
    name: 'a state key is one line of safe characters that says exactly its fields',
    of: () =>
      fc.property(id, id, (student, doc) => {
        const key = stateKey(proofIds, { student, doc });
        ok(/^proof-ids\.v1:student=[\w.!~*'()%-]*:doc=[\w.!~*'()%-]*$/.test(key), key);
        const fields = key
          .split(':')
          .slice(1)
          .map((field) => field.split('='));
        deepEqual(
          fields.map(([name, value = '']) => [name, decodeURIComponent(value)]),
          [
            ['student', student],
            ['doc', doc],
          ],
        );
        equal(
          stateKey(proofCount, { student, doc }),
          `proof-count.v1:student=${encodeURIComponent(student)}`,
        );
      }),
  },
  {
    name: 'two state keys are equal only if all their fields are, and an event finds the key of its fields',
    of: () =>
      fc.property(id, id, id, id, (student, doc, otherStudent, otherDoc) => {
        const same = student === otherStudent && doc === otherDoc;
        const key = stateKey(proofIds, { student, doc });
        equal(key === stateKey(proofIds, { student: otherStudent, doc: otherDoc }), same);
        const event = { id: 'i', source: 'proof', event: 'mark', student, at: 1, doc } as Parameters<
          typeof keyOfEvent
        >[1];
        equal(keyOfEvent(proofIds, event), key);
        const { doc: _none, ...without } = event as unknown as Record<string, unknown>;
        equal(keyOfEvent(proofIds, without as unknown as typeof event), undefined);
      }),
  },
];
