import { randomBytes } from 'node:crypto';
import { CLOSE, type RefusedCode } from '#server/errors.ts';
import { acceptOne, appendBad, type OneEnd, type OneEvent } from './accept-one.ts';
import { note, REFUSALS } from './core.ts';
import type { Claim, Identity } from './identity.ts';
import type { Ingest, OpenConnection, Peer } from './ingest.ts';
import { type Fields, lockFields } from './lock-fields.ts';
import { openAnswers } from './observer-answers.ts';
import { openBarrier } from './observer-barrier.ts';
import { proofsIn } from './observer-claims.ts';
import {
  type BadFrame,
  bodyOf,
  clientOf,
  type Frame,
  keepableText,
  observerBounds,
  readFrame,
  sentAtOf,
  sourceOf,
} from './observer-frames.ts';
import { type AllParks, openPark } from './observer-park.ts';
import { dropFor, holdFor } from './observer-policy.ts';
import type { ObserverSocket, ObserverSockets } from './observer-sockets.ts';
import { openWaiting } from './observer-waiting.ts';

/** What the session does with its socket. */
export type ObserverWire = {
  send(frame: object): void;
  bufferedBytes(): number;
  /** Pauses or resumes the reading for one of several reasons. */
  hold(reason: string, isHeld: boolean): void;
  close(code: number): void;
};

export type ObserverShared = {
  readonly ingest: Ingest;
  readonly parks: AllParks;
  readonly sockets: ObserverSockets;
  /** Students whose last socket ended with `terminate`: old clients come straight back and stay silent. */
  readonly terminated: Set<string>;
};

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
  const barrier = openBarrier((upTo) => answers.stored(upTo));
  const park = openPark(shared.parks, limits, parkedTooLong);
  const waiting = openWaiting<OneEvent>(limits, core.clock, {
    submit,
    hold: (isHeld) => wire.hold('waiting', isHeld),
    giveUp: (one) => end(one.seq, { end: 'refused', code: 'held', retryAfterMs: 0 }),
  });
  let frames = 0;
  let locked: Fields = {};
  let connection: OpenConnection | undefined;
  let member: ObserverSocket | undefined;
  /** Why data events of this socket are refused while nobody is known. */
  let unknownBecause: RefusedCode | undefined;
  let token: { readonly value: string; readonly frame: number } | undefined;
  let claim: Claim | undefined;
  let usedClaim: string | undefined;
  let isProving = true;
  let inFlight = 0;
  const afterProving: (() => void)[] = [];
  let blockedTimer: NodeJS.Timeout | undefined;

  void start();

  async function start(): Promise<void> {
    const identity = await proof.catch(() => null);
    if (identity) await identify(identity);
    isProving = false;
    await prove();
  }

  /** Runs once it is known whether what was offered proves somebody: frames sent just before an end are not lost to it. */
  function afterProof(run: () => void): void {
    if (isProving) afterProving.push(run);
    else run();
  }

  /** Tries what has been offered so far: a token before a claim, verified before claimed. */
  async function prove(): Promise<void> {
    if (isProving) return;
    isProving = true;
    while (!connection && (token || claim))
      await tryNext().catch(() => core.counter.noted('identity-unknown'));
    isProving = false;
    for (const run of afterProving.splice(0)) run();
  }

  async function tryNext(): Promise<void> {
    if (token) {
      const { value, frame } = token;
      token = undefined;
      const identity = await ingest.identify.byToken(value);
      if (identity) await identify(identity);
      else
        answers.tell({
          result: 'refused',
          frame,
          code: 'unauthenticated',
          message: 'the token proves nobody',
        });
      return;
    }
    if (!claim) return;
    const tried = claim;
    claim = undefined;
    const found = await ingest.identify.byClaim(tried);
    if (typeof found === 'string') refuseUnknown(found);
    else {
      usedClaim = tried.value;
      await identify(found);
    }
  }

  async function identify(identity: Identity): Promise<void> {
    await core.rules.prepare(identity.student);
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
    else {
      const one = { ...eventOf(frame, ''), source: '' };
      const bad = {
        code: 'parked-too-long' as const,
        message: `no source was known in time for frame ${frame.n}`,
      };
      appendBad(core, connection, one, bad, (given) => end(frame.n, given));
    }
  }

  function data(frame: Frame): void {
    core.counter.received('learning-observer', 1);
    barrier.begin(frame.n);
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
    waiting.add(eventOf(frame, sourceOf(frame, locked) ?? ''));
  }

  function submit(one: OneEvent): void {
    if (!connection) return;
    inFlight += 1;
    if (inFlight >= core.limits.unansweredEvents) wire.hold('in-flight', true);
    acceptOne(core, connection, one, (given) => {
      inFlight -= 1;
      if (inFlight < core.limits.unansweredEvents) wire.hold('in-flight', false);
      const isForLater = given.end === 'refused' && given.code !== 'daily-quota' && !core.isStopping;
      if (isForLater) waiting.tryLater(one, given.retryAfterMs);
      else end(one.seq, given);
    });
  }

  /** The one place where a frame gets its end: counted, answered, and out of the way of the barriers. */
  function end(frame: number, given: OneEnd): void {
    const code = given.end === 'stored' ? undefined : given.code;
    core.counter.ended('learning-observer', given.end, 1, code);
    if (given.end === 'bad') answers.tell({ result: 'bad', frame, code: given.code, message: given.message });
    else if (given.end === 'declined') decline(frame, given);
    else if (given.end === 'refused') {
      if (given.code === 'daily-quota') block(holdFor(given.code, given.retryAfterMs));
      else if (given.code === 'held' && connection) wire.send(holdFor('held', 0));
      answers.tell({ result: 'refused', frame, code: given.code, message: REFUSALS[given.code] });
    }
    barrier.end(frame);
  }

  function decline(frame: number, given: Extract<OneEnd, { end: 'declined' }>): void {
    const student = connection?.identity.student ?? '';
    const drop = dropFor(given.code, core.rules, student, core.clock.now());
    if (drop) block(drop);
    answers.tell({ result: 'declined', frame, code: given.code, message: 'this may not be collected' });
  }

  /** Left open, since it would come straight back; closed after ten minutes. */
  function block(told: object): void {
    wire.send(told);
    blockedTimer ??= setTimeout(() => wire.close(CLOSE.ended), limits.blockedMs);
  }

  function offer(proofs: ReturnType<typeof proofsIn>, frame: number): void {
    if (connection) {
      const isOther = proofs.claim !== undefined && proofs.claim.value !== usedClaim;
      if (isOther) note(core, connection, usedClaim === undefined ? 'claim-mismatch' : 'identity-fixed');
      return;
    }
    if (proofs.token !== undefined) token = { value: proofs.token, frame };
    if (proofs.claim) claim ??= proofs.claim;
    void prove();
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

  /** A frame that cannot be an event. Before anybody is known it is answered and counted, not kept. */
  function bad(
    fault: BadFrame,
    about: { readonly n: number; readonly at: number; readonly bytes: number },
    text: string | null,
  ): void {
    const told = () =>
      answers.tell({ result: 'bad', frame: about.n, code: fault.code, message: fault.message });
    barrier.begin(about.n);
    if (!connection) {
      core.counter.received('learning-observer', 1);
      core.counter.ended('learning-observer', 'bad', 1, fault.code);
      told();
      barrier.end(about.n);
      return;
    }
    const original = text === null ? null : keepableText(text);
    ingest.acceptBadFrame(connection, { ...fault, original, bytes: about.bytes, at: about.at }, (answer) => {
      if (answer.type === 'refused') {
        answers.tell({ result: 'refused', frame: about.n, code: answer.code, message: answer.message });
      } else told();
      barrier.end(about.n);
    });
  }

  /** Blobs are not kept yet: a fetch is the barrier that clients use it for, a save is refused. */
  function blob(frame: Frame): void {
    if (frame.event === 'save_blob') {
      answers.tell({ result: 'refused', frame: frame.n, code: 'not-ready', message: 'blobs are not kept' });
      barrier.pass(frame.n);
      return;
    }
    const { reduxID } = frame.value;
    const has = (name: string) => (locked[name] ?? frame.value[name]) !== undefined;
    const code = connection ? (has('source') && has('activity') ? undefined : 'field-missing') : 'anonymous';
    barrier.pass(frame.n);
    barrier.after(frame.n, () => {
      const reply = {
        status: 'fetch_blob',
        data: null,
        frame: frame.n,
        ...(code ? { code } : {}),
        ...(reduxID === undefined ? {} : { reduxID }),
      };
      void ingest.whenFolded().then(() => wire.send(reply));
    });
  }

  function terminate(frame: Frame): void {
    barrier.pass(frame.n);
    afterProof(() => endAfter(frame));
  }

  function endAfter(frame: Frame): void {
    for (const parked of park.release()) end(parked.n, { end: 'refused', code: 'held', retryAfterMs: 0 });
    if (connection) shared.terminated.add(connection.identity.student);
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
      clearTimeout(blockedTimer);
      answers.close();
      if (member) shared.sockets.remove(member);
      afterProof(() => {
        for (const parked of park.release()) end(parked.n, { end: 'refused', code: 'held', retryAfterMs: 0 });
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
