import { expect, it } from 'vitest';
import { bytesIn, deletePlace, noPlaces, placesIn, setPlace } from './places.ts';

const LARGE = 2 ** 40 + 1;

it('holds the newest place of each field, and how many bytes all have', () => {
  const places = noPlaces();
  expect(setPlace(places, 'a', LARGE, 10, -1)).toBe(10);
  expect(setPlace(places, 'b', 5, 20, 7)).toBe(20);
  expect(setPlace(places, 'a', 6, 4, 8)).toBe(-6);
  expect(bytesIn(places)).toBe(24);
  expect(new Map(placesIn(places))).toEqual(
    new Map([
      ['a', { at: 6, bytes: 4, crc: 8 }],
      ['b', { at: 5, bytes: 20, crc: 7 }],
    ]),
  );
});

it('gives the room of a field that went to one that comes, and to no more than one', () => {
  const places = noPlaces();
  for (const field of ['a', 'b', 'c']) setPlace(places, field, LARGE, 1, 2);
  const { length } = places.numbers;
  expect([deletePlace(places, 'b'), deletePlace(places, 'b'), deletePlace(places, 'nothing')]).toEqual([
    1, 0, 0,
  ]);
  for (const field of ['d', 'e']) setPlace(places, field, 9, 9, 9);
  expect(places.numbers.length).toBe(length + 3);
  expect(Object.fromEntries(placesIn(places))).toEqual({
    a: { at: LARGE, bytes: 1, crc: 2 },
    c: { at: LARGE, bytes: 1, crc: 2 },
    d: { at: 9, bytes: 9, crc: 9 },
    e: { at: 9, bytes: 9, crc: 9 },
  });
});
