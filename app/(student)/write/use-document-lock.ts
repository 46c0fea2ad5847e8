import { useEffect, useState } from 'react';

/** Whether this tab may change the document: one tab at a time, the next takes over. Undefined until it is known. */
export function useDocumentLock(student: string, doc: string): boolean | undefined {
  const [isMine, setIsMine] = useState<boolean>();
  useEffect(() => {
    const ended = new AbortController();
    const name = `learning-observer-document-${student}-${doc}`;
    const waiting = setTimeout(() => setIsMine((known) => known ?? false), 200);
    navigator.locks
      .request(name, { signal: ended.signal }, () => {
        clearTimeout(waiting);
        setIsMine(true);
        return new Promise<void>((done) => ended.signal.addEventListener('abort', () => done()));
      })
      .catch(() => undefined); // ended before it was our turn
    return () => {
      clearTimeout(waiting);
      ended.abort();
    };
  }, [student, doc]);
  return isMine;
}
