import { openSender, type Sender, type SenderState } from './sender.ts';
import { openSocketLink } from './socket-link.ts';
import { type Captured, openSpool, type PadDocument } from './spool.ts';

/** A page's way to the archive. `add` resolves when the events are safe on this device. */
export type Capture = {
  add(events: readonly Omit<Captured, 'sentAt' | 'tick'>[], document?: PadDocument): Promise<void>;
  documents(): Promise<readonly PadDocument[]>;
  close(): void;
};

const CLIENT = { name: 'writing-pad', version: '1' };

/**
 * Opens the student's spool, and sends from one tab at a time: who holds the browser's lock sends, the others write to
 * the same spool and tell it. When that tab goes, the next one takes over.
 */
export async function openCapture(student: string, onState: (state: SenderState) => void): Promise<Capture> {
  const spool = await openSpool(student);
  const tabs = new BroadcastChannel(`learning-observer-${student}`);
  const ended = new AbortController();
  let sender: Sender | undefined;

  const tell = (state: SenderState) => {
    onState(state);
    tabs.postMessage({ state });
  };
  tabs.onmessage = ({ data }: MessageEvent<{ state?: SenderState; added?: true }>) => {
    if (data.state) onState(data.state);
    else sender?.onAdded();
  };
  void navigator.locks
    .request(`learning-observer-sender-${student}`, { signal: ended.signal }, () => sendUntil(ended.signal))
    .catch(() => undefined); // ended before it was our turn

  function sendUntil(signal: AbortSignal): Promise<void> {
    return new Promise((done) => {
      const { link, close } = openSocketLink({ client: CLIENT, senderOf: () => mine });
      const mine: Sender = openSender({
        spool,
        link,
        clock: Date.now,
        wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        onState: tell,
      });
      sender = mine;
      signal.addEventListener('abort', () => {
        close();
        done();
      });
    });
  }

  return {
    async add(events, document) {
      const stamp = { sentAt: Date.now(), tick: Math.round(performance.now()) };
      await spool.add(
        events.map((event) => ({ ...event, ...stamp })),
        document,
      );
      if (sender) sender.onAdded();
      else tabs.postMessage({ added: true });
    },
    documents: () => spool.documents(),
    close() {
      ended.abort();
      tabs.close();
    },
  };
}
