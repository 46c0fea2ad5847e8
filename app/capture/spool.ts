import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from 'idb';

/** One captured event as it waits on this device. */
export type Spooled = {
  readonly seq: number;
  readonly source: string;
  readonly event: string;
  /** Client clock at capture, ms. */
  readonly sentAt: number;
  /** Monotonic clock at capture, ms. */
  readonly tick: number;
  readonly body: Readonly<Record<string, unknown>>;
};

/** Who this device is to the server; `next` is the seq that the next captured event will have. */
export type Producer = { readonly producer: string; readonly epoch: number; readonly next: number };

/** A document of the writing pad; `content` is the editor's own form of it. */
export type PadDocument = {
  readonly id: string;
  readonly title: string;
  readonly content: unknown;
  readonly createdAt: number;
  readonly changedAt: number;
};

export type Captured = Omit<Spooled, 'seq'>;

type Tables = DBSchema & {
  meta: { key: 'producer'; value: Producer };
  events: { key: number; value: Spooled };
  documents: { key: string; value: PadDocument };
};

export type Spool = {
  /** Stores events, and the document they come from, in one transaction: what is on screen after a reload is what the server gets. Gives the last seq. */
  add(events: readonly Captured[], document?: PadDocument): Promise<number>;
  producer(): Promise<Producer>;
  /** The oldest events from `seq` on. */
  from(seq: number, limit: number): Promise<readonly Spooled[]>;
  /** Lowest seq still held, or the next unused one. */
  oldest(): Promise<number>;
  count(): Promise<number>;
  /** Everything up to `seq` has its end on the server. */
  deleteUpTo(seq: number): Promise<void>;
  /** Gives one event up. */
  replace(seq: number, event: Captured): Promise<void>;
  /** The server knows this producer as somebody else's: a new one, the waiting events numbered anew from 1. */
  renew(): Promise<Producer>;
  documents(): Promise<readonly PadDocument[]>;
  purge(): Promise<void>;
  close(): void;
};

const PREFIX = 'learning-observer-';

/** 128 random bits, base64url. */
export function newProducer(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/**
 * The student's spool on this device. Another student's is purged first: two people at one device never share a
 * producer, and nothing of one is left to the other.
 */
export async function openSpool(student: string): Promise<Spool> {
  for (const { name } of (await indexedDB.databases?.()) ?? [])
    if (name?.startsWith(PREFIX) && name !== PREFIX + student) await deleteDB(name);
  const db = await openDB<Tables>(PREFIX + student, 1, {
    upgrade(fresh) {
      fresh.createObjectStore('meta');
      fresh.createObjectStore('events', { keyPath: 'seq' });
      fresh.createObjectStore('documents', { keyPath: 'id' });
    },
  });
  return spoolOn(db);
}

function spoolOn(db: IDBPDatabase<Tables>): Spool {
  const write = () => db.transaction(['meta', 'events', 'documents'], 'readwrite', { durability: 'strict' });

  async function producerIn(tx: ReturnType<typeof write>): Promise<Producer> {
    const known = await tx.objectStore('meta').get('producer');
    return known ?? { producer: newProducer(), epoch: 1, next: 1 };
  }

  return {
    async add(events, document) {
      const tx = write();
      const producer = await producerIn(tx);
      let next = producer.next;
      for (const event of events) void tx.objectStore('events').put({ ...event, seq: next++ });
      if (document) void tx.objectStore('documents').put(document);
      void tx.objectStore('meta').put({ ...producer, next }, 'producer');
      await tx.done;
      return next - 1;
    },
    async producer() {
      const tx = write();
      const producer = await producerIn(tx);
      await tx.objectStore('meta').put(producer, 'producer');
      await tx.done;
      return producer;
    },
    from: (seq, limit) => db.getAll('events', IDBKeyRange.lowerBound(seq), limit),
    async oldest() {
      const [first] = await db.getAllKeys('events', undefined, 1);
      return first ?? (await this.producer()).next;
    },
    count: () => db.count('events'),
    async deleteUpTo(seq) {
      const tx = write();
      await tx.objectStore('events').delete(IDBKeyRange.upperBound(seq));
      await tx.done;
    },
    async replace(seq, event) {
      const tx = write();
      await tx.objectStore('events').put({ ...event, seq });
      await tx.done;
    },
    async renew() {
      const tx = write();
      const waiting = await tx.objectStore('events').getAll();
      await tx.objectStore('events').clear();
      let next = 1;
      for (const event of waiting) void tx.objectStore('events').put({ ...event, seq: next++ });
      const producer = { producer: newProducer(), epoch: 1, next };
      void tx.objectStore('meta').put(producer, 'producer');
      await tx.done;
      return producer;
    },
    documents: () => db.getAll('documents'),
    async purge() {
      const tx = write();
      const producer = await producerIn(tx);
      void tx.objectStore('events').clear();
      void tx
        .objectStore('meta')
        .put({ producer: producer.producer, epoch: producer.epoch + 1, next: 1 }, 'producer');
      await tx.done;
    },
    close: () => db.close(),
  };
}
