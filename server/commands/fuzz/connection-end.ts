import { connect } from 'node:net';
import type { SocketLane } from './batch-lane.ts';
import { type Kind, onSockets, SOCKETS } from './kind.ts';
import { noteAnswer, type Outcome, SILENT, type World, within } from './lane.ts';
import type { ObserverLane } from './other-lanes.ts';
import { openRawSocket } from './raw-socket.ts';

/** How the socket ended; `silent` where it did not. */
export async function endOf(world: World, lane: SocketLane | ObserverLane): Promise<Outcome> {
  const code = await within(world.answerMs, lane.raw.closed);
  if (code === SILENT) return SILENT;
  noteAnswer(world, '', [`close ${code}`]);
  return `close ${code}`;
}

/** One connection that says something and is cut; gives the beginning of the answer. */
export function sayTo(world: World, bytes: string | Buffer): Promise<Outcome> {
  const socket = connect(world.port, '127.0.0.1');
  let answer = '';
  socket.write(bytes);
  socket.on('error', () => {});
  const ended = new Promise<string>((done) => {
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.includes('\r\n\r\n')) done(answer);
    });
    socket.on('close', () => done(answer));
  });
  return within(world.answerMs, ended).then((heard) => {
    socket.destroy();
    if (heard === SILENT) return SILENT;
    const status = /^HTTP\/1.1 (\d+)/.exec(heard)?.[1];
    noteAnswer(world, heard, status ? [`http ${status}`] : ['cut']);
    return status ? `http ${status}` : 'cut';
  });
}

/** A door that stays shut beside a lane that goes on. */
export function door(
  name: string,
  group: Kind['group'],
  ends: readonly Outcome[],
  ask: (world: World, i: number) => Promise<Outcome>,
): Kind {
  return onSockets({ name, group, edges: SOCKETS, ends, run: ({ world, i }) => ask(world, i) });
}

/** How an upgrade is answered: the status, or `cut` where no byte came. */
export async function upgrade(
  world: World,
  path: string,
  headers: Record<string, string> = {},
): Promise<Outcome> {
  const raw = await openRawSocket({ port: world.port, path, headers });
  raw.end();
  const outcome = raw.status === 0 ? 'cut' : `http ${raw.status}`;
  noteAnswer(world, raw.head, [outcome]);
  return outcome;
}
