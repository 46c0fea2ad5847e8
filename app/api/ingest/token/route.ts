import { runtime } from '#server/runtime.ts';
import { answering } from '../../answer.ts';

export const POST = (request: Request): Promise<Response> => answering(() => runtime().ingest.token(request));
