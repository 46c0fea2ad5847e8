import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Query } from '#modules/kit/index.ts';
import type { Access } from '#server/access/access.ts';
import type { Permit } from '#server/access/permit.ts';
import type { Viewer } from '#server/access/viewer.ts';
import type { Audit } from '#server/audit.ts';
import { AppError } from '#server/errors.ts';
import type { Log } from '#server/log.ts';
import type { Registry } from '#server/registry.ts';
import { canonical, openAnswers } from '#server/services/ask.ts';
import type { States } from '#server/stream/owner.ts';
import type { Roster } from './channel.ts';
import { openChannels } from './channels.ts';
import { type LiveMeasures, openLiveMeasures } from './measures.ts';
import type { Act, Json, Opened, Subscribe } from './protocol.ts';
import { ROW_BYTES, STUDENT_ROW_BYTES, TEXT_ROW_BYTES } from './run-row.ts';
import { openScheduler } from './scheduler.ts';
import { openSubscription, type Subscription, type SubscriptionPeer } from './subscription.ts';

/** An event that the server writes of itself, about a student. Resolves when it is durable. */
export type RecordEvent = (event: {
  readonly student: string;
  readonly source: string;
  readonly event: string;
  readonly body: Readonly<Record<string, unknown>>;
}) => Promise<void>;

export type LiveParts = {
  readonly registry: Pick<Registry, 'findQuery'>;
  readonly states: States;
  readonly access: Access;
  readonly audit: Audit;
  readonly clock: () => number;
  readonly record: RecordEvent;
  readonly log: Log;
  readonly limits?: Partial<LiveLimits>;
  /** Counted into, for metrics. */
  readonly measures?: LiveMeasures;
};

export type LiveLimits = {
  /** How long a channel stays on the last yes when `access` gives no answer, ms. */
  readonly trustMs: number;
};

export type Live = {
  /**
   * Opens a channel for a viewer. `raw` is what the client sent. Throws `invalid` (naming the field), `not-found` (not
   * there or not allowed, alike), `unavailable` (still folding, or no audit: no look).
   */
  subscribe(viewer: Viewer, raw: unknown, peer: SubscriptionPeer): Promise<Subscribed>;
  /** What a teacher does about a student becomes an event of the source `queue`. Throws as `subscribe`. */
  act(viewer: Viewer, raw: unknown): Promise<void>;
  readonly onAccessChange: Access['onChange'];
  readonly clock: () => number;
  readonly log: Log;
  /** Open channels, for health. */
  readonly channels: () => number;
  readonly measures: LiveMeasures;
  close(): void;
};
export type Subscribed = { readonly opened: Opened; readonly subscription: Subscription };

const name = z.string().min(1).max(200);
const subscribeSchema = z.object({
  classroom: name,
  module: name,
  query: name,
  params: z.record(z.string(), z.unknown()).optional(),
  student: name.optional(),
});
const actSchema = z
  .object({
    classroom: name,
    student: name,
    cause: name,
    did: z.enum(['seen', 'snoozed', 'helped']),
    ms: z
      .number()
      .int()
      .min(0)
      .max(24 * 3600_000)
      .optional(),
  })
  .refine(({ did, ms }) => did !== 'snoozed' || ms !== undefined, { path: ['ms'], message: 'is missing' });

const TRUST_MS = 60_000;
const RETRY_MS = 1000;

/** The core of `/live`: who may watch what, and the channels behind it. Knows no socket. */
export function openLive(parts: LiveParts): Live {
  const { clock, log } = parts;
  const answers = openAnswers({ clock, log });
  const scheduler = openScheduler();
  const measures = parts.measures ?? openLiveMeasures();
  const channels = openChannels({ states: parts.states, answers, scheduler, clock, log, measures });
  const trustMs = parts.limits?.trustMs ?? TRUST_MS;

  return {
    async subscribe(viewer, raw, peer) {
      const asked = parse(subscribeSchema, raw) as Subscribe;
      const ask = () => rosterFor(parts.access, viewer, asked);
      const roster = await ask();
      const query = getQuery(parts.registry, asked);
      const params = parseParams(query, asked.params ?? {});
      if (roster.students.some(({ id }) => !parts.states.isReady(id))) throw stillFolding();
      const key = canonical([asked.classroom, asked.module, asked.query, params, asked.student ?? null]);
      const subject = {
        module: asked.module,
        query,
        params,
        maxRowBytes: boundOf(asked, query),
      };
      const id = createHash('sha256').update(key).digest('base64url').slice(0, 10);
      return openSubscription({
        id,
        asked,
        params: (params ?? {}) as { readonly [field: string]: Json },
        viewer,
        roster,
        ask: (now) => rosterFor(parts.access, now, asked),
        join: () => channels.join(key, subject, roster),
        leave: () => channels.leave(key),
        audit: parts.audit,
        peer,
        clock,
        log,
        trustMs,
      });
    },
    async act(viewer, raw) {
      const { classroom, student, cause, did, ms } = parse(actSchema, raw) as Act;
      await permitFor(parts.access, viewer, { classroom, student }, 'change').catch((error: unknown) => {
        throw asRefusal(error);
      });
      const snooze = did === 'snoozed' ? { ms } : {};
      const body = { cause, actor: viewer.personId, ...snooze };
      await parts.record({ student, source: 'queue', event: did, body });
    },
    onAccessChange: (listener) => parts.access.onChange(listener),
    clock,
    log,
    channels: channels.size,
    measures,
    close() {
      channels.close();
      scheduler.close();
      answers.close();
    },
  };
}

function boundOf(asked: Subscribe, query: Query): number {
  if (asked.student) return STUDENT_ROW_BYTES;
  return query.showsText ? TEXT_ROW_BYTES : ROW_BYTES;
}

/** The students whom `access` lets this viewer see of what was asked for. */
async function rosterFor(access: Access, viewer: Viewer, asked: Subscribe): Promise<Roster> {
  try {
    const permit = await permitFor(access, viewer, asked, 'subscribe');
    const [students, classroom] = await Promise.all([access.studentsOf(permit), access.classroomOf(permit)]);
    return { students, classroom };
  } catch (error) {
    throw asRefusal(error);
  }
}

function permitFor(
  access: Access,
  viewer: Viewer,
  { classroom, student }: { readonly classroom: string; readonly student?: string | undefined },
  action: 'subscribe' | 'change',
): Promise<Permit<'class'> | Permit<'student'>> {
  if (student === undefined) return access.toClass(viewer, classroom, action);
  return access.toStudent(viewer, student, action, classroom);
}

/** Whatever is not allowed or not there gets the same words; no answer from `access` is neither. */
function asRefusal(error: unknown): AppError {
  if (!(error instanceof AppError))
    return new AppError('unavailable', 'your rights cannot be checked now', {
      cause: error,
      retryAfterMs: RETRY_MS,
    });
  return error.code === 'not-found' ? notFound() : error;
}

function getQuery(registry: LiveParts['registry'], asked: Subscribe): Query {
  const found = registry.findQuery(asked.module, asked.query);
  if (!found) throw notFound();
  const { query } = found;
  if (query.about === 'student' && asked.student === undefined)
    throw new AppError('invalid', 'student is missing: this query is about one student');
  return query;
}

function parseParams(query: Query, given: unknown): unknown {
  if (!query.params) return undefined;
  return parse(query.params, given, 'params.');
}

function parse(schema: z.ZodType, value: unknown, prefix = ''): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.join('.');
  throw new AppError('invalid', `${path ? `${prefix}${path}` : 'the message'} is wrong`);
}

function notFound(): AppError {
  return new AppError('not-found', 'there is no such class, student, module or query');
}

function stillFolding(): AppError {
  return new AppError('unavailable', 'the analysis is still starting', { retryAfterMs: RETRY_MS });
}
