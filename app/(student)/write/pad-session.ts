import type { Editor } from '@tiptap/react';
import type { Capture } from '#app/capture/capture.ts';
import { changeBetween } from '#app/capture/plain-text.ts';
import type { PadDocument } from '#app/capture/spool.ts';

type Event = { readonly event: string; readonly body: Readonly<Record<string, unknown>> };
type Transaction = Parameters<NonNullable<Editor['options']['onTransaction']>>[0]['transaction'];

const PASTE_KEY_MS = 500;
const MOVE_EVERY_MS = 5000;

/** Blocks are lines; nothing else of the layout is text. */
export function plainText(editor: Pick<Editor, 'state'>): string {
  const { doc } = editor.state;
  return doc.textBetween(0, doc.content.size, '\n');
}

/** Turns what happens in one document's editor into events, each stored together with the document it leads to. */
export function openPadSession({
  capture,
  document,
  clock,
  onChanged,
}: {
  readonly capture: Capture;
  readonly document: PadDocument;
  readonly clock: () => number;
  readonly onChanged: (document: PadDocument) => void;
}) {
  let current = document;
  let text: string | undefined;
  let pasteKeyAt = Number.NEGATIVE_INFINITY;
  let movedAt = Number.NEGATIVE_INFINITY;

  const store = (events: readonly Event[], changed?: Partial<PadDocument>) => {
    if (changed) {
      current = { ...current, ...changed, changedAt: clock() };
      onChanged(current);
    }
    void capture.add(
      events.map(({ event, body }) => ({ source: 'writing-pad', event, body: { doc: current.id, ...body } })),
      changed ? current : undefined,
    );
  };

  const hintOf = (transaction: Transaction): Event[] => {
    if (transaction.getMeta('history$')) return [{ event: 'hinted', body: { what: 'undo' } }];
    if (transaction.getMeta('uiEvent') !== 'paste') return [];
    return [
      { event: 'hinted', body: { what: clock() - pasteKeyAt < PASTE_KEY_MS ? 'paste-key' : 'paste-menu' } },
    ];
  };

  return {
    /** The text as the editor shows it when it opens; changes are told from here on. */
    begin(editor: Editor) {
      text = plainText(editor);
      store([{ event: 'opened', body: { title: current.title || null } }]);
    },
    transacted(editor: Editor, transaction: Transaction) {
      if (!transaction.docChanged || text === undefined) return;
      const after = plainText(editor);
      const cursor = editor.state.doc.textBetween(0, editor.state.selection.head, '\n').length;
      const change = changeBetween(text, after, cursor);
      text = after;
      const edited: Event[] = change
        ? [{ event: 'edited', body: { changes: [change], length: after.length } }]
        : [];
      store(change ? [...hintOf(transaction), ...edited] : [], { content: editor.getJSON() });
    },
    titled(title: string) {
      if (title !== current.title) store([{ event: 'titled', body: { title } }], { title });
    },
    pressed(event: KeyboardEvent) {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'v') pasteKeyAt = clock();
    },
    moved() {
      if (clock() - movedAt < MOVE_EVERY_MS) return;
      movedAt = clock();
      store([{ event: 'moved', body: {} }]);
    },
    focused(focused: boolean) {
      store([{ event: 'focused', body: { focused } }]);
    },
    visible(visible: boolean) {
      store([{ event: 'visibility', body: { visible } }]);
    },
  };
}

export type PadSession = ReturnType<typeof openPadSession>;

/** A fresh document; it exists on the server from its first event on. */
export function newDocument(clock: () => number): PadDocument {
  const at = clock();
  return { id: `pad-${crypto.randomUUID()}`, title: '', content: null, createdAt: at, changedAt: at };
}
