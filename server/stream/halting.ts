import type { Halt } from './states.ts';

/** A step's result that cannot be kept: its key halts with this code. */
export class Halting extends Error {
  readonly code: Halt['code'];
  constructor(code: Halt['code'], message: string) {
    super(message);
    this.name = 'Halting';
    this.code = code;
  }
}

/** What a row and an operator are told of a step that failed. */
export function haltOf(failure: unknown, position: string, at: number): Halt {
  const code = failure instanceof Halting ? failure.code : 'threw';
  const message = failure instanceof Error ? failure.message : String(failure);
  return { position, at, code, message: message.slice(0, 1_000) };
}
