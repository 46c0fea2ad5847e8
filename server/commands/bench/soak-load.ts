import { type ChildProcess, spawn } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { tmpdir } from 'node:os';
import { signIngestToken } from '#server/auth/ingest-token.ts';
import { SERVER_ENVIRONMENT, SERVER_FLAGS } from '#server/commands/setup/server-process.mjs';
import type { Dialect } from './ingest-load.ts';
import { type FromServer, HOST, ORIGIN, studentOf } from './soak-server.ts';

const ADDRESSES = 20;
/** Collections by hand tell what is alive from what has only not been collected yet. */
const COLLECT = '--expose-gc';
/** Acknowledgements with this number or above are of tokens. */
const TOKEN_ACK = 900_000_000;
const TOKEN_ANSWER = `43/ingest,${TOKEN_ACK}`;

/** What the load knows by itself, to be held against what the server counted. */
export type Heard = { sent: number; stored: number; other: number; rows: number };

/** `soak-server.ts` in a process of its own. `directory`: where its temporary files are, default the system's. */
export function startServer(
  classes: number,
  database: 'with-database' | 'without-database',
  directory = tmpdir(),
  flags: readonly string[] = [],
): ChildProcess {
  const file = new URL('soak-server.ts', import.meta.url).pathname;
  return spawn(
    process.execPath,
    [...SERVER_FLAGS, ...flags, COLLECT, file, 'serve', String(classes), database],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...SERVER_ENVIRONMENT, TMPDIR: directory },
    },
  );
}

export function heardFrom(child: ChildProcess): Promise<FromServer> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as FromServer));
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
}

export const producerOf = (n: number) => String(n).padStart(22, 'P');
const emit = (ack: number, message: object) =>
  `42/ingest,${ack}["m",${JSON.stringify(JSON.stringify(message))}]`;

export async function tokenOf(key: KeyObject, n: number): Promise<string> {
  const subject = { person: studentOf(n), school: 's', installation: `i-${n}` };
  return (await signIngestToken(key, subject, Date.now())).token;
}

/** One `google_docs_save` of about 300 bytes at a time, over Socket.IO. */
export async function typing(key: KeyObject, sockets: number, heard: Heard): Promise<Dialect> {
  const tokens = await Promise.all(Array.from({ length: sockets }, (_, n) => tokenOf(key, n)));
  return {
    path: '/socket.io/?EIO=4&transport=websocket',
    host: HOST,
    from: (n) => `127.0.1.${1 + (n % ADDRESSES)}`,
    headers: () => [],
    greeting: (n) => [
      ['0{', `40/ingest,${JSON.stringify({ token: tokens[n] })}`],
      ['40/ingest', emit(0, helloOf(n, 1))],
    ],
    ready: '43/ingest,0[{"type":"welcome"',
    message(n, seq) {
      heard.sent += 1;
      return emit(seq, batchOf(n, seq));
    },
    answer: '43/ingest,',
    otherAnswer: TOKEN_ANSWER,
    onHeard(n, payload, send) {
      if (payload.startsWith(TOKEN_ANSWER)) return;
      if (payload.startsWith('43/ingest,')) {
        if (payload.includes('[{"type":"stored"') && payload.includes('"bad":[]')) heard.stored += 1;
        else heard.other += 1;
      } else if (payload.startsWith('42/ingest,["reauth"'))
        void tokenOf(key, n).then((token) => send(emit(TOKEN_ACK, { v: 1, type: 'token', token })));
    },
  };
}

export function helloOf(n: number, oldest: number): object {
  return { v: 1, type: 'hello', producer: producerOf(n), epoch: 1, oldest, now: Date.now() };
}

export function batchOf(n: number, seq: number, size = 1) {
  const now = Date.now();
  const url = `https://docs.google.com/document/d/doc-${n}/save`;
  const bundles = [{ commands: [{ ty: 'is', ibi: 1, s: 'a' }], sid: '5f2a', reqId: seq }];
  const body = { doc_id: `doc-${n}`, tab_id: 't.0', url, bundles, rev: [String(seq)], timestamp: now };
  const events = new Array(size).fill({ event: 'google_docs_save', sentAt: now, body });
  const source = 'org.mitros.writing_analytics';
  return { v: 1, type: 'events', producer: producerOf(n), epoch: 1, from: seq, source, events };
}

export function watching(heard: Heard): Dialect {
  return {
    path: '/socket.io/?EIO=4&transport=websocket',
    host: HOST,
    headers: (n) => [`Origin: ${ORIGIN}`, `Cookie: t${n}`],
    greeting: (n) => [
      ['0{', '40/live,'],
      [
        '40/live',
        `42/live,0["subscribe",{"classroom":"c${n}","module":"writing","query":"class-dashboard"}]`,
      ],
    ],
    ready: '43/live,0[{"ok":true',
    message: () => '3',
    answer: 'never',
    onHeard(_n, payload) {
      if (payload.startsWith('42/live,["rows"')) heard.rows += 1;
    },
  };
}
