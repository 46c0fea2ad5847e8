import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A change may keep the file's time when it comes within one tick of the file system's clock. */
const TICK_MS = 100;

/**
 * Does `work` unless the stamp says that it was done for just these files. Their bytes decide. Where no file was
 * touched since the stamp was written they are not read again: each file's inode, size and times say so (its change time
 * cannot be set back by hand). What changes during the work counts as changed. Failed work leaves no stamp.
 */
export async function unlessStamped(stamp, paths, work) {
  const before = readStamp(stamp);
  const looks = looksOf(paths);
  if (looks.text !== undefined && looks.text === before.looks) return;
  const bytes = bytesOf(looks.files);
  if (bytes !== before.bytes) await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, JSON.stringify({ bytes, looks: looks.text }));
}

function readStamp(stamp) {
  try {
    return JSON.parse(readFileSync(stamp, 'utf8'));
  } catch {
    return {};
  }
}

/** How the files look from outside: a hash, undefined where one is so young that its looks prove nothing. */
function looksOf(paths) {
  const files = paths.flatMap((path) => filesBelow(path));
  const hash = createHash('sha256');
  let youngest = 0n;
  for (const file of files) {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    hash.update(`${file}\0${ino} ${size} ${mtimeNs} ${ctimeNs}\0`);
    if (ctimeNs > youngest) youngest = ctimeNs;
  }
  const isSettled = youngest < BigInt(Date.now() - TICK_MS) * 1_000_000n;
  return { files, text: isSettled ? hash.digest('hex') : undefined };
}

/** SHA-256 over names and bytes, so that a stamp says exactly what was built. */
function bytesOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

/** In order of their names; tests and what is generated from the rest are no sources. */
function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter(({ name }) => name !== 'generated' && !name.includes('.test.'))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const below = join(path, entry.name);
      return entry.isFile() ? [below] : filesBelow(below);
    });
}
