import { runtime } from '#server/runtime.ts';
import { json } from '../../answer.ts';

export const dynamic = 'force-dynamic';

/** 200 while the archive accepts, else 503 with what is wrong. */
export function GET(): Response {
  const state = runtime().ready();
  return json(state, state.ready ? 200 : 503);
}
