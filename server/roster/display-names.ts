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
  for (const [name, group] of groupBy(people, (person) => shortName(person, letters))) {
    const [first] = group;
    if (group.length === 1 && first) names.set(first.id, name);
    else if (group.some(({ familyName }) => familyName.length > letters))
      nameGroup(group, letters + 1, names);
    else for (const [index, person] of group.entries()) names.set(person.id, `${name} (${index + 1})`);
  }
}

function shortName(person: Named, letters: number): string {
  const given = person.preferredName || person.givenName;
  const family = [...graphemes.segment(person.familyName.trim())].map(({ segment }) => segment);
  if (family.length === 0) return given;
  const start = family.slice(0, letters).join('');
  return letters >= family.length && letters > 1 ? `${given} ${start}` : `${given} ${start}.`;
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
