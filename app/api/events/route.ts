import { runtime } from '#server/runtime.ts';
import { answering } from '../answer.ts';

/** The server sets this header itself on every request, whatever the sender put there. */
const ADDRESS_HEADER = 'x-client-address';

/** `POST /api/events`: bearer token, no cookies. */
export const POST = (request: Request): Promise<Response> =>
  answering(() => runtime().ingest.post(request, request.headers.get(ADDRESS_HEADER) ?? ''));
