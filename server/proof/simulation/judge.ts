import type { Entry } from '#server/archive/entry.ts';
import { fieldsOfKey } from '#server/stream/persist.ts';
import { type Expected, FOLDS, foldAll } from './folds.ts';
import type { Ledger } from './ledger.ts';
import { checkArchive, checkPicture, compare, miscounts } from './oracle.ts';
import type { Running } from './server-process.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { World } from './world.ts';

/** Without a fault for so long, every client has delivered everything, and everything is folded. */
export const PATIENCE_MS = 600_000;

type Judging = {
  readonly world: World;
  readonly time: VirtualTime;
  readonly ledger: Ledger;
  readonly broken: string[];
  readonly trace: (line: string) => void;
  /** False where somebody was not collected for a while: of a frame that is no batch only a count is left then. */
  readonly keepsFrames: boolean;
};

/** The oracle, on a server that is left alone. */
export async function judge({ world, time, ledger, broken, trace, keepsFrames }: Judging): Promise<void> {
  const running = world.running();
  if (!running || !world.isQuiet()) {
    broken.push('somebody still waits, though nothing has failed for ten minutes');
    return;
  }
  const seen = await look(running, world, time);
  if (!seen) {
    broken.push('the states never catch up, though nothing has failed for ten minutes');
    return;
  }
  const { entries, live } = seen;
  for (const entry of entries) trace(JSON.stringify(entry));
  broken.push(...checkArchive(entries, ledger, keepsFrames));
  const last = entries.length - 1;
  broken.push(...compare('live', live, foldAll(entries, last), last));
  const stored = await world.store.picture();
  if (stored.checkpoint !== last) broken.push(`the store is at ${stored.checkpoint}, the archive at ${last}`);
  for (const picture of [...(await Promise.all(world.pictures)), stored])
    broken.push(...checkPicture(picture, entries));
  broken.push(...miscounts(running.ingest.counts().edges.socket));
  broken.push(...overcounts(running, entries, keepsFrames));
}

/** The counters of this process against what it wrote: its entries begin behind its mark. */
function overcounts({ archive, ingest }: Running, entries: readonly Entry[], keepsFrames: boolean): string[] {
  const { stored, bad } = ingest.counts().edges.socket;
  const own = entries.filter((entry) => entry.o > archive.fence && !entry.p?.startsWith('~'));
  const events = own.reduce((sum, entry) => sum + (entry.ev?.length ?? 0), 0);
  const rows = own.filter((entry) => entry.k === 'bad').length;
  if (stored === events && (keepsFrames ? bad === rows : bad >= rows)) return [];
  return [`${stored} stored and ${bad} bad were counted, ${events} and ${rows} are there`];
}

type Seen = { readonly entries: readonly Entry[]; readonly live: ReadonlyMap<string, Expected> };

/** What the server shows: it runs in virtual time while it is asked. */
async function look(running: Running, world: World, time: VirtualTime): Promise<Seen | null> {
  let seen: Seen | null = null;
  const life = world.life();
  const ask = () =>
    void lookOnce(running).then(
      (found) => (seen = found),
      // A store that fell back is noticed at a read, which then says `unavailable`.
      () => time.schedule(life, 100, ask),
    );
  time.schedule(life, 0, ask);
  await time.run(() => seen !== null, time.now() + PATIENCE_MS);
  return seen;
}

async function lookOnce({ archive, owner: ownerOf }: Running): Promise<Seen> {
  const owner = ownerOf();
  if (!owner) throw new Error('there is no owner');
  await owner.caughtUp();
  await owner.flush();
  const entries: Entry[] = [];
  for await (const slice of archive.read(0)) entries.push(...slice);
  const live = new Map<string, Expected>();
  for (const key of foldAll(entries, entries.length).keys()) {
    const reducer = FOLDS.find(({ name, version }) => key.startsWith(`${name}.v${version}:`));
    if (!reducer) throw new Error(`nothing folds ${key}`);
    const read = await owner.states.read(reducer, fieldsOfKey(key));
    live.set(key, { state: read.state, isHalted: read.halt !== null });
  }
  // A reset in between means that the store fell back after the flush: everything is looked at again.
  if (owner.checkpoint() !== entries.length - 1) throw new Error('the owner begins again');
  return { entries, live };
}
