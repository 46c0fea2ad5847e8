import { pino } from 'pino';

/** Fields that a log line may have (access.md §9). Whatever else is passed is dropped and counted as `dropped`. */
const ALLOWED = new Set([
  'code',
  'route',
  'ms',
  'count',
  'bytes',
  'person',
  'classroom',
  'connection',
  'student',
  'version',
  'reducer',
  'position',
  'offset',
  'entries',
  'events',
  'edge',
  'reason',
  'port',
  'host',
  'mode',
  'step',
  'module',
  'query',
  'signal',
  'close',
  'name',
  'dropped',
]);

function allowOnly(fields: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  let dropped = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (ALLOWED.has(name) && typeof value !== 'object') kept[name] = value;
    else dropped += 1;
  }
  return dropped > 0 ? { ...kept, dropped } : kept;
}

/** One line per fact, JSON, on stderr. Never text, names, mail, titles, tokens, or messages of modules. */
export type Log = {
  info(fields: Record<string, unknown>, fact: string): void;
  warn(fields: Record<string, unknown>, fact: string): void;
  error(fields: Record<string, unknown>, fact: string): void;
};

export function openLog(level: string): Log {
  return pino(
    { level, base: null, formatters: { log: allowOnly } },
    pino.destination({ fd: 2, sync: false }),
  );
}

/** What takes an error and logs the fact with the error's name alone: its message may quote somebody. */
export function complain(log: Log, fact: string): (error: unknown) => void {
  return (error) => log.error({ name: error instanceof Error ? error.name : 'unknown' }, fact);
}
