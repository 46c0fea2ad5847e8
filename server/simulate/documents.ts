import type { IngestClient } from './ingest-client.ts';
import type { Act, Replace } from './pupil.ts';

/** How one tool reports what a pupil does in one document. */
export type SimulatedDocument = {
  act(act: Act, sentAt: number): void;
  /** Several replacements as one event. */
  replace(changes: readonly Replace[], sentAt: number): void;
};

/** The browser extension in a Google document: 1-based positions, ranges include their end. */
export function googleDocument(client: IngestClient, doc: string, title: string): SimulatedDocument {
  const source = 'org.mitros.writing_analytics';
  const object = {
    id: doc,
    title,
    url: `https://docs.google.com/document/d/${doc}/edit`,
    type: 'http://schema.learning-observer.org/writing-observer/',
  };
  const replace = (changes: readonly Replace[], sentAt: number) => {
    const commands = changes.flatMap(({ pos, cut, put }) => [
      ...(cut > 0 ? [{ ty: 'ds', si: pos + 1, ei: pos + cut }] : []),
      ...(put ? [{ ty: 'is', ibi: pos + 1, s: put }] : []),
    ]);
    client.capture({
      source,
      event: 'google_docs_save',
      sentAt,
      body: { doc_id: doc, url: object.url, bundles: [{ commands }], timestamp: sentAt },
    });
  };
  return {
    replace,
    act(act, sentAt) {
      if (act.do === 'edit') replace([act], sentAt);
      else if (act.do === 'paste') {
        client.capture({
          source,
          event: 'keystroke',
          sentAt,
          body: {
            doc_id: doc,
            object,
            keystroke: { type: 'keydown', key: 'v', code: 'KeyV', ctrlKey: true, timeStamp: sentAt },
          },
        });
        replace([act], sentAt);
      } else if (act.do === 'focus')
        client.capture({ source, event: 'document_loaded', sentAt, body: { doc_id: doc, object } });
      else if (act.do === 'visible')
        client.capture({
          source,
          event: 'visibility',
          sentAt,
          body: { doc_id: doc, object, visibility: { type: 'visibilitychange', timeStamp: sentAt } },
        });
    },
  };
}

/** The built-in writing page. */
export function padDocument(client: IngestClient, doc: string, title: string): SimulatedDocument {
  const source = 'writing-pad';
  let length = 0;
  let isOpen = false;
  const capture = (event: string, body: object, sentAt: number) =>
    client.capture({ source, event, sentAt, body: { doc, ...body } });
  const replace = (changes: readonly Replace[], sentAt: number) => {
    for (const { cut, put } of changes) length += put.length - cut;
    capture('edited', { changes: changes.map(({ pos, cut, put }) => [pos, cut, put]), length }, sentAt);
  };
  return {
    replace,
    act(act, sentAt) {
      if (!isOpen) capture('opened', { title }, sentAt);
      isOpen = true;
      if (act.do === 'edit') replace([act], sentAt);
      else if (act.do === 'paste') {
        capture('hinted', { what: 'paste-key' }, sentAt);
        replace([act], sentAt);
      } else if (act.do === 'focus') capture('focused', { focused: act.focused }, sentAt);
      else if (act.do === 'visible') capture('visibility', { visible: act.visible }, sentAt);
    },
  };
}
