'use client';
import { FilePlus2 } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import type { Capture } from '#app/capture/capture.ts';
import type { PadDocument } from '#app/capture/spool.ts';
import { PadEditor } from './editor.tsx';
import { newDocument, openPadSession } from './pad-session.ts';
import { PadStatus } from './pad-status.tsx';
import { useCapture } from './use-capture.ts';
import { useDocumentLock } from './use-document-lock.ts';

/** The writing page: a student's texts on this device, one of them open. */
export function WritingPad({
  student,
  readers,
}: {
  readonly student: string;
  readonly readers: readonly string[];
}) {
  const { capture, documents: found, state } = useCapture(student);
  const [documents, setDocuments] = useState<readonly PadDocument[]>([]);
  const [openId, setOpenId] = useState<string>();
  useEffect(() => {
    if (!found) return;
    const newestFirst = [...found].sort((a, b) => b.changedAt - a.changedAt);
    const all = newestFirst.length > 0 ? newestFirst : [newDocument(Date.now)];
    setDocuments(all);
    setOpenId(all[0]?.id);
  }, [found]);
  const keep = useCallback((changed: PadDocument) => {
    setDocuments((all) => all.map((document) => (document.id === changed.id ? changed : document)));
  }, []);
  const open = documents.find((document) => document.id === openId);
  const add = () => {
    const fresh = newDocument(Date.now);
    setDocuments((all) => [fresh, ...all]);
    setOpenId(fresh.id);
  };
  return (
    <main className="lo-pad">
      <header className="lo-pad__head">
        <h1 className="lo-pad__h1">Write</h1>
        <label className="lo-pad__choice">
          <span>Text</span>
          <select
            value={openId ?? ''}
            onChange={(event) => setOpenId(event.target.value)}
            disabled={documents.length < 2}
          >
            {documents.map((document) => (
              <option key={document.id} value={document.id}>
                {document.title || 'Untitled'}
              </option>
            ))}
          </select>
        </label>
        <button type="button" className="lo-tool" onClick={add} disabled={!capture}>
          <FilePlus2 />
          New text
        </button>
        <PadStatus state={state} />
      </header>
      {capture && open ? (
        <OpenDocument key={open.id} student={student} capture={capture} document={open} onChanged={keep} />
      ) : (
        <p className="lo-pad__opening">Opening your texts…</p>
      )}
      <footer className="lo-pad__foot">
        {readers.length > 0
          ? `${readers.join(' and ')} can read along while you write.`
          : 'Your teacher can read along while you write.'}{' '}
        What is kept: each change of the text and its time. <a href="/me">See what is kept about you</a>
      </footer>
    </main>
  );
}

function OpenDocument({
  student,
  capture,
  document,
  onChanged,
}: {
  readonly student: string;
  readonly capture: Capture;
  readonly document: PadDocument;
  readonly onChanged: (document: PadDocument) => void;
}) {
  const [words, setWords] = useState(0);
  const [title, setTitle] = useState(document.title);
  const isMine = useDocumentLock(student, document.id);
  // One session for the life of this component, which is keyed by student and document: the document changes with each key.
  const [session] = useState(() => openPadSession({ capture, document, clock: Date.now, onChanged }));
  useEffect(() => {
    const tell = () => session.visible(globalThis.document.visibilityState === 'visible');
    globalThis.document.addEventListener('visibilitychange', tell);
    return () => globalThis.document.removeEventListener('visibilitychange', tell);
  }, [session]);
  useEffect(() => {
    const timer = setTimeout(() => session.titled(title.trim()), 500);
    return () => clearTimeout(timer);
  }, [session, title]);
  return (
    <section className="lo-pad__sheet" aria-label={document.title || 'Untitled'}>
      {isMine === false && (
        <p className="lo-notice" role="alert">
          This text is open in another tab. Close it there to go on here.
        </p>
      )}
      <input
        className="lo-pad__title"
        aria-label="Title"
        placeholder="Title"
        maxLength={300}
        value={title}
        readOnly={!isMine}
        onChange={(event) => setTitle(event.target.value)}
        onBlur={() => session.titled(title.trim())}
      />
      <PadEditor session={session} document={document} isReadOnly={!isMine} onWords={setWords} />
      <p className="lo-pad__count">
        <b>{words.toLocaleString('en')}</b> {words === 1 ? 'word' : 'words'}
      </p>
    </section>
  );
}
