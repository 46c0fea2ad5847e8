import { rmSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What tests need; packages are linked, not copied. */
const COPIED = [
  'app',
  'modules',
  'prisma',
  'server',
  'package.json',
  'prisma.config.ts',
  'tsconfig.json',
  'vitest.config.ts',
  'vitest.servers.config.ts',
];

/** A copy of the tree that may be spoilt. */
export type Tree = {
  readonly folder: string;
  read(file: string): Promise<string>;
  write(file: string, text: string): Promise<void>;
  remove(): Promise<void>;
};

export async function copyTree(root: string): Promise<Tree> {
  const folder = await mkdtemp(join(tmpdir(), 'lo-mutants-'));
  const forget = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', forget);
  for (const name of COPIED) await cp(join(root, name), join(folder, name), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    read: (file) => readFile(join(folder, file), 'utf8'),
    write: (file, text) => writeFile(join(folder, file), text),
    async remove() {
      process.off('exit', forget);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
