import type { Op } from './events.ts';

/** How far from a place still counts as there, in characters. Ours: no source gives one. */
export const EPSILON = 5;

/** The end of the rightmost produced text, without trailing white space, after an op. */
export function edgeAfter(edge: number, op: Op): number {
  const n = op.kind === 'ins' ? op.text.length : op.text.length + op.unknown;
  if (op.kind === 'del') return op.pos + n <= edge ? edge - n : Math.min(edge, op.pos);
  if (op.pos < edge) return edge + n;
  const produced = op.text.trimEnd().length;
  return produced === 0 ? edge : op.pos + produced;
}
