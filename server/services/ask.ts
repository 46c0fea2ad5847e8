import { createHash } from 'node:crypto';
import type { Service } from '#modules/kit/index.ts';
import type { Log } from '#server/log.ts';
import type { StateKey } from '#server/state/state-key.ts';

/** Undefined value: not answered yet, or failed (`failedAt`, ms), then asked again by itself a minute later. */
export type Answer<Out> = { readonly value: Out | undefined; readonly failedAt?: number };

/** `onRead` hears the answer's key before it is looked up, as for a state. */
export type AskService = <In, Out>(
  service: Service<In, Out>,
  input: In,
  onRead: (key: StateKey) => void,
) => Promise<Answer<Out>>;

export type Answers = {
  readonly ask: AskService;
  /** Hears the key of each answer that came, failed, or may be asked for again. */
  onChange(listener: (key: StateKey) => void): () => void;
  close(): void;
};

const KEPT_ANSWERS = 10_000;
const RETRY_AFTER_MS = 60_000;

/**
 * Answers of services, kept under their input: each input is worked on once, by whoever asks first. They are a cache,
 * the least recently asked ones go first. Equal inputs share an answer, so it says nothing about who asked.
 */
export function openAnswers({
  clock,
  log,
  keep = KEPT_ANSWERS,
}: {
  readonly clock: () => number;
  readonly log: Log;
  readonly keep?: number;
}): Answers {
  const kept = new Map<StateKey, Answer<unknown>>();
  const running = new Set<StateKey>();
  const retries = new Map<StateKey, NodeJS.Timeout>();
  const listeners = new Set<(key: StateKey) => void>();

  const tell = (key: StateKey) => {
    for (const listener of listeners) listener(key);
  };
  const keepAnswer = (key: StateKey, answer: Answer<unknown>) => {
    kept.delete(key);
    kept.set(key, answer);
    for (const oldest of kept.keys()) {
      if (kept.size <= keep) break;
      forget(oldest);
    }
  };
  const forget = (key: StateKey) => {
    kept.delete(key);
    clearTimeout(retries.get(key));
    retries.delete(key);
  };
  const forgetLater = (key: StateKey) => {
    const timer = setTimeout(() => {
      forget(key);
      tell(key);
    }, RETRY_AFTER_MS);
    retries.set(key, timer.unref());
  };
  const work = async (service: Service, input: unknown, key: StateKey) => {
    running.add(key);
    try {
      keepAnswer(key, { value: await service.run(input) });
    } catch {
      log.warn({ name: service.name, code: 'unavailable' }, 'a service failed');
      keepAnswer(key, { value: undefined, failedAt: clock() });
      forgetLater(key);
    } finally {
      running.delete(key);
    }
    tell(key);
  };

  return {
    async ask(service, input, onRead) {
      const key = answerKey(service, input);
      onRead(key);
      const answer = kept.get(key);
      if (answer) keepAnswer(key, answer);
      else if (!running.has(key)) void work(service, input, key);
      // The key names service, version and input, so what is kept under it is this service's output.
      return (answer ?? { value: undefined }) as Answer<never>;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      for (const key of [...kept.keys()]) forget(key);
      listeners.clear();
    },
  };
}

function answerKey(service: Service, input: unknown): StateKey {
  const hash = createHash('sha256').update(canonical(input)).digest('base64url');
  return `answer:${service.name}.v${service.version}:${hash}`;
}

/** JSON with sorted fields: equal inputs have one text. */
export function canonical(value: unknown): string {
  return JSON.stringify({ value }, (_name, inner: unknown) => (isRecord(inner) ? sorted(inner) : inner));
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(record: object): object {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
