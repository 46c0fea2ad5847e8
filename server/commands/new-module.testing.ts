import { copyFile, mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const house = join(import.meta.dirname, '..', '..');

/** An empty `modules/` with the kit in it, in a temporary folder that has the house's imports, types and libraries. */
export async function modulesFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'modules-')));
  const root = join(folder, 'modules');
  await mkdir(root);
  await symlink(join(house, 'modules', 'kit'), join(root, 'kit'));
  await symlink(join(house, 'node_modules'), join(folder, 'node_modules'));
  await copyFile(join(house, 'tsconfig.json'), join(folder, 'tsconfig.json'));
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ type: 'module', imports: { '#modules/*': './modules/*' } }),
  );
  return root;
}
