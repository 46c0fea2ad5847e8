/** A sabotage of one place of the program, and the tests of which one must turn red under it. */
export type Mutant = {
  /** `M1` to `M40` are those of the specification, `H1` on hold rules of the house; a letter tells several places apart. */
  readonly id: string;
  /** What the sabotage does. */
  readonly sabotage: string;
  readonly file: string;
  /** Matches exactly once. */
  readonly pattern: string | RegExp;
  /** In the pattern's place; of a `RegExp` with its groups as `$1`. */
  readonly replacement: string;
  /** Test files, all of one config. */
  readonly tests: readonly string[];
  /** Their tests by name, as vitest's `-t` takes them; absent: all. */
  readonly names?: string;
  /** Its tests wait longer than a sample may take: run with `--all` and by name. */
  readonly isSlow?: true;
};

/** Which vitest config a test file belongs to. */
export function configOf(file: string): 'unit' | 'servers' {
  return /\.(redis|pg|slow)\.test\.ts$/.test(file) ? 'servers' : 'unit';
}

/** The mutant's file as sabotaged. Throws where its line is not there, or there twice. */
export function sabotaged(source: string, { id, file, pattern, replacement }: Mutant): string {
  const found = typeof pattern === 'string' ? source.split(pattern).length - 1 : countOf(source, pattern);
  if (found !== 1)
    throw new Error(
      `${id} finds its line ${found} times in ${file}, not once: say in server/commands/mutants where it is now`,
    );
  return typeof pattern === 'string'
    ? source.replace(pattern, () => replacement)
    : source.replace(pattern, replacement);
}

function countOf(source: string, pattern: RegExp): number {
  return [...source.matchAll(new RegExp(pattern, `${pattern.flags}g`))].length;
}
