import { runtime } from '#server/runtime.ts';
import { answering, notFound } from '../answer.ts';

/** Demo mode only; elsewhere there is nothing here. */
export function POST(request: Request): Promise<Response> {
  const { demoSignIn } = runtime().auth;
  return answering(async () => (demoSignIn ? demoSignIn(request) : notFound()));
}
