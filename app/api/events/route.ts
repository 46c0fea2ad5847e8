import { runtime } from '#server/runtime.ts';
import { answering } from '../answer.ts';

/** `POST /api/events`: bearer token, no cookies. */
export const POST = (request: Request): Promise<Response> => answering(() => runtime().ingest.post(request));
