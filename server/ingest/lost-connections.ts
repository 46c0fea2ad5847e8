import { openConnections } from '#modules/kit/index.ts';
import type { States } from '#server/stream/owner.ts';
import type { Recorder } from './record.ts';

/**
 * After a crash the archive shows connections as open that nobody holds any more. Says of each that it ended, so that
 * *no signal* is true again. `isOpen`: those of this process.
 */
export async function endLostConnections({
  students,
  states,
  recorder,
  isOpen,
}: {
  readonly students: AsyncIterable<string>;
  readonly states: Pick<States, 'read'>;
  readonly recorder: Pick<Recorder, 'recordMissing'>;
  readonly isOpen: (connection: string) => boolean;
}): Promise<number> {
  let ended = 0;
  for await (const student of students) {
    if (student === '') continue;
    const { state } = await states.read(openConnections, { student });
    const lost = state.open.filter((connection) => !isOpen(connection));
    ended += lost.length;
    recorder.recordMissing(lost.map((connection) => ({ student, connection })));
  }
  return ended;
}
