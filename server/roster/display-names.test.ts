import { describe, expect, it } from 'vitest';
import { displayNames, fullName, sortNameOf } from './display-names.ts';

let count = 0;
const person = (givenName: string, familyName: string, preferredName: string | null = null) => ({
  id: `p${count++}`,
  givenName,
  familyName,
  preferredName,
});
const read = (...people: ReturnType<typeof person>[]) => {
  const names = displayNames(people);
  return people.map(({ id }) => names.get(id));
};

describe('names in a class', () => {
  it('are the given name and the first letter of the family name', () => {
    expect(read(person('Ada', 'Lindqvist'), person('Mei-Ling', 'Zhou'))).toEqual(['Ada L.', 'Mei-Ling Z.']);
  });

  it('use the preferred name', () => {
    expect(read(person('Adelheid', 'Lindqvist', 'Ada'))).toEqual(['Ada L.']);
  });

  it('take as many letters as tell two students apart, and only for those two', () => {
    expect(read(person('Ada', 'Lindqvist'), person('Ada', 'Lovelace'), person('Ben', 'Lovelace'))).toEqual([
      'Ada Li.',
      'Ada Lo.',
      'Ben L.',
    ]);
  });

  it('end without a dot where the family name ends', () => {
    expect(read(person('Ada', 'Li'), person('Ada', 'Lind'))).toEqual(['Ada Li', 'Ada Lin.']);
  });

  it('are numbered where whole names are alike', () => {
    expect(read(person('Ada', 'Li'), person('Ada', 'Li'))).toEqual(['Ada Li (1)', 'Ada Li (2)']);
  });

  it('keep a letter with its marks whole, and do without a family name', () => {
    expect(read(person('Siobhán', 'Ó'.normalize('NFD')), person('Visitor x1', ''))).toEqual([
      `Siobhán ${'Ó'.normalize('NFD')}.`,
      'Visitor x1',
    ]);
  });

  it('never name two students alike', () => {
    const people = ['Li', 'Li', 'Lin', 'Lind', 'L', '', 'lind'].map((family) => person('Ada', family));
    expect(new Set(read(...people)).size).toBe(people.length);
  });
});

describe('a full name', () => {
  it('has the preferred name first', () => {
    expect(fullName(person('Adelheid', 'Lindqvist', 'Ada'))).toBe('Ada Lindqvist');
    expect(fullName(person('Visitor x1', ''))).toBe('Visitor x1');
  });

  it('is sorted by family name without case and accents', () => {
    expect(sortNameOf('Éva', 'Ångström')).toBe('angstrom eva');
  });
});
