import type { Reducer, StateOf } from '#modules/kit/index.ts';
import { AppError } from '#server/errors.ts';
import { stateKey } from '#server/state/state-key.ts';
import type { Core } from './core.ts';
import type { Hot } from './hot.ts';
import { fieldsOfKey } from './persist.ts';
import type { Folded, Plan } from './plan.ts';
import type { Halt, Held, States } from './states.ts';
import { absentKey, addressOf, cellsOf, findCell, type HotStudent } from './student.ts';

/** What rows see of an owner. */
export function statesOf(core: Core, hot: Hot, isReady: (student: string) => boolean): States {
  const { plan } = core.folding;
  return {
    held(reducer, fields) {
      const folded = plan.of(reducer);
      const student = core.hot.get(fields.student ?? '');
      return folded && student ? heldOf(plan, student, folded, fields) : null;
    },
    async read<R extends Reducer>(reducer: R, fields: Readonly<Record<string, string>>) {
      const folded = plan.of(reducer);
      if (!folded) throw new AppError('not-found', `no such reducer: ${reducer.name}`);
      const { student: id = '' } = fields;
      const student = core.hot.get(id) ?? (await load(core, hot, id));
      const { state, halt } = heldOf(plan, student, folded, fields);
      return { state: state as StateOf<typeof reducer>, halt };
    },
    onChange(listener) {
      core.listeners.add(listener);
      return () => core.listeners.delete(listener);
    },
    isReady,
  };
}

/** Mostly the cell itself: a class of 25 is read two hundred times a second. */
function heldOf(
  plan: Plan,
  student: HotStudent,
  folded: Folded,
  fields: Readonly<Record<string, string>>,
): Held {
  const cell = findCell(student, folded, addressOf(folded, fields));
  if (cell?.halt) return cell;
  const halt = feederHalt(plan, student, folded, fields);
  if (cell && halt === null) return cell;
  if (cell) return { key: cell.key, state: cell.state, halt };
  const { reducer } = folded;
  const key = folded.further.length === 0 ? absentKey(student, folded) : stateKey(reducer, fields);
  return { key, state: reducer.initial, halt };
}

async function load(core: Core, hot: Hot, student: string): Promise<HotStudent> {
  if (core.phase !== 'running') throw new AppError('unavailable', 'the states are not loaded yet');
  try {
    return await hot.get(student);
  } catch (cause) {
    throw new AppError('unavailable', 'the state store does not answer', { cause });
  }
}

/** A halted key that feeds this one: of a reducer whose emits it hears, and about the same where both say what about. */
function feederHalt(
  plan: Plan,
  student: HotStudent,
  folded: Folded,
  fields: Readonly<Record<string, string>>,
): Halt | null {
  for (const feeder of plan.feeders(folded))
    for (const cell of cellsOf(student, feeder))
      if (cell.halt && agrees(fieldsOfKey(cell.key), fields)) return cell.halt;
  return null;
}

function agrees(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return Object.entries(a).every(([name, value]) => b[name] === undefined || b[name] === value);
}
