import { googleDocument, padDocument, type SimulatedDocument } from './documents.ts';
import { type IngestClient, openIngestClient } from './ingest-client.ts';
import { habitOf, pupil, type Step } from './pupil.ts';
import { seededRandom } from './random.ts';

export type SimulatedStudent = { readonly id: string; readonly token: () => Promise<string> };

/**
 * Plays invented pupils through the public protocol until `stop` is called. `speed` 10: ten minutes in one.
 * `pastMs`: they come with that much writing on their devices already, captured before the connection, as after a lesson offline.
 */
export function playClass({
  url,
  students,
  speed = 1,
  pastMs = 0,
  seed = 1,
  clock = Date.now,
}: {
  readonly url: string;
  readonly students: readonly SimulatedStudent[];
  readonly speed?: number;
  readonly pastMs?: number;
  readonly seed?: number;
  readonly clock?: () => number;
}): { readonly stop: () => void; readonly captured: () => number } {
  let isStopped = false;
  let captured = 0;
  const clients: IngestClient[] = [];
  const timers = new Set<NodeJS.Timeout>();

  students.forEach((student, index) => {
    const client = openIngestClient({ url, token: student.token, name: 'simulate' });
    clients.push(client);
    const run = `${seed}-${index}-${clock().toString(36)}`;
    const tool: SimulatedDocument =
      index % 2 === 0
        ? googleDocument(client, `essay-${run}`, 'A place I know')
        : padDocument(client, `pad-${run}`, 'A place I know');
    const steps = pupil(habitOf(index), seededRandom(seed * 1000 + index));
    play(client, tool, steps, clock() - pastMs * (0.6 + (index % 5) / 10));
  });

  /** `at` is the pupil's own time; what lies in the past is captured at once. */
  function play(
    client: IngestClient,
    tool: SimulatedDocument,
    steps: Generator<Step, void>,
    from: number,
  ): void {
    let at = from;
    const next = () => {
      while (!isStopped) {
        const { value: step, done } = steps.next();
        if (done || !step) return;
        at += step.afterMs / speed;
        const wait = at - clock();
        if (wait > 0) {
          const timer = setTimeout(() => {
            timers.delete(timer);
            perform(client, tool, step, at);
            next();
          }, wait);
          timers.add(timer);
          return;
        }
        perform(client, tool, step, at);
      }
    };
    next();
  }

  function perform(client: IngestClient, tool: SimulatedDocument, { act }: Step, at: number): void {
    captured += 1;
    if (act.do === 'network') {
      if (clock() - at < 1000) client.setNetwork(act.isUp);
      else client.setNetwork(true);
    } else tool.act(act, Math.round(at));
  }

  return {
    captured: () => captured,
    stop() {
      isStopped = true;
      for (const timer of timers) clearTimeout(timer);
      for (const client of clients) client.close();
    },
  };
}
