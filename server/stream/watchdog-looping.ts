/** A process of the watchdog's test: its reducer loops at the third event. Prints the states when it gets through. */
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import { openOwner } from './owner.ts';
import { count, drafting, memoryLog, registryOf, store } from './testing.ts';
import { openWatchdog } from './watchdog.ts';

const looping = {
  ...count,
  name: 'looping',
  on: {
    mark: (state: { n: number }, event: { n: number }) => {
      for (;;) if (event.n !== 3) return { n: state.n + 1 };
    },
  },
};
const reducers = [count, looping];
const archive = openMemoryArchive();
const watched = openWatchdog({ folder: process.argv[2] ?? '', reducers, silentMs: 400 });
const registry = registryOf(reducers);
const owner = openOwner({ archive, store: openMemoryStore(), registry, log: memoryLog(), watched });
const draft = drafting();
await store(archive, [draft('ada', [{ doc: 'a' }, { doc: 'a' }])]);
await owner.caughtUp();
await store(archive, [draft('ada', [{ doc: 'a' }, { doc: 'a' }])]);
await owner.caughtUp();
const [counted, looped] = await Promise.all(
  reducers.map((one) => owner.states.read(one, { student: 'ada' })),
);
console.log(JSON.stringify({ counted, looped }));
process.exit();
