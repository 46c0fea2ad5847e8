import { runtime } from '#server/runtime.ts';
import { json } from '../answer.ts';

export const dynamic = 'force-dynamic';

/** The process answers; needs nothing else. */
export const GET = (): Response => json(runtime().health());
