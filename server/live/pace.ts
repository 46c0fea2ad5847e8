import type { Socket } from 'socket.io';
import type { CLOSE } from '#server/errors.ts';
import type { Delta, Opened, Told } from './protocol.ts';

/** How fast one client reads. */
export type Pace = {
  /** False, and nothing sent, while more than 256 KiB would wait for the client. */
  send(event: 'rows', delta: Delta): boolean;
  /** All rows at once may be more than what else may wait. */
  allow(opened: Opened): void;
  /** Called when the client has read after a `send` was refused. */
  onDrain(listener: () => void): void;
  /** 1 MiB waits beyond what was allowed, or nothing was read for 10 s. */
  isStalled(): boolean;
};

const SKIP_BYTES = 256 * 1024;
const MOST_BYTES = 1024 * 1024;
const STALLED_MS = 10_000;
const HARD_CLOSE_MS = 5000;

export function openPace(socket: Socket<Record<string, never>, Told> | AnySocket, clock: () => number): Pace {
  const { conn } = socket;
  let isBehind = false;
  let listener = () => {};
  let allowance = 0;
  let movedAt = clock();
  let lastBytes = 0;

  const moved = () => {
    movedAt = clock();
    if (!isBehind || buffered(socket) > 0) return;
    isBehind = false;
    listener();
  };
  const followTransport = () => conn.transport.on('drain', () => setImmediate(moved));
  followTransport();
  conn.on('upgrade', followTransport);

  return {
    send(event, delta) {
      const waiting = buffered(socket);
      if (waiting > 0 && waiting + bytesOf(delta) > SKIP_BYTES) {
        isBehind = true;
        return false;
      }
      socket.emit(event, delta);
      // Nothing waited before it, so it was right to send even if it is a large one.
      if (waiting === 0) allowance = Math.max(0, buffered(socket) - SKIP_BYTES);
      return true;
    },
    allow(opened) {
      allowance = (buffered(socket) > 0 ? allowance : 0) + bytesOf(opened);
    },
    onDrain(next) {
      listener = next;
    },
    isStalled() {
      const bytes = buffered(socket);
      if (bytes === 0 || bytes < lastBytes) movedAt = clock();
      lastBytes = bytes;
      return bytes > MOST_BYTES + allowance || clock() - movedAt >= STALLED_MS;
    },
  };
}

/** Of the sockets of this namespace, whatever events they are typed with. */
type AnySocket = Pick<Socket, 'conn'> & { emit(event: 'rows', delta: Delta): boolean };
/** The WebSocket under an engine transport; a polling transport has none. */
type UnderSocket = { readonly bufferedAmount: number; close(code: number): void; terminate(): void };

/** Bytes that wait in this process for the client to read; what the kernel holds is not seen. */
export function buffered({ conn }: Pick<Socket, 'conn'>): number {
  // Not in engine.io's types: packets that wait for the transport.
  const { writeBuffer } = conn as unknown as { readonly writeBuffer: readonly { readonly data?: unknown }[] };
  let bytes = underSocket({ conn })?.bufferedAmount ?? 0;
  for (const { data } of writeBuffer) if (typeof data === 'string') bytes += data.length;
  return bytes;
}

/** Ends the connection with a close code of the closed list; hard after 5 s. */
export function closeTransport(
  { conn }: Pick<Socket, 'conn'>,
  code: (typeof CLOSE)[keyof typeof CLOSE],
): void {
  const under = underSocket({ conn });
  if (!under) {
    conn.close(true);
    return;
  }
  under.close(code);
  setTimeout(() => under.terminate(), HARD_CLOSE_MS).unref();
}

/** The one place that knows where engine.io keeps the WebSocket. */
function underSocket({ conn }: Pick<Socket, 'conn'>): UnderSocket | undefined {
  return (conn.transport as { readonly socket?: UnderSocket }).socket;
}

function bytesOf(message: object): number {
  return Buffer.byteLength(JSON.stringify(message));
}
