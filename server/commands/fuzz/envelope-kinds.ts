import type { SocketLane } from './batch-lane.ts';
import { BATCHES, type Kind, onBatches, onHttp, onSocketLanes, pickBy } from './kind.ts';
import { type BatchLane, newProducer, type Outcome, type World } from './lane.ts';
import { OLD_PROTOCOL_KINDS } from './old-protocol-kinds.ts';

type Fields = Record<string, unknown>;

/** A batch of one event with something wrong in it. */
function batch(
  name: string,
  ends: readonly Outcome[],
  spoil: (batch: Fields, event: Fields, i: number, lane: BatchLane) => void,
): Kind {
  return onBatches({
    name,
    group: 'envelope',
    edges: BATCHES,
    ends,
    run({ lane, i }) {
      const event = lane.event() as Fields;
      const made = lane.batch([event]);
      spoil(made, event, i, lane);
      return lane.ask(JSON.stringify(made));
    },
  });
}

/** Sends one event as its type and body say. */
const event = (name: string, ends: readonly Outcome[], more: (event: Fields, i: number) => void): Kind =>
  batch(name, ends, (_batch, one, i) => more(one, i));

const BATCH_FIELDS = ['v', 'type', 'producer', 'epoch', 'from', 'source', 'events'] as const;
const EVENT_FIELDS = ['event', 'sentAt', 'body'] as const;
const FIELDS = [...BATCH_FIELDS, ...EVENT_FIELDS] as const;
const WRONG: readonly unknown[] = [null, [], {}, true, 0.5];
const within = (name: string) => (EVENT_FIELDS as readonly string[]).includes(name);
const bodyOf = (one: Fields) => one.body as Fields;

const CLAIMS = [
  'auth',
  'user_id',
  'safe_user_id',
  'student',
  'student_id',
  'sec',
  'providence',
  'id',
  'at',
  'identity',
] as const;
const ODD_IDS = [',', ':', '/', '..', 'a:b=c', '%2e%2e', '../../etc', 'x'.repeat(300)] as const;
const WRONG_IDS = ['a\r\nb', '\n', 'x'.repeat(301), '\u0085', ''] as const;

const SEQS: readonly Kind[] = [
  batch('seq 0', ['seq-invalid'], (made) => (made.from = 0)),
  batch('seq negative', ['seq-invalid'], (made, _e, i) => (made.from = -1 - i)),
  batch('seq a fraction', ['seq-invalid'], (made) => (made.from = 1.5)),
  batch('seq a string', ['seq-invalid'], (made) => (made.from = '1')),
  batch('seq huge', ['seq-invalid'], (made, _e, i) => (made.from = pickBy([2 ** 53, 1e300, 2 ** 53 + 2], i))),
  batch('gap', ['gap'], (made, _e, i, lane) => (made.from = lane.next() + 1 + i)),
  batch('repeat changed', ['id-conflict'], (made, _e, _i, lane) => (made.from = lane.next() - 1)),
  onBatches({
    name: 'repeat same',
    group: 'envelope',
    edges: BATCHES,
    ends: ['stored'],
    async run({ lane }) {
      const text = JSON.stringify(lane.batch([lane.event()]));
      await lane.ask(text);
      return lane.ask(text);
    },
  }),
  onBatches({
    name: 'two batches interleaved',
    group: 'envelope',
    edges: BATCHES,
    ends: ['gap'],
    async run({ lane }) {
      const [first, second] = [
        lane.batch([lane.event()]),
        lane.batch([lane.event()], { from: lane.next() + 1 }),
      ];
      const outcome = await lane.ask(JSON.stringify(second));
      const ends = [await lane.ask(JSON.stringify(first)), await lane.ask(JSON.stringify(second))];
      return ends.every((end) => end === 'stored') ? outcome : `then ${ends}`;
    },
  }),
];

const PRODUCERS: readonly Kind[] = [
  onSocketLanes({
    name: 'epoch back',
    group: 'envelope',
    edges: ['socket.io', 'plain'],
    ends: ['conflict'],
    async run({ lane }) {
      const producer = newProducer();
      const say = (more: object) => lane.ask(JSON.stringify(lane.hello({ producer, oldest: 1, ...more })));
      await say({ epoch: 2 });
      await lane.ask(JSON.stringify(lane.batch([lane.event()], { producer, epoch: 2, from: 1 })));
      const outcome = await say({ epoch: 1 });
      return backTo(lane, outcome);
    },
  }),
  onSocketLanes({
    name: "another's producer",
    group: 'envelope',
    edges: ['socket.io', 'plain'],
    ends: ['forbidden'],
    async run({ lane, world, i }) {
      const outcome = await lane.ask(
        JSON.stringify(lane.hello({ producer: await somebodysProducer(world, i) })),
      );
      return backTo(lane, outcome);
    },
  }),
  onSocketLanes({
    name: 'hello that is none',
    group: 'envelope',
    edges: ['socket.io', 'plain'],
    ends: ['invalid'],
    run: ({ lane, i }) =>
      lane.ask(
        JSON.stringify(
          lane.hello(
            pickBy(
              [
                { oldest: '1' },
                { oldest: -1 },
                { oldest: 1.5 },
                { oldest: 2 ** 53 },
                { now: null },
                { epoch: 0 },
                { producer: 'short' },
              ],
              i,
            ),
          ),
        ),
      ),
  }),
  onSocketLanes({
    name: 'token that proves nothing',
    group: 'envelope',
    edges: ['socket.io', 'plain'],
    ends: ['unauthenticated'],
    run: ({ lane, i }) =>
      lane.ask(JSON.stringify({ v: 1, type: 'token', token: pickBy(['x', 'a.b.c', `${lane.token}x`], i) })),
  }),
  onSocketLanes({
    name: 'producer not that of hello',
    group: 'envelope',
    edges: ['socket.io', 'plain'],
    ends: ['field-wrong'],
    run: ({ lane, i }) =>
      lane.ask(
        JSON.stringify(lane.batch([lane.event()], pickBy([{ producer: newProducer() }, { epoch: 2 }], i))),
      ),
  }),
];

/** The lane goes on with its own producer. */
async function backTo(lane: SocketLane, outcome: Outcome): Promise<Outcome> {
  const back = await lane.ask(JSON.stringify(lane.hello()));
  return back === 'welcome' ? outcome : `then ${back}`;
}

const producers = new Map<object, string>();

/** A producer of another student, who has stored something. */
async function somebodysProducer(world: World, _i: number): Promise<string> {
  const known = producers.get(world);
  if (known) return known;
  const { openSocketLane } = await import('./batch-lane.ts');
  const other = await openSocketLane(world, 'plain');
  await other.good();
  other.close();
  producers.set(world, other.producer);
  return other.producer;
}

/** Messages whose JSON is fine and that are no batch, or no batch that can be stored as it is. */
export const ENVELOPE_KINDS: readonly Kind[] = [
  batch('field missing', ['field-missing'], (made, one, i) => {
    const name = pickBy(FIELDS, i);
    delete (within(name) ? one : made)[name];
  }),
  batch(
    'field of a wrong type',
    ['field-wrong', 'version-unknown', 'not-a-batch', 'seq-invalid', 'batch-empty'],
    (made, one, i) => {
      const name = pickBy(FIELDS, i);
      const of = within(name) ? one : made;
      // An object is what a body is, and a fraction is a time.
      const isRight = (value: unknown) =>
        (name === 'body' && JSON.stringify(value) === '{}') || (name === 'sentAt' && value === 0.5);
      const wrong = pickBy(WRONG, Math.floor(i / FIELDS.length));
      of[name] = isRight(wrong) ? 'x' : wrong;
    },
  ),
  batch('extra fields', ['stored'], (made, one, i) => {
    const value = pickBy(WRONG, i);
    Object.assign(made, { extra: value });
    Object.assign(one, { more: value });
    Object.assign(one.body as Fields, i % 2 ? {} : {});
  }),
  batch('unknown version', ['version-unknown'], (made, _e, i) => (made.v = pickBy([2, 0, -1, '1', 1.1], i))),
  batch(
    'unknown source',
    ['unknown-source'],
    (made, _e, i) =>
      (made.source = pickBy(['nobody', 'connection', 'queue', 'blob', 'x'.repeat(128), '__proto__'], i)),
  ),
  event(
    'unknown event',
    ['unknown-event'],
    (one, i) =>
      (one.event = pickBy(['nothing', 'toString', 'hasOwnProperty', '__proto__', 'x'.repeat(128)], i)),
  ),
  event(
    'body that fits no schema',
    ['schema'],
    (one, i) => (one.body = pickBy([{}, { doc: 1 }, { doc: 'd', n: 'x', tag: 't' }, { doc: null }], i)),
  ),
  event('declined event', ['source-not-allowed'], (one) => Object.assign(one, { event: 'secret', body: {} })),
  batch('empty batch', ['batch-empty'], (made) => (made.events = [])),
  batch(
    '65 events',
    ['batch-too-long'],
    (made, one) => (made.events = Array.from({ length: 65 }, () => one)),
  ),
  event('identity named in 30 places', ['stored', 'schema'], (one, i) => {
    const name = pickBy(CLAIMS, i);
    const place = Math.floor(i / CLAIMS.length) % 3;
    if (place === 0) one[name] = 'fuzzed-0';
    else bodyOf(one)[place === 1 ? name : 'who'] = place === 1 ? 'fuzzed-0' : { [name]: 'fuzzed-0' };
  }),
  event('time 1970', ['stored'], (one) => (one.sentAt = 0)),
  event('time 9999', ['stored'], (one) => (one.sentAt = 253_402_300_799_000)),
  event('time NaN', ['field-wrong'], (one) => (one.sentAt = Number.NaN)),
  event('time a string', ['field-wrong'], (one) => (one.sentAt = new Date(0).toISOString())),
  event('odd ids', ['stored'], (one, i) => (bodyOf(one).doc = pickBy(ODD_IDS, i))),
  event(
    'ids that are no keys',
    ['key-field-invalid', 'stored'],
    (one, i) => (bodyOf(one).doc = pickBy(WRONG_IDS, i)),
  ),
  event('event whose reducer throws', ['stored'], (one, i) => (one.event = pickBy(['throw', 'odd'], i))),
  { ...event('event that makes a state too big', ['stored'], (one) => (one.event = 'grow')), oneIn: 5 },
  ...SEQS,
  ...PRODUCERS,
  ...OLD_PROTOCOL_KINDS,
  onHttp({
    name: 'request that is none',
    group: 'envelope',
    edges: ['http'],
    ends: ['invalid', 'unauthenticated', 'not-utf8', 'event-too-big'],
    run: ({ lane, i }) => {
      const text = lane.wrap();
      const ways = [
        () => lane.post(text, { 'content-type': 'text/plain' }),
        () => lane.post(text, { 'content-encoding': 'gzip' }),
        () => lane.post(text, { 'content-encoding': 'br' }),
        () => lane.post(text, { authorization: '' }),
        () => lane.post(text, { authorization: 'Bearer x.y.z' }),
        () => lane.post(Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xfe])])),
        () => lane.post(`${text.slice(0, -1)},"x":"${'x'.repeat(70_000)}"}`),
      ];
      return pickBy(ways, i)();
    },
  }),
];
