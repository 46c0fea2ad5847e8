import type { BadCode } from '#server/errors.ts';
import type { OneEnd } from './accept-one.ts';
import { type BlobKey, MOST_BLOB_BYTES } from './blobs.ts';
import type { OpenConnection } from './connections.ts';
import type { Fields } from './lock-fields.ts';
import type { BadFrame, Frame } from './observer-frames.ts';
import { sourceOf } from './observer-frames.ts';
import type { ObserverShared } from './observer-wire.ts';
import { isKeyText } from './sources.ts';
import { withoutOddText } from './structure.ts';

type Session = {
  readonly connection: () => OpenConnection | undefined;
  readonly locked: () => Fields;
  readonly end: (frame: number, end: OneEnd) => void;
  /** Its row keeps nothing of the value. */
  readonly bad: (fault: BadFrame, frame: Frame) => void;
  readonly send: (reply: object) => void;
};

/** `save_blob` and `fetch_blob` of one socket (wire.md §A9). */
export type BlobFrames = {
  /** The frame was begun at the barrier; it has its end once the value, or a younger one, is durable. */
  save(frame: Frame): void;
  /** Call once every earlier frame has its end. */
  fetch(frame: Frame): void;
  /** Writes what this student saved, instead of waiting for more. */
  hurry(): void;
};

/** A key, or why there is none. */
type Found = { readonly key: BlobKey } | { readonly code: BadCode; readonly message: string };

export function openBlobFrames({ ingest, blobs }: ObserverShared, session: Session): BlobFrames {
  const { core } = ingest;

  function keyOf(frame: Frame): Found {
    const connection = session.connection();
    if (!connection) return { code: 'anonymous', message: `frame ${frame.n} is of nobody who is known` };
    const tool = sourceOf(frame, session.locked());
    const activity = session.locked().activity ?? frame.value.activity;
    const missing = tool === undefined ? 'source' : activity === undefined ? 'activity' : undefined;
    if (missing) return { code: 'field-missing', message: `frame ${frame.n} has no ${missing}` };
    if (typeof activity !== 'string' || !isKeyText(activity) || !isKeyText(tool))
      return {
        code: 'key-field-invalid',
        message: `source and activity of frame ${frame.n} cannot be a key`,
      };
    return { key: { student: connection.identity.student, tool: tool as string, activity } };
  }

  function textOf(
    frame: Frame,
  ): { readonly json: string } | { readonly code: BadCode; readonly message: string } {
    const { blob } = frame.hasOddText ? withoutOddText(frame.value) : frame.value;
    if (blob === undefined) return { code: 'field-missing', message: `frame ${frame.n} has no blob` };
    const json = JSON.stringify(blob);
    return Buffer.byteLength(json) > MOST_BLOB_BYTES
      ? { code: 'event-too-big', message: `the blob of frame ${frame.n} is too large` }
      : { json };
  }

  async function readAfterAll(key: BlobKey): Promise<{ data: unknown; code?: string }> {
    try {
      await ingest.whenFolded();
      const json = await ingest.readBlob(key);
      return { data: json === null ? null : JSON.parse(json) };
    } catch {
      return { data: null, code: 'not-ready' };
    }
  }

  async function reply(frame: Frame): Promise<void> {
    const found = keyOf(frame);
    const { reduxID } = frame.value;
    const more = { frame: frame.n, ...(reduxID === undefined ? {} : { reduxID }) };
    if ('key' in found) session.send({ status: 'fetch_blob', ...(await readAfterAll(found.key)), ...more });
    else {
      await ingest.whenFolded();
      session.send({ status: 'fetch_blob', data: null, code: found.code, ...more });
    }
  }

  return {
    save(frame) {
      const found = keyOf(frame);
      const text = 'key' in found ? textOf(frame) : found;
      const connection = session.connection();
      if (!('key' in found) || !('json' in text) || !connection) {
        session.bad(text as BadFrame, frame);
        return;
      }
      const declined = core.rules.decide(found.key.student, frame.at);
      if (declined === 'not-ready') session.end(frame.n, { end: 'refused', code: declined, retryAfterMs: 0 });
      else if (declined) session.end(frame.n, { end: 'declined', code: declined });
      else
        blobs.save(connection, found.key, text.json, (end) =>
          session.end(frame.n, end.end === 'stored' ? end : { ...end, retryAfterMs: 0 }),
        );
    },
    fetch: (frame) => void reply(frame),
    hurry() {
      const connection = session.connection();
      if (connection) void blobs.writeAll(connection.identity.student);
    },
  };
}
