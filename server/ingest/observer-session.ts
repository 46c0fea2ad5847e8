import { randomBytes } from 'node:crypto';
import { CLOSE, type RefusedCode } from '#server/errors.ts';
import { appendBad, type OneEnd, type OneEvent } from './accept-one.ts';
import type { OpenConnection, Peer } from './connections.ts';
import { note } from './core.ts';
import type { Identity } from './identity.ts';
import { type Fields, lockFields } from './lock-fields.ts';
import { openAnswers } from './observer-answers.ts';
import { openBadFrames } from './observer-bad-frames.ts';
import { openBarrier } from './observer-barrier.ts';
import { openBlobFrames } from './observer-blobs.ts';
import { type Proofs, proofsIn } from './observer-claims.ts';
import { openEnds } from './observer-ends.ts';
import {
  type BadFrame,
  bodyOf,
  clientOf,
  type Frame,
  observerBounds,
  readFrame,
  sentAtOf,
  sourceOf,
} from './observer-frames.ts';
import { openIntake } from './observer-intake.ts';
import { openPark } from './observer-park.ts';
import { holdFor } from './observer-policy.ts';
import { openProver } from './observer-prover.ts';
import type { ObserverSocket } from './observer-sockets.ts';
import type { ObserverShared, ObserverWire } from './observer-wire.ts';

export type ObserverSession = {
  message(bytes: Buffer, isBinary: boolean): void;
  /** Why the socket closed; what is parked ends as refused. */
  end(reason: string): void;
  /** Tells everything that is still summed up, before the server stops. */
  flush(): void;
  readonly isIdentified: boolean;
};

/**
 * One connection of the predecessor's protocol (wire.md §A5). `proof`: what the upgrade proved, if anything. Its clients keep
 * nothing that they sent, so frames are parked, and reading pauses, before anything is refused.
 */
export function openObserverSession(
  shared: ObserverShared,
  wire: ObserverWire,
  address: string,
  proof: Promise<Identity | null>,
): ObserverSession {
  const { ingest } = shared;
  const { core } = ingest;
  const limits = core.limits.old;
  const bounds = observerBounds(limits.stringCharacters);
  const producer = `~${randomBytes(16).toString('base64url')}`;
  const answers = openAnswers({
    perSecond: limits.answersPerSecond,
    hasRoom: () => wire.bufferedBytes() <= limits.bufferedBytes,
    send: wire.send,
  });
  const ends = openEnds(core, wire, answers);
  const barrier = openBarrier((upTo) => answers.stored(upTo));
  const park = openPark(shared.parks, limits, parkedTooLong);
  const intake = openIntake(core, wire, { connection: () => connection, end });
  const blobs = openBlobFrames(shared, {
    connection: () => connection,
    locked: () => locked,
    end,
    bad: (fault, frame) => badEvent(fault, frame, {}),
    send: wire.send,
  });
  const bad = openBadFrames(ingest, answers, barrier, () => connection);
  let frames = 0;
  let locked: Fields = {};
  let connection: OpenConnection | undefined;
  let member: ObserverSocket | undefined;
  /** Why data events of this socket are refused while nobody is known. */
  let unknownBecause: RefusedCode | undefined;
  const prover = openProver(ingest, proof, {
    identified: identify,
    unknown: refuseUnknown,
    badToken: (frame) =>
      answers.tell({ result: 'refused', frame, code: 'unauthenticated', message: 'the token proves nobody' }),
  });

  function identify(identity: Identity): void {
    const peer: Peer = {
      push: () => {},
      pause: () => wire.hold('core', true),
      resume: () => wire.hold('core', false),
      close: wire.close,
    };
    const client = clientOf(locked.browserInfo);
    connection = ingest.open({
      identity,
      edge: 'learning-observer',
      peer,
      isSilent: true,
      ...(client ? { client } : {}),
    });
    member = {
      student: identity.student,
      setUnread: (is) => wire.hold('crowded', is),
      close: () => wire.close(CLOSE.ended),
    };
    shared.sockets.add(member);
    if (!shared.terminated.has(identity.student)) ingest.recordConnected(connection);
    wire.send({
      status: 'auth',
      user_id: identity.student,
      user: identity.student,
      identity: identity.kind,
      frame: frames,
    });
    releasePark();
  }

  /** What was parked goes on in its order, with the fields locked by now. */
  function releasePark(): void {
    if (!connection) return;
    const frame = park.first();
    if (frame && sourceOf(frame, locked) === undefined) return;
    for (const one of park.release()) admit(one);
  }

  function refuseUnknown(code: RefusedCode): void {
    unknownBecause = code;
    for (const frame of park.release()) refuseData(frame, code);
  }

  function refuseData(frame: Frame, code: RefusedCode): void {
    wire.send(holdFor(code, 0));
    end(frame.n, { end: 'refused', code, retryAfterMs: 0 });
  }

  function parkedTooLong(): void {
    for (const frame of park.release()) parkIsFull(frame);
  }

  function parkIsFull(frame: Frame): void {
    if (!connection) refuseData(frame, unknownBecause ?? 'held');
    else
      badEvent(
        { code: 'parked-too-long', message: `no source was known in time for frame ${frame.n}` },
        frame,
      );
  }

  /** A frame that was begun and cannot be an event. `body`: what its bad row keeps. */
  function badEvent(fault: BadFrame, frame: Frame, body: Fields = bodyOf(frame, locked)): void {
    const one = { ...eventOf(frame, ''), body };
    if (connection) appendBad(core, connection, one, fault, (given) => end(frame.n, given));
    else end(frame.n, { end: 'bad', ...fault });
  }

  function begin(frame: number): void {
    core.counter.received('learning-observer', 1);
    core.flight['learning-observer'] += 1;
    barrier.begin(frame);
  }

  function data(frame: Frame): void {
    begin(frame.n);
    offer(proofsIn(frame.event, frame.value, address), frame.n);
    const isReady = connection && park.size === 0 && sourceOf(frame, locked) !== undefined;
    if (isReady) admit(frame);
    else if (!connection && unknownBecause) refuseData(frame, unknownBecause);
    else if (!park.add(frame)) parkIsFull(frame);
    else releasePark();
  }

  function eventOf(frame: Frame, source: string): OneEvent {
    const { n, at, event, bytes, hasOddText } = frame;
    const sentAt = sentAtOf(frame.value, at);
    return { producer, seq: n, source, event, body: bodyOf(frame, locked), sentAt, at, bytes, hasOddText };
  }

  function admit(frame: Frame): void {
    if (!connection || !member) return;
    shared.sockets.activate(member);
    shared.terminated.delete(connection.identity.student);
    ingest.recordConnected(connection);
    connection.lastHeardAt = core.clock.monotonic();
    intake.add(eventOf(frame, sourceOf(frame, locked) ?? ''));
  }

  /** The one place where a frame gets its end: counted, answered, and out of the way of the barriers. */
  function end(frame: number, given: OneEnd): void {
    core.counter.ended('learning-observer', given.end, 1, given.end === 'stored' ? undefined : given.code);
    ends.tell(frame, given, connection?.identity.student);
    if (barrier.end(frame)) core.flight['learning-observer'] -= 1;
  }

  function offer(proofs: Proofs, frame: number): void {
    if (!connection) prover.offer(proofs, frame);
    else if (proofs.claim && proofs.claim.value !== prover.claimed()) {
      note(core, connection, prover.claimed() === undefined ? 'claim-mismatch' : 'identity-fixed');
    }
  }

  function lock(frame: Frame): void {
    const result = lockFields(locked, frame.value, limits);
    if (!result.ok) {
      bad(
        { code: result.code, message: `${result.message} in frame ${frame.n}` },
        frame,
        '{"event":"lock_fields"}',
      );
      return;
    }
    const fields = frame.value.fields as Fields;
    if (result.ignored) core.counter.noted('fields-ignored');
    locked = result.fields;
    if (locked.answers === 'all') answers.tellStored();
    offer(proofsIn('lock_fields', fields, address), frame.n);
    barrier.pass(frame.n);
    releasePark();
  }

  /** Looked at once it is decided who this is, so that a save that follows its proof at once is not lost to it. */
  function blob(frame: Frame): void {
    if (frame.event === 'save_blob') {
      begin(frame.n);
      prover.settled(() => blobs.save(frame));
      return;
    }
    barrier.pass(frame.n);
    prover.settled(() => {
      blobs.hurry();
      barrier.after(frame.n, () => blobs.fetch(frame));
    });
  }

  function terminate(frame: Frame): void {
    barrier.pass(frame.n);
    prover.settled(() => endAfter(frame));
  }

  function endAfter(frame: Frame): void {
    for (const parked of park.release()) end(parked.n, { end: 'refused', code: 'held', retryAfterMs: 0 });
    if (connection) shared.terminated.add(connection.identity.student);
    blobs.hurry();
    barrier.after(frame.n, () => {
      answers.flush();
      wire.close(CLOSE.ended);
    });
  }

  function handle(frame: Frame): void {
    if (frame.event === 'lock_fields') lock(frame);
    else if (frame.event === 'terminate') terminate(frame);
    else if (frame.event === 'save_blob' || frame.event === 'fetch_blob') blob(frame);
    else data(frame);
  }

  return {
    message(bytes, isBinary) {
      frames += 1;
      const about = { n: frames, at: core.clock.now(), bytes: bytes.length };
      if (isBinary) {
        bad({ code: 'binary-unexpected', message: `frame ${frames} is not text` }, about, null);
        return;
      }
      const text = bytes.toString();
      const frame = readFrame(text, about, bounds);
      if ('code' in frame) bad(frame, about, text);
      else handle(frame);
    },
    end(reason) {
      ends.close();
      answers.close();
      if (member) shared.sockets.remove(member);
      prover.settled(() => {
        for (const parked of park.release()) end(parked.n, { end: 'refused', code: 'held', retryAfterMs: 0 });
        blobs.hurry();
        // What waits for room was taken from the client: it is still stored, before the connection counts as gone.
        barrier.after(frames, () => connection && ingest.close(connection, reason));
      });
    },
    flush: () => answers.flush(),
    get isIdentified() {
      return connection !== undefined;
    },
  };
}
