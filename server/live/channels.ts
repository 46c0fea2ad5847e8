import type { Log } from '#server/log.ts';
import type { Answers } from '#server/services/ask.ts';
import type { States } from '#server/stream/owner.ts';
import { type Channel, type ChannelSubject, openChannel, type Roster } from './channel.ts';
import type { LiveMeasures } from './measures.ts';
import type { Scheduler } from './scheduler.ts';

/** All channels of this process, each open once however many watch it. */
export type Channels = {
  /** The channel of that key, opened if it is not there, with this roster from now on. One `leave` for each `join`. */
  join(key: string, subject: ChannelSubject, roster: Roster): Channel;
  leave(key: string): void;
  /** How many are open; those without watchers close after `KEPT_MS`. */
  readonly size: () => number;
  close(): void;
};

/** A page that is loaded again finds its rows as they are. */
const KEPT_MS = 30_000;

type Open = { readonly channel: Channel; watchers: number; closing: NodeJS.Timeout | undefined };

export function openChannels(parts: {
  readonly states: States;
  readonly answers: Answers;
  readonly scheduler: Scheduler;
  readonly clock: () => number;
  readonly log: Log;
  readonly measures: LiveMeasures;
}): Channels {
  const { states, answers } = parts;
  const open = new Map<string, Open>();
  /** Asked for each event of the school, so made once for each change of who is drawn; null: to be made. */
  let byStudent: ReadonlyMap<string, readonly Channel[]> | null = null;
  const onRoster = () => {
    byStudent = null;
  };
  const stops = [
    states.onChange((student, keys, at) => {
      byStudent ??= indexOf(open.values());
      const drawing = byStudent.get(student);
      if (drawing) for (const channel of drawing) channel.wake(student, keys, at);
    }),
    answers.onChange((key) => {
      for (const { channel } of open.values()) channel.wakeAny(key);
    }),
  ];
  const drop = (key: string) => {
    open.get(key)?.channel.close();
    open.delete(key);
    onRoster();
  };

  return {
    join(key, subject, roster) {
      const known = open.get(key);
      const found = known ?? {
        channel: openChannel(subject, roster, { ...parts, ask: answers.ask, onRoster }),
        watchers: 0,
        closing: undefined,
      };
      found.watchers += 1;
      clearTimeout(found.closing);
      open.set(key, found);
      if (known) found.channel.setRoster(roster);
      return found.channel;
    },
    leave(key) {
      const found = open.get(key);
      if (!found) return;
      found.watchers -= 1;
      if (found.watchers === 0) found.closing = setTimeout(() => drop(key), KEPT_MS).unref();
    },
    size: () => open.size,
    close() {
      for (const stop of stops) stop();
      for (const { closing } of open.values()) clearTimeout(closing);
      for (const key of [...open.keys()]) drop(key);
    },
  };
}

function indexOf(open: Iterable<Open>): Map<string, Channel[]> {
  const byStudent = new Map<string, Channel[]>();
  for (const { channel } of open) {
    for (const student of channel.students()) {
      const drawing = byStudent.get(student);
      if (drawing) drawing.push(channel);
      else byStudent.set(student, [channel]);
    }
  }
  return byStudent;
}
