import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const MODULES = join(import.meta.dirname, '..', '..', 'modules');
const FILE = /^```\w+ (\S+)\n([\s\S]*?)^```$/gm;

/** The files of the guide's example by their path in the module's folder: its code blocks that name a file. */
export async function exampleFiles(guide = join(MODULES, 'README.md')): Promise<ReadonlyMap<string, string>> {
  const prose = await readFile(guide, 'utf8');
  return new Map([...prose.matchAll(FILE)].map(([, path = '', code = '']) => [path, code]));
}

/**
 * Writes the guide's example under another name: a module that loads, folds and draws, to be changed from there.
 *
 * Throws an Error with a sentence for the author when the name is no folder's name or is taken. Gives the paths it wrote.
 */
export async function newModule(name: string, root = MODULES): Promise<string[]> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new Error(`"${name}" is no module name: use lower-case words joined by hyphens, like reading-time`);
  if (name === 'kit' || existsSync(join(root, name)))
    throw new Error(`modules/${name} is there already: take another name`);
  const written: string[] = [];
  for (const [path, code] of await exampleFiles()) {
    const file = join(root, name, renamed(path, name));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, renamed(code, name), { flag: 'wx' });
    written.push(renamed(path, name));
  }
  return written;
}

/** The example's name in its three spellings: of a folder, of a value, of a title. */
function renamed(code: string, name: string): string {
  const camel = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const words = name.replaceAll('-', ' ');
  return code
    .replaceAll('reading-time', name)
    .replaceAll('readingTime', `${camel}Source`)
    .replaceAll('Reading time', words.charAt(0).toUpperCase() + words.slice(1));
}

async function main(name: string | undefined): Promise<void> {
  if (name === undefined) throw new Error('say how it is called: npm run new-module -- reading-time');
  const files = await newModule(name);
  console.log(`modules/${name}:\n${files.map((file) => `  ${file}`).join('\n')}

Next:
  1. events.ts: name what your tool reports. It has the guide's example now (modules/README.md).
  2. npx vitest run modules
  3. npm run dev, and open a class: the query has a card there.`);
}

if (import.meta.main) {
  try {
    await main(process.argv[2]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
