import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { InputType, ZstdOptions } from 'node:zlib';

type Decompressed = (error: Error | null, bytes: Buffer) => void;

/**
 * Inflating in Node's threads ends whenever it ends, which no seed decides. MUST be imported before the archive, which keeps
 * the function that it finds.
 */
const zlib: typeof import('node:zlib') = createRequire(import.meta.url)('node:zlib');

function decompressNow(bytes: InputType, options: ZstdOptions | Decompressed, done?: Decompressed): void {
  const hear = typeof options === 'function' ? options : done;
  const settings = typeof options === 'function' ? {} : options;
  let result: Buffer;
  try {
    result = zlib.zstdDecompressSync(bytes, settings);
  } catch (error) {
    hear?.(error instanceof Error ? error : new Error(String(error)), Buffer.alloc(0));
    return;
  }
  hear?.(null, result);
}

Object.assign(zlib, { zstdDecompress: decompressNow });
syncBuiltinESMExports();
