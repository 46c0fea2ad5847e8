import { hash } from 'node:crypto';
import type { Envelope, Reducer } from '#modules/kit/index.ts';
import { Halting } from './halting.ts';

export const MOST_HOPS = 8;
export const MOST_EVENTS = 500;

/** An event of a cascade: the archived one has hop 0. */
export type Heard = { readonly event: Envelope; readonly hop: number };

/** What one step emits. `emit` is what the step is given. */
export type Emitting = {
  readonly emitted: readonly Heard[];
  readonly emit: (name: string, payload: unknown) => void;
};

const NONE: Emitting = {
  emitted: [],
  emit: (name) => {
    throw new Error(`the reducer emits ${name} and declares no emits`);
  },
};

/** `room`: how many more events the cascade may get. */
export function emitting(reducer: Reducer, parent: Heard, room: number): Emitting {
  const { emits } = reducer;
  if (!emits) return NONE;
  const emitted: Heard[] = [];
  const emit = (name: string, payload: unknown) => {
    const schema = emits.events.includes(name) ? emits.source.events[name] : undefined;
    if (!schema) throw new Error(`the reducer emits ${name} and does not declare it`);
    if (parent.hop >= MOST_HOPS) throw new Halting('too-many-emits', `more than ${MOST_HOPS} hops`);
    if (emitted.length >= room) throw new Halting('too-many-emits', `more than ${MOST_EVENTS} events`);
    // A new object, ours: it becomes the event.
    const body: Record<string, unknown> = schema.parse(payload);
    const id = emittedId(parent.event.id, reducer.name, name, body, emitted.length + 1);
    if (emitted.some((earlier) => earlier.event.id === id))
      throw new Error(`the reducer emits ${name} twice for one row`);
    const { student, at } = parent.event;
    const event = Object.assign(body, { id, source: emits.source.name, event: name, student, at });
    emitted.push({ event, hop: parent.hop + 1 });
  };
  return { emitted, emit };
}

/** Derived from the parent's, so that every fold makes the same (usage-pipeline.md §2.3). `count`: 1 for a step's first event. */
export function emittedId(
  parent: string,
  reducer: string,
  event: string,
  body: Readonly<Record<string, unknown>>,
  count: number,
): string {
  const isRow = 'objectId' in body || 'playId' in body;
  const row = isRow ? String(body.objectId ?? '') : String(count);
  const play = isRow ? String(body.playId ?? '') : '';
  return hash('sha256', `${parent}\n${reducer}\n${event}\n${row}\n${play}`, 'hex').slice(0, 32);
}
