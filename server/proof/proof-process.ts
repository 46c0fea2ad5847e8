/** One server of a proof as a process of its own: `node server/proof/proof-process.ts <settings as JSON>`. It speaks to whoever started it. */
import { join } from 'node:path';
import { ArchiveCorruptError, EXIT_CORRUPT } from '#server/archive/corrupt.ts';
import { diskFileSystem } from '#server/archive/file-system.ts';
import { parseIngestKey } from '#server/auth/ingest-key.ts';
import { openLog } from '#server/log.ts';
import { openFileStore } from '#server/state/file-store.ts';
import { openRedisStore } from '#server/state/redis-store.ts';
import { openProofServer, type ProofStatus } from './proof-server.ts';
import { type SabotageName, sabotageOf } from './sabotage.ts';

export type ProcessSettings = {
  readonly varDir: string;
  readonly port: number;
  /** PKCS8 PEM of the key that signs the clients' tokens. */
  readonly key: string;
  /** Absent: states in files. */
  readonly redisUrl?: string;
  readonly sabotage?: SabotageName;
  readonly clockShiftMs?: number;
  /** Small, so that a crash meets sealings and snapshots too. */
  readonly sealBytes: number;
};

export type Asked = { readonly ask: 'status' | 'quiet'; readonly id: number };
export type Told =
  | { readonly is: 'ready'; readonly port: number }
  | { readonly is: 'answer'; readonly id: number; readonly status: ProofStatus };

const EXIT_DISK = 74;
const EXIT_OTHER = 70;
const MIB = 1024 * 1024;
const tell = (told: Told) => void process.send?.(told);

process.on('uncaughtException', (error) => {
  console.error(error);
  process.exit(error instanceof ArchiveCorruptError ? EXIT_CORRUPT : EXIT_OTHER);
});
// Who started it is gone: nobody would ever stop it.
process.on('disconnect', () => process.exit(EXIT_OTHER));

const settings = JSON.parse(process.argv[2] ?? '{}') as ProcessSettings;
const { varDir, redisUrl } = settings;
const log = openLog('warn');
const sabotage = sabotageOf(settings.sabotage);
const server = await openProofServer({
  archive: {
    directory: join(varDir, 'archive'),
    onFatal(error) {
      console.error(error);
      process.exit(EXIT_DISK);
    },
    onMended: (file) => console.error(`made anew: ${file}`),
    onTorn: (file, bytes) => console.error(`left out: ${bytes} bytes of ${file}`),
    limits: { minFreeBytes: 0, sealBytes: settings.sealBytes },
    fileSystem: sabotage.fileSystem(diskFileSystem),
  },
  openStore: async () =>
    redisUrl
      ? openRedisStore({ url: redisUrl, timeoutMs: 1_000 })
      : openFileStore({ folder: join(varDir, 'states'), log, snapshotBytes: MIB }),
  key: parseIngestKey(settings.key),
  log,
  port: settings.port,
  clockShiftMs: settings.clockShiftMs ?? 0,
  sabotage,
});

process.on('message', (asked: Asked) => void answer(asked));
process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)));
tell({ is: 'ready', port: server.port });

async function answer({ ask, id }: Asked): Promise<void> {
  if (ask === 'quiet') await server.quiet();
  tell({ is: 'answer', id, status: server.status() });
}
