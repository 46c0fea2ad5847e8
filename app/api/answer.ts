import type { AppErrorCode } from '#server/errors.ts';

const STATUS: Partial<Record<AppErrorCode, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  limited: 429,
  unavailable: 503,
};

/** JSON that no cache keeps. */
export const json = (body: unknown, status = 200): Response =>
  Response.json(body, { status, headers: { 'cache-control': 'no-store' } });

export const notFound = (): Response => json({ code: 'not-found', message: 'there is nothing here' }, 404);

export const forbidden = (): Response =>
  json({ code: 'forbidden', message: 'do this from our own page' }, 403);

/** The one mapper of errors to answers of the API. An error without a code says nothing but that it is ours. */
export async function answering(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    if (code === null) return json({ code: 'internal', message: 'this is our fault' }, 500);
    return json({ code, message: (error as Error).message }, STATUS[code]);
  }
}

/** By its name, since the error's class exists once in each module graph. */
function codeOf(error: unknown): AppErrorCode | null {
  if (!(error instanceof Error) || error.name !== 'AppError') return null;
  const { code } = error as Error & { code: AppErrorCode };
  return code in STATUS ? code : null;
}
