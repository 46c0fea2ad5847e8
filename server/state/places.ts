/** Where a value is in the file, and its checksum, a signed one. */
export type Place = { readonly at: number; readonly bytes: number; readonly crc: number };

/**
 * Where the values of one student are, by field. Three numbers a place in one list: an object for each, and for each number
 * that is no small one, would be a tenth of all objects that a school keeps alive.
 */
export type Places = {
  readonly slots: Map<string, number>;
  readonly numbers: number[];
  /** Slots that hold nothing; null: none ever did. */
  free: number[] | null;
};

const NUMBERS = 3;

export function noPlaces(): Places {
  return { slots: new Map(), numbers: [], free: null };
}

/** Gives by how much the bytes of the student's values grow. */
export function setPlace(places: Places, field: string, at: number, bytes: number, crc: number): number {
  const { slots, numbers } = places;
  const known = slots.get(field);
  const slot = known ?? places.free?.pop() ?? numbers.length / NUMBERS;
  const before = known === undefined ? 0 : (numbers[known * NUMBERS + 1] ?? 0);
  if (known === undefined) slots.set(field, slot);
  numbers[slot * NUMBERS] = at;
  numbers[slot * NUMBERS + 1] = bytes;
  numbers[slot * NUMBERS + 2] = crc;
  return bytes - before;
}

/** Gives by how much the bytes of the student's values shrink. */
export function deletePlace(places: Places, field: string): number {
  const slot = places.slots.get(field);
  if (slot === undefined) return 0;
  places.slots.delete(field);
  places.free ??= [];
  places.free.push(slot);
  return places.numbers[slot * NUMBERS + 1] ?? 0;
}

export function bytesIn({ slots, numbers }: Places): number {
  let bytes = 0;
  for (const slot of slots.values()) bytes += numbers[slot * NUMBERS + 1] ?? 0;
  return bytes;
}

export function* placesIn({ slots, numbers }: Places): Iterable<readonly [field: string, Place]> {
  for (const [field, slot] of slots) {
    const [at = 0, bytes = 0, crc = 0] = numbers.slice(slot * NUMBERS, (slot + 1) * NUMBERS);
    yield [field, { at, bytes, crc }];
  }
}
