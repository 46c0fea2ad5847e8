import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { CLOSE } from '#server/errors.ts';
import type { Peer } from './connections.ts';
import type { Identity } from './identity.ts';
import type { Ingest } from './ingest.ts';
import type { Answer, Stored } from './protocol.ts';
import { endSession, hear, hearBinary, openSession } from './session.ts';
import { boundSockets } from './socket-limits.ts';

/** Who asks for this sub-protocol on `/wsapi/in/` speaks part B: one JSON text frame a message, one answer frame each, in order. */
export const SUB_PROTOCOL = 'learning-observer.1';

/** Serves a socket whose student is proved. Pushed messages are frames too: `{ "type": "slow", … }`. */
export function serveBatches(ingest: Ingest, ws: WebSocket, raw: Socket, identity: Identity): void {
  const connection = ingest.open({ identity, edge: 'socket', peer: peerOf(ws) });
  boundSockets(ingest, connection);
  const session = openSession(ingest, connection);
  const most = 2 * ingest.core.limits.frameBytes;
  const reply = (answer: Answer) => {
    if (ws.readyState !== ws.OPEN) return;
    if (isPlain(answer)) raw.write(shortFrame(`{"type":"stored","upTo":${answer.upTo},"bad":[]}`), 'latin1');
    else ws.send(JSON.stringify(answer));
  };
  ws.on('message', (data: RawData, isBinary: boolean) => {
    const bytes = asBuffer(data);
    if (bytes.length > most) ws.close(CLOSE.tooBig);
    else if (isBinary) hearBinary(session, bytes.length, reply);
    else hear(session, bytes.toString(), bytes.length, reply);
  });
  ws.on('close', (code) => endSession(session, `closed ${code}`));
}

/** The usual answer, which is sent for each frame. */
function isPlain(answer: Answer): answer is Stored {
  return answer.type === 'stored' && answer.bad.length === 0 && !answer.declined && !answer.slowDownMs;
}

/**
 * An unmasked text frame of up to 125 ASCII characters, as one string. `ws` writes head and text apart, and those two writes
 * are the largest single cost of an answer. Safe beside `ws.send`: without compression that writes at once, too.
 */
function shortFrame(text: string): string {
  return `\x81${String.fromCharCode(text.length)}${text}`;
}

/** `ws` hands over one Buffer a message, unless told otherwise. */
export function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

function peerOf(ws: WebSocket): Peer {
  return {
    push: (event, message) => {
      if (ws.readyState === ws.OPEN) ws.send(JSON.stringify({ type: event, ...message }));
    },
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    close: (code) => ws.close(code),
  };
}
