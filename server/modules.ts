import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnalyticsModule } from '#modules/kit/index.ts';
import { clashesOf, type FoundModule } from './module-clashes.ts';
import { buildRegistry, type Registry } from './registry.ts';

const DEFAULT_EXPORT = /^export (default |\{[^}]*\bdefault\b)/m;
const MODULES = join(import.meta.dirname, '..', 'modules');

/**
 * Every folder of `root` that holds a `module.ts`, in one registry.
 *
 * Throws an Error whose message lists every mistake of the modules' authors with the files it is in.
 */
export async function loadModules(root = MODULES): Promise<Registry> {
  const entries = await readdir(root, { withFileTypes: true });
  const folders = entries
    .map((entry) => entry.name)
    .filter((name) => existsSync(join(root, name, 'module.ts')));
  const found = await Promise.all(folders.sort().map((folder) => findModule(root, folder)));
  const clashes = clashesOf(found);
  if (clashes.length > 0) throw new Error(`modules do not fit together:\n- ${clashes.join('\n- ')}`);
  const registry = buildRegistry(found.map(({ module }) => module));
  return root === MODULES
    ? { ...registry, file: new URL('./module-reducers.ts', import.meta.url).href }
    : registry;
}

async function findModule(root: string, folder: string): Promise<FoundModule> {
  const file = `modules/${folder}/module.ts`;
  const path = join(root, folder, 'module.ts');
  const { default: module } = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as {
    default?: AnalyticsModule;
  };
  if (!module?.name) throw new Error(`${file} has no default export by defineModule`);
  return { folder, file, module, dashboards: await findDashboards(join(root, folder, 'dashboards')) };
}

/** Read as text: Node cannot load JSX, and what a view imports is the bundler's. */
async function findDashboards(folder: string): Promise<string[]> {
  const files = existsSync(folder) ? await readdir(folder) : [];
  const views = files.filter((file) => file.endsWith('.tsx') && !file.endsWith('.test.tsx'));
  const sources = await Promise.all(views.map((file) => readFile(join(folder, file), 'utf8')));
  return views.filter((_, i) => DEFAULT_EXPORT.test(sources[i] ?? '')).map((file) => file.slice(0, -4));
}
