import type { Access } from './access/access.ts';
import type { Viewer } from './access/viewer.ts';
import type { Audit } from './audit.ts';
import type { PrismaClient } from './generated/prisma/client.ts';
import type { Registry } from './registry.ts';
import type { Roster } from './roster/roster.ts';

/** What the app may know of a query: enough to list it and to load its view. */
export type QueryCard = {
  readonly module: string;
  readonly moduleTitle: string;
  readonly query: string;
  readonly title: string;
  readonly about: 'class' | 'student';
};

/**
 * The one object that both module graphs share: Node's (`server/`) and the bundler's (`app/`). App code imports types
 * from `server/` and this function, nothing else.
 */
export type Runtime = {
  readonly isDemo: boolean;
  readonly publicUrl: string;
  /** For the next-auth adapter alone (`server/auth`); pages ask `roster`. */
  readonly prisma: PrismaClient;
  readonly auth: {
    /** The viewer behind a `cookie` header; null without a living session. */
    viewerOf(cookie: string | null, address?: string): Promise<Viewer | null>;
    /** Demo mode only: makes a session for a demo person, gives the `set-cookie` value; undefined in production. */
    readonly demoSignIn?: (request: Request) => Promise<Response>;
    /** Ends the session on every node; gives the `set-cookie` values that take the cookie away. */
    signOut(cookie: string | null): Promise<readonly string[]>;
    /** Whether a request that changes something comes from one of our own pages: every changing route asks first. */
    isOwnRequest(request: Request): boolean;
    /** People of the demo school, for the sign-in page; empty in production. */
    readonly demoPeople: readonly { readonly email: string; readonly name: string; readonly as: string }[];
    readonly hasGoogle: boolean;
    /** Options for next-auth, made per request. */
    readonly options: () => import('next-auth').NextAuthOptions;
  };
  readonly access: Access;
  readonly roster: Roster;
  readonly audit: Audit;
  readonly queries: () => readonly QueryCard[];
  readonly health: () => { readonly ok: true; readonly version: string };
  readonly ready: () => { readonly ready: boolean; readonly checks: Readonly<Record<string, string>> };
  readonly ingest: {
    /** `POST /api/events` (wire.md part D). */
    post(request: Request): Promise<Response>;
    /** `POST /api/ingest/token`: a signed-in student's own page asks for an ingest token. */
    token(request: Request): Promise<Response>;
  };
};

/** What the pages may know of the registry's queries. */
export function queryCards(registry: Pick<Registry, 'queries'>): readonly QueryCard[] {
  return registry.queries.map(({ module, query }) => ({
    module: module.name,
    moduleTitle: module.title,
    query: query.name,
    title: query.title,
    about: query.about ?? 'class',
  }));
}

const KEY = Symbol.for('learning-observer');
type Holder = { [KEY]?: Runtime };

export function setRuntime(runtime: Runtime): void {
  (globalThis as Holder)[KEY] = runtime;
}

export function runtime(): Runtime {
  const found = (globalThis as Holder)[KEY];
  if (!found) throw new Error('the server is not started: run `npm start` or `node server/main.ts`');
  return found;
}
