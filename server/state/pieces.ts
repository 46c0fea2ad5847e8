/** Bytes gathered in pieces, which neither grow nor are put together again. `spare`: pieces that were written and may be used again. */
export type Pieces = {
  readonly whole: Buffer[];
  last: Buffer;
  used: number;
  bytes: number;
  readonly spare: Buffer[];
};

/** A piece is twice as large as the one before: the flush of one key is small, that of a school is not. */
const PIECE_BYTES = { first: 4 * 1024, most: 256 * 1024 };

const MOST_SPARE = 4;

export function emptyPieces(spare: Buffer[]): Pieces {
  return { whole: [], last: Buffer.alloc(0), used: 0, bytes: 0, spare };
}

/**
 * Nobody reads these pieces any more. A flush of a school is many of them, and all would lie in memory until the collector,
 * which does not see their size, comes by.
 */
export function giveBack(spare: Buffer[], pieces: readonly Buffer[]): void {
  for (const { buffer } of pieces) {
    const isUsual = buffer.byteLength === PIECE_BYTES.most;
    if (isUsual && spare.length < MOST_SPARE) spare.push(Buffer.from(buffer));
  }
}

export function allOf({ whole, last, used }: Pieces): readonly Buffer[] {
  return [...whole, last.subarray(0, used)];
}

/** Gives the text's bytes where they lie now. */
export function putText(pieces: Pieces, text: string): Buffer {
  // Three bytes for each UTF-16 unit is the most that UTF-8 takes.
  makeRoom(pieces, text.length * 3);
  return taken(pieces, pieces.last.write(text, pieces.used, 'utf8'));
}

export function putBytes(pieces: Pieces, bytes: Buffer): Buffer {
  makeRoom(pieces, bytes.length);
  return taken(pieces, bytes.copy(pieces.last, pieces.used));
}

function makeRoom(pieces: Pieces, most: number): void {
  if (pieces.used + most <= pieces.last.length) return;
  if (pieces.used > 0) pieces.whole.push(pieces.last.subarray(0, pieces.used));
  const usual = Math.min(PIECE_BYTES.most, Math.max(PIECE_BYTES.first, 2 * pieces.last.length));
  const size = Math.max(most, usual);
  const spare = size <= PIECE_BYTES.most ? pieces.spare.pop() : undefined;
  pieces.last = spare ?? Buffer.allocUnsafeSlow(size);
  pieces.used = 0;
}

function taken(pieces: Pieces, length: number): Buffer {
  const from = pieces.used;
  pieces.used += length;
  pieces.bytes += length;
  return pieces.last.subarray(from, pieces.used);
}
