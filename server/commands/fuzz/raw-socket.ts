import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** A WebSocket client without manners: whatever may not be sent can be sent with it. */
export type RawSocket = {
  readonly net: Socket;
  /** Status of the handshake; 101 when the socket stands, 0 when it was cut without an answer. */
  readonly status: number;
  /** The answer to the handshake as it came. */
  readonly head: string;
  text(text: string): void;
  frame(frame: Frame): void;
  /** The code of the close frame; 1006 where the connection ended without one. */
  readonly closed: Promise<number>;
  isOpen(): boolean;
  end(): void;
};

export type Frame = {
  readonly opcode?: number;
  readonly payload?: Buffer;
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly rsv?: number;
  readonly isMasked?: boolean;
  /** Said in place of the true length. */
  readonly saidLength?: bigint;
};

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** One frame as bytes; the mask is zero, so that the payload can be written as it is. */
export function frameBytes({
  opcode = 1,
  payload = Buffer.alloc(0),
  fin = true,
  rsv = 0,
  isMasked = true,
  saidLength,
}: Frame): Buffer {
  const length = saidLength ?? BigInt(payload.length);
  const first = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]);
  const bit = isMasked ? 0x80 : 0;
  let size: Buffer;
  if (length < 126n) size = Buffer.from([bit | Number(length)]);
  else if (length < 65_536n) size = Buffer.from([bit | 126, Number(length >> 8n), Number(length & 255n)]);
  else {
    size = Buffer.alloc(9, bit | 127);
    size.writeBigUInt64BE(length, 1);
  }
  return Buffer.concat([first, size, ...(isMasked ? [Buffer.alloc(4)] : []), payload]);
}

/** Upgrades, whatever the answer is. */
export function openRawSocket(options: {
  readonly port: number;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly onText?: (text: string) => void;
}): Promise<RawSocket> {
  const { port, path, onText } = options;
  const net = connect(port, '127.0.0.1').setNoDelay();
  const headers = {
    Host: `127.0.0.1:${port}`,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...options.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  net.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  return new Promise((resolve) => {
    let rest: Buffer = Buffer.alloc(0);
    let isUp = false;
    let code = 1006;
    let ended = (_code: number) => {};
    const closed = new Promise<number>((done) => (ended = done));
    const made = (status: number, head: string): RawSocket => ({
      net,
      status,
      head,
      text: (text) => void net.write(frameBytes({ payload: Buffer.from(text) })),
      frame: (frame) => void net.write(frameBytes(frame)),
      closed,
      isOpen: () => !net.destroyed && net.writable && code === 1006,
      end: () => void net.destroy(),
    });
    let socket: RawSocket;
    net.on('error', () => {});
    net.on('close', () => {
      if (!isUp) resolve(made(0, rest.toString('latin1')));
      ended(code);
    });
    net.on('data', (chunk) => {
      rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      if (!isUp) {
        const at = rest.indexOf('\r\n\r\n');
        if (at < 0) return;
        const head = rest.toString('latin1', 0, at);
        rest = rest.subarray(at + 4);
        isUp = true;
        socket = made(Number(head.slice(9, 12)), head);
        resolve(socket);
      }
      if (socket.status === 101) rest = readFrames(rest, hear);
    });
    function hear(opcode: number, payload: Buffer): void {
      if (opcode === OPCODE.text) onText?.(payload.toString());
      if (opcode === OPCODE.ping) net.write(frameBytes({ opcode: OPCODE.pong, payload }));
      if (opcode !== OPCODE.close) return;
      code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      net.end(frameBytes({ opcode: OPCODE.close, payload }));
      ended(code);
    }
  });
}

/** Hands on each whole frame and gives what is left. Servers do not mask, and ours does not fragment. */
function readFrames(bytes: Buffer, hear: (opcode: number, payload: Buffer) => void): Buffer {
  let rest = bytes;
  for (;;) {
    if (rest.length < 2) return rest;
    const short = (rest[1] ?? 0) & 0x7f;
    const at = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (rest.length < at) return rest;
    const length =
      short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
    if (rest.length < at + length) return rest;
    hear((rest[0] ?? 0) & 15, rest.subarray(at, at + length));
    rest = rest.subarray(at + length);
  }
}
