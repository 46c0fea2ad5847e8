import fc from 'fast-check';

/** What may happen to bytes on a disk, or on their way to it. */
type Change =
  | { readonly does: 'flip'; readonly at: number; readonly bit: number }
  | { readonly does: 'cut'; readonly at: number }
  | { readonly does: 'zero'; readonly at: number; readonly length: number }
  | { readonly does: 'remove'; readonly at: number; readonly length: number }
  | { readonly does: 'insert'; readonly at: number; readonly bytes: Uint8Array };

/** Places as a share of the length, so that shrinking keeps their meaning. */
const at = fc.double({ min: 0, max: 1, noNaN: true });
const length = fc.integer({ min: 1, max: 200 });

/** One to three changes. */
export const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.oneof(
    fc.record({ does: fc.constant('flip' as const), at, bit: fc.nat(7) }),
    fc.record({ does: fc.constant('cut' as const), at }),
    fc.record({ does: fc.constant('zero' as const), at, length }),
    fc.record({ does: fc.constant('remove' as const), at, length }),
    fc.record({
      does: fc.constant('insert' as const),
      at,
      bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    }),
  ),
  { minLength: 1, maxLength: 3 },
);

export function changed(bytes: Buffer, all: readonly Change[]): Buffer {
  return all.reduce((now, change) => {
    if (now.length === 0) return now;
    const place = Math.min(Math.floor(change.at * now.length), Math.max(0, now.length - 1));
    if (change.does === 'cut') return now.subarray(0, place);
    if (change.does === 'insert')
      return Buffer.concat([now.subarray(0, place), change.bytes, now.subarray(place)]);
    if (change.does === 'remove')
      return Buffer.concat([now.subarray(0, place), now.subarray(place + change.length)]);
    const copy = Buffer.from(now);
    if (change.does === 'zero') return copy.fill(0, place, Math.min(copy.length, place + change.length));
    copy[place] = (copy[place] ?? 0) ^ (1 << change.bit);
    return copy.subarray(0, now.length);
  }, bytes);
}
