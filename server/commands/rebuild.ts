/**
 * `npm run rebuild -- [--student S] [--reducer R] [--halted] [--shadow]`, while the server is stopped: folds states
 * again from the archive. `--halted`: only keys that stand still. `--shadow`: changes nothing and names the states that
 * are not what the archive gives. Exit codes: 0 done or equal, 1 differs, 64 called wrongly.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { readEnv } from '#server/env.ts';
import { openLog } from '#server/log.ts';
import { loadModules } from '#server/modules.ts';
import type { Registry } from '#server/registry.ts';
import { openShared } from '#server/shared.ts';
import { openOwner } from '#server/stream/owner.ts';
import { compareStored, studentsOf } from '#server/stream/shadow.ts';

type Asked = {
  readonly student?: string;
  readonly reducer?: string;
  readonly halted?: boolean;
  readonly shadow?: boolean;
};
type Parts = {
  readonly registry: Registry;
  readonly archive: Awaited<ReturnType<typeof openFileArchive>>;
  readonly store: Awaited<ReturnType<typeof openShared>>['store'];
  readonly log: ReturnType<typeof openLog>;
};

function asked(): Asked {
  try {
    return parseArgs({
      options: {
        student: { type: 'string' },
        reducer: { type: 'string' },
        halted: { type: 'boolean' },
        shadow: { type: 'boolean' },
      },
    }).values;
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : 'wrong arguments');
  }
}

function refuse(reason: string): never {
  console.error(`${reason}\nusage: npm run rebuild -- [--student S] [--reducer R] [--halted] [--shadow]`);
  process.exit(64);
}

async function shadow({ archive, store, registry }: Parts, { student, reducer }: Asked): Promise<number> {
  await store.claim({ archive: archive.id, fence: archive.fence, end: archive.end() });
  const { compared, differing } = await compareStored({
    archive,
    store,
    reducers: registry.reducers,
    student,
    reducer,
  });
  for (const key of differing) console.log(key);
  console.log(`${compared} states compared, ${differing.length} differ`);
  return differing.length === 0 ? 0 : 1;
}

async function again({ archive, store, registry, log }: Parts, options: Asked): Promise<number> {
  const owner = openOwner({ archive, store, registry, log });
  await owner.caughtUp();
  const some = registry.reducers.filter(
    ({ name }) => options.reducer === undefined || name === options.reducer,
  );
  const students = options.student === undefined ? await studentsOf(archive, store) : [options.student];
  let folded = 0;
  for (const student of students) {
    const reducers = options.halted ? await owner.halted(student, some) : some;
    if (reducers.length === 0) continue;
    await owner.rebuild(student, reducers);
    folded += 1;
  }
  await owner.flush();
  await owner.close();
  console.log(`folded ${folded} of ${students.length} students again`);
  return 0;
}

const options = asked();
const registry = await loadModules();
if (options.reducer !== undefined && !registry.reducers.some(({ name }) => name === options.reducer))
  refuse(`no such reducer: ${options.reducer}`);
const env = readEnv(process.env, []);
const log = openLog(env.LOG_LEVEL);
const archive = await openFileArchive({
  directory: join(env.varDir, 'archive'),
  software: 'rebuild',
  clock: Date.now,
  onFatal: () => process.exit(74),
});
const shared = await openShared({ env, archive, log });
const parts = { registry, archive, store: shared.store, log };
const code = await (options.shadow ? shadow(parts, options) : again(parts, options));
await shared.close();
await archive.close();
process.exit(code);
