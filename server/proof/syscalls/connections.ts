/** What goes over one TCP connection, both ways, as far as an audit needs it: whose it is, and what was acknowledged. */
export type Connection = {
  /** What the server read from it. */
  received(bytes: Buffer): void;
  /** Seqs up to which the bytes that the server writes say that all is durable, each with its producer. */
  acknowledged(bytes: Buffer): readonly { readonly producer: string; readonly upTo: number }[];
};

/** Socket.IO carries our JSON as a string within its own. */
const PRODUCER = /"producer\\?":\\?"([\w-]{16,64})\\?"/g;
/** `stored` says it of `upTo`, `welcome` of all before `next`. */
const STORED = /"type":"stored","upTo":(\d+)/g;
const WELCOME = /"type":"welcome","next":(\d+)/g;

export function openConnection(): Connection {
  let unread = Buffer.alloc(0);
  let isWebSocket = false;
  let producer = '';

  function hear(text: string): void {
    producer = [...text.matchAll(PRODUCER)].at(-1)?.[1] ?? producer;
  }

  function readHttp(): void {
    const text = unread.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    if (end !== -1 && /^upgrade: websocket/im.test(text.slice(0, end))) {
      isWebSocket = true;
      unread = unread.subarray(end + 4);
      readFrames();
      return;
    }
    hear(text);
    // A request begins anew; what is kept could hold a name that is cut in two.
    unread = unread.subarray(Math.max(0, unread.length - 8_192));
  }

  function readFrames(): void {
    for (let frame = frameIn(unread); frame; frame = frameIn(unread)) {
      hear(frame.text);
      unread = unread.subarray(frame.bytes);
    }
  }

  return {
    received(bytes) {
      unread = Buffer.concat([unread, bytes]);
      if (isWebSocket) readFrames();
      else readHttp();
    },
    acknowledged(bytes) {
      const text = bytes.toString('latin1');
      const stored = Array.from(text.matchAll(STORED), ([, upTo]) => Number(upTo));
      const welcome = Array.from(text.matchAll(WELCOME), ([, next]) => Number(next) - 1);
      return [...stored, ...welcome].map((upTo) => ({ producer, upTo }));
    },
  };
}

/** The first whole frame of a client (RFC 6455 §5.2), unmasked. */
function frameIn(bytes: Buffer): { readonly text: string; readonly bytes: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] ?? 0) & 0x7f;
  const [maskAt, isThere] =
    short < 126 ? [2, true] : short === 126 ? [4, bytes.length >= 4] : [10, bytes.length >= 10];
  if (!isThere) return undefined;
  const length =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const start = maskAt + 4;
  if (bytes.length < start + length) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  for (let i = 0; i < payload.length; i += 1) payload[i] = (payload[i] ?? 0) ^ (bytes[maskAt + (i & 3)] ?? 0);
  return { text: payload.toString('latin1'), bytes: start + length };
}
