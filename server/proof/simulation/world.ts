import type { CollectionRules } from '#server/ingest/identity.ts';
import { type Client, openClient } from './client.ts';
import { type FaultyDisk, openFaultyDisk } from './faulty-disk.ts';
import { type FaultyStore, openFaultyStore, type Picture } from './faulty-store.ts';
import type { Ledger } from './ledger.ts';
import { miscounts } from './oracle.ts';
import type { Action, Plan } from './plan.ts';
import type { Random } from './random.ts';
import { type Planted, type Running, type ServerProcess, startProcess } from './server-process.ts';
import type { Life, VirtualTime } from './virtual-time.ts';

export const START_AT = 1_800_000_000_000;

export type WorldOptions = {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly broken: string[];
  readonly planted: Planted;
  readonly trace: (line: string) => void;
};

/** The clients, the server's processes one after the other, and what outlives them. */
export type World = {
  readonly store: FaultyStore;
  /** What the store was when a process ended. */
  readonly pictures: readonly Promise<Picture>[];
  running(): Running | null;
  life(): Life | null;
  /** Every client has delivered everything to a server that is up. */
  isQuiet(): boolean;
  /** No fault any more. */
  heal(): void;
  act(action: Action): void;
};

export function openWorld({ plan, time, random, ledger, broken, planted, trace }: WorldOptions): World {
  const disk = openFaultyDisk(time, random.fork('disk'), trace);
  const store = openFaultyStore(time, random.fork('store'));
  const starts = random.fork('starts');
  const declined = new Map<string, { until: number; isUnknown: boolean }>();
  const pictures: Promise<Picture>[] = [];
  let skewMs = 0;
  let process: ServerProcess | null = null;
  let hasPowerCutNext = false;

  const clock = () => START_AT + Math.floor(time.now()) + skewMs;
  const rules: CollectionRules = {
    async prepare() {},
    decide(student) {
      const rule = declined.get(student);
      if (!rule || time.now() >= rule.until) return null;
      return rule.isUnknown ? 'not-ready' : 'paused-by-student';
    },
  };
  const clients = plan.clients.map((student, i) => {
    const name = `client-${i}-of-the-simulation`;
    const own = random.fork(name);
    const listening = () => process?.listening() ?? null;
    const producer = name;
    return openClient({
      time,
      random: own,
      ledger,
      listening,
      student: `s${student}`,
      producer,
      startAt: START_AT,
      trace,
    });
  });

  function start(withStaleOwner: boolean): void {
    trace('the server starts');
    const shared = { time, random: starts, disk, store, settings: plan.settings, planted, rules, clock };
    const onEnd = (why: 'failed' | 'corrupt', error: unknown) => {
      trace(`the server ends: ${why} ${error}`);
      if (why === 'corrupt') broken.push(`the server cannot start: ${error}`);
      else ended(500, hasPowerCutNext, false);
    };
    process = startProcess({ ...shared, withStaleOwner, onEnd });
  }
  function ended(downMs: number, hasPowerCut: boolean, withStaleOwner: boolean): void {
    process = null;
    pictures.push(store.picture());
    if (hasPowerCut) disk.cutPower();
    hasPowerCutNext = false;
    for (const client of clients) time.schedule(null, starts.below(100), client.serverGone);
    time.schedule(null, downMs, () => {
      disk.heal();
      start(withStaleOwner);
    });
  }
  function kill(action: Extract<Action, { do: 'kill' }>): void {
    if (!process) return;
    process.kill();
    ended(action.downMs, action.hasPowerCut, action.withStaleOwner);
  }
  function stop(downMs: number): void {
    const stopping = process;
    const ingest = stopping?.running()?.ingest;
    if (!stopping || !ingest) return;
    stopping.stop(() => {
      broken.push(...miscounts(ingest.counts().edges.socket));
      if (stopping === process) ended(downMs, false, false);
    });
  }

  start(false);
  return {
    store,
    pictures,
    running: () => process?.running() ?? null,
    life: () => process?.life ?? null,
    isQuiet: () => process?.running()?.owner() != null && clients.every((client) => client.isIdle()),
    heal() {
      disk.heal();
      store.heal();
      declined.clear();
      // Something for everybody to fold: a store that fell back is noticed at the next flush.
      for (const client of clients) client.capture(1, 0);
    },
    act(action: Action): void {
      if ('client' in action) actOf(clients[action.client], action);
      else if (action.do === 'kill') kill(action);
      else if (action.do === 'stop') stop(action.downMs);
      else if (action.do === 'seal')
        void process
          ?.running()
          ?.archive.seal()
          .catch(() => {});
      else if (action.do === 'server-clock') skewMs += action.byMs;
      else if (action.do === 'decline') {
        const { student, ms, isUnknown } = action;
        declined.set(`s${student}`, { until: time.now() + ms, isUnknown });
      } else if (action.do.startsWith('disk-')) {
        if (action.do === 'disk-error') hasPowerCutNext = action.hasPowerCut;
        breakDisk(disk, action, time.now());
      } else breakStore(store, action, time.now());
    },
  };
}

function actOf(client: Client | undefined, action: Extract<Action, { client: number }>): void {
  switch (action.do) {
    case 'write':
      client?.capture(action.count, action.salt);
      break;
    case 'cut':
      client?.cut(action.downMs, action.lingerMs);
      break;
    case 'resend':
      client?.resend(action.count, action.isTampered);
      break;
    case 'clog':
      client?.clog(action.ms);
      break;
    case 'bad-frame':
      client?.sendBadFrame();
      break;
    case 'lose-oldest':
      client?.loseOldest(action.count);
      break;
    case 'new-epoch':
      client?.newEpoch();
      break;
    case 'client-clock':
      client?.setClock(action.offsetMs);
      break;
  }
}

function breakDisk(disk: FaultyDisk, action: Action, nowMs: number): void {
  if (action.do === 'disk-full') disk.fullUntil(nowMs + action.ms);
  else if (action.do === 'disk-error') disk.failNext();
  else if (action.do === 'disk-short') disk.shortUntil(nowMs + action.ms);
  else if (action.do === 'disk-slow') disk.slowUntil(nowMs + action.ms, action.byMs);
}

function breakStore(store: FaultyStore, action: Action, nowMs: number): void {
  if (action.do === 'store-slow') store.slowUntil(nowMs + action.ms);
  else if (action.do === 'store-fail') store.failUntil(nowMs + action.ms);
  else if (action.do === 'store-mute') store.muteUntil(nowMs + action.ms);
  else if (action.do === 'store-back') void store.goBack(action.share);
  else if (action.do === 'store-empty') void store.goBack(0);
}
