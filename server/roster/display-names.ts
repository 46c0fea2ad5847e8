export type Named = {
  readonly id: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly preferredName: string | null;
};

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** How staff and the person are named in full: preferred or given name, family name. */
export const fullName = (person: Named): string =>
  [person.preferredName || person.givenName, person.familyName].filter(Boolean).join(' ');

/** What rosters are sorted by: family name first, without case and accents. */
export const sortNameOf = (givenName: string, familyName: string): string =>
  `${familyName} ${givenName}`.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trim();

/**
 * How a teacher reads the students of one class: `Ada L.`. Where two would read alike, as many letters of the family
 * name as tell them apart; where the whole names are alike, a number in the order given.
 */
export function displayNames(people: readonly Named[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  nameGroup(people, 1, names);
  return names;
}

function nameGroup(people: readonly Named[], letters: number, names: Map<string, string>): void {
  for (const [stem, group] of groupBy(people, (person) => stemOf(person, letters))) {
    const [first] = group;
    if (group.length === 1 && first) names.set(first.id, withDot(first, letters, stem));
    else if (group.some(({ familyName }) => familyName.length > letters))
      nameGroup(group, letters + 1, names);
    else for (const [index, person] of group.entries()) names.set(person.id, `${stem} (${index + 1})`);
  }
}

const lettersOf = ({ familyName }: Named): string[] =>
  [...graphemes.segment(familyName.trim())].map(({ segment }) => segment);

const stemOf = (person: Named, letters: number): string =>
  `${person.preferredName || person.givenName} ${lettersOf(person).slice(0, letters).join('')}`.trim();

/** The dot says that there is more, or that it is an initial. */
function withDot(person: Named, letters: number, stem: string): string {
  const { length } = lettersOf(person);
  return length > letters || (length === 1 && letters === 1) ? `${stem}.` : stem;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
