import { createHash } from 'node:crypto';
import { mkdir, realpath, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '#server/errors.ts';

/**
 * Takes a directory for this process alone, and makes it (mode 0700) where it is missing. The kernel drops the lock
 * with the process, however that ends.
 *
 * Resolves to the release. Throws `AppError` `conflict` when another holder lives, in this process too.
 */
export async function lockDirectory(path: string): Promise<() => Promise<void>> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const address = await addressOf(path);
  // An abstract address leaves no file behind; elsewhere a killed holder's socket file stays and has to go first.
  if (!address.startsWith('\0') && !(await isAnswered(address))) await rm(address, { force: true });
  const server = createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((done, fail) => server.once('error', fail).listen(address, done));
  } catch (cause) {
    throw new AppError('conflict', 'the data directory is in use: stop the other process first', { cause });
  }
  server.unref();
  return () => new Promise((done) => server.close(() => done()));
}

/** One address for every spelling of the path; kept short, since socket paths end at about 100 bytes. */
async function addressOf(path: string): Promise<string> {
  const name = createHash('sha256')
    .update(await realpath(path))
    .digest('hex')
    .slice(0, 32);
  return process.platform === 'linux'
    ? `\0learning-observer-${name}`
    : join(tmpdir(), `lo-${name.slice(0, 16)}.sock`);
}

function isAnswered(address: string): Promise<boolean> {
  return new Promise((done) => {
    const probe = connect(address, () => {
      probe.destroy();
      done(true);
    }).on('error', () => done(false));
  });
}
