import { expect, test } from 'vitest';
import type { Answer, Batch, Hello } from '#server/ingest/protocol.ts';
import { firstBatch, type Link, openSender, type SenderState } from './sender.ts';
import type { Captured, Producer, Spool, Spooled } from './spool.ts';

/** The spool's rules in memory: what IndexedDB does in the browser (proved there by e2e/two-people.spec.ts). */
function memorySpool(): Spool & { readonly held: Map<number, Spooled> } {
  const held = new Map<number, Spooled>();
  let producer: Producer = { producer: 'p1', epoch: 1, next: 1 };
  return {
    held,
    async add(events) {
      for (const event of events) {
        held.set(producer.next, { ...event, seq: producer.next });
        producer = { ...producer, next: producer.next + 1 };
      }
      return producer.next - 1;
    },
    producer: async () => producer,
    from: async (seq, limit) => [...held.values()].filter((event) => event.seq >= seq).slice(0, limit),
    oldest: async () => Math.min(producer.next, ...held.keys()),
    count: async () => held.size,
    async deleteUpTo(seq) {
      for (const key of held.keys()) if (key <= seq) held.delete(key);
    },
    async replace(seq, event) {
      held.set(seq, { ...event, seq });
    },
    async renew() {
      const waiting = [...held.values()];
      held.clear();
      producer = { producer: `${producer.producer}'`, epoch: 1, next: 1 };
      await this.add(waiting);
      return producer;
    },
    documents: async () => [],
    async purge() {
      held.clear();
      producer = { ...producer, epoch: producer.epoch + 1, next: 1 };
    },
    close() {},
  };
}

const captured = (word: string, source = 'writing-pad'): Captured => ({
  source,
  event: 'edited',
  sentAt: 1,
  tick: 1,
  body: { word },
});

/** A server that keeps what it stored; `refuse` may answer in its place. */
function server(refuse: (message: Hello | Batch) => Answer | 'silence' | undefined = () => undefined) {
  const stored: { seq: number; word: unknown; source: string }[] = [];
  const heard: (Hello | Batch)[] = [];
  const link: Link = {
    async send(message) {
      heard.push(message);
      const answer = refuse(message);
      if (answer === 'silence') throw new Error('no answer');
      if (answer) return answer;
      if (message.type === 'hello')
        return { type: 'welcome', next: stored.length + 1, at: 0, limits: {} as never };
      message.events.forEach((event, i) => {
        if (message.from + i === stored.length + 1)
          stored.push({
            seq: message.from + i,
            word: event.body.word ?? event.event,
            source: message.source,
          });
      });
      return { type: 'stored', upTo: stored.length, bad: [] };
    },
    reconnect() {},
  };
  return { link, stored, heard };
}

async function settled(states: SenderState[], kind: SenderState['kind']): Promise<void> {
  for (let i = 0; i < 500 && states.at(-1)?.kind !== kind; i++)
    await new Promise((resolve) => setImmediate(resolve));
  expect(states.at(-1)?.kind).toBe(kind);
}

function open(link: Link, spool: Spool) {
  const states: SenderState[] = [];
  let now = 0;
  const sender = openSender({
    spool,
    link,
    clock: () => now,
    wait: async (ms) => {
      now += ms;
    },
    onState: (state) => states.push(state),
  });
  return { sender, states };
}

test('nothing is called offline before the first try has ended', async () => {
  const spool = memorySpool();
  const { link } = server();
  const { sender, states } = open(link, spool);
  await spool.add([captured('one')]);
  sender.onAdded();
  await settled(states, 'connecting');
  sender.onDisconnect();
  await settled(states, 'offline');
  sender.onAdded();
  sender.onConnect();
  await settled(states, 'saved');
  expect(states.filter(({ kind }) => kind === 'connecting')).toHaveLength(1);
});

test('what waits is sent in order and deleted only when the server has stored it', async () => {
  const spool = memorySpool();
  const { link, stored } = server();
  const { sender, states } = open(link, spool);
  await spool.add(['one', 'two', 'three'].map((word) => captured(word)));
  sender.onConnect();
  await settled(states, 'saved');
  expect(stored.map((event) => event.word)).toEqual(['one', 'two', 'three']);
  expect(spool.held.size).toBe(0);
});

test('without an answer everything is kept and goes out after the next connection, once', async () => {
  const spool = memorySpool();
  let isSilent = true;
  const { link, stored } = server((message) =>
    message.type === 'events' && isSilent ? 'silence' : undefined,
  );
  const { sender, states } = open(link, spool);
  await spool.add([captured('kept')]);
  sender.onConnect();
  await settled(states, 'sending');
  expect(spool.held.size).toBe(1);
  sender.onDisconnect();
  isSilent = false;
  sender.onConnect();
  await settled(states, 'saved');
  expect(stored.map((event) => event.word)).toEqual(['kept']);
});

test('an event whose answer was lost is stored once', async () => {
  const spool = memorySpool();
  const inner = server();
  let losesOne = true;
  const link: Link = {
    ...inner.link,
    async send(message) {
      const answer = await inner.link.send(message);
      if (message.type === 'events' && losesOne) {
        losesOne = false;
        throw new Error('the answer was lost');
      }
      return answer;
    },
  };
  const { sender, states } = open(link, spool);
  await spool.add([captured('once')]);
  sender.onConnect();
  await settled(states, 'sending');
  sender.onConnect();
  await settled(states, 'saved');
  expect(inner.stored.map((event) => event.word)).toEqual(['once']);
});

test('a refusal waits as long as it says and sends the same again', async () => {
  const spool = memorySpool();
  let refusals = 2;
  const { link, stored } = server((message) =>
    message.type === 'events' && refusals-- > 0
      ? { type: 'refused', code: 'disk-full', message: '', retryAfterMs: 5000 }
      : undefined,
  );
  const { sender, states } = open(link, spool);
  await spool.add([captured('patient')]);
  sender.onConnect();
  await settled(states, 'saved');
  expect(stored.map((event) => event.word)).toEqual(['patient']);
});

test("a producer that is another's is made anew and nothing that waited is lost", async () => {
  const spool = memorySpool();
  const { link, stored, heard } = server((message) =>
    message.producer === 'p1' ? { type: 'refused', code: 'forbidden', message: '' } : undefined,
  );
  const { sender, states } = open(link, spool);
  await spool.add([captured('mine'), captured('too')]);
  sender.onConnect();
  await settled(states, 'saved');
  expect(stored.map((event) => event.word)).toEqual(['mine', 'too']);
  expect(heard.filter((message) => message.type === 'events' && message.producer === 'p1')).toEqual([]);
});

test('a spoilt frame is split, and the one event that spoils it is given up and counted', async () => {
  const spool = memorySpool();
  const { link, stored } = server((message) =>
    message.type === 'events' && message.events.some((event) => event.body.word === 'poison')
      ? { type: 'bad-frame', code: 'forbidden-key', message: '' }
      : undefined,
  );
  const { sender, states } = open(link, spool);
  await spool.add([captured('before'), captured('poison'), captured('after')]);
  sender.onConnect();
  await settled(states, 'saved');
  expect(stored.map((event) => event.word)).toEqual(['before', 'capture-gap', 'after']);
});

test('a policy to drop empties the device and says why', async () => {
  const spool = memorySpool();
  const { sender, states } = open(server(() => 'silence').link, spool);
  await spool.add([captured('private')]);
  sender.onPolicy('drop', 'collection-off');
  await settled(states, 'stopped');
  expect(spool.held.size).toBe(0);
});

test('a batch has one source, one unbroken run of seqs, and fits a frame', () => {
  const at = (seq: number, word: string, source?: string): Spooled => ({ ...captured(word, source), seq });
  expect(
    firstBatch([at(1, 'a'), at(2, 'b'), at(3, 'c', 'client')], new Set()).map((event) => event.seq),
  ).toEqual([1, 2]);
  expect(firstBatch([at(1, 'a'), at(3, 'c')], new Set()).map((event) => event.seq)).toEqual([1]);
  expect(
    firstBatch([at(1, 'x'.repeat(20_000)), at(2, 'y'.repeat(20_000))], new Set()).map((event) => event.seq),
  ).toEqual([1]);
  expect(firstBatch([at(1, 'a'), at(2, 'b')], new Set([1])).map((event) => event.seq)).toEqual([1]);
  expect(firstBatch([], new Set())).toEqual([]);
});
