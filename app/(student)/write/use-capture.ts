import { useEffect, useState } from 'react';
import { type Capture, openCapture } from '#app/capture/capture.ts';
import type { SenderState } from '#app/capture/sender.ts';
import type { PadDocument } from '#app/capture/spool.ts';

/** The student's spool for the life of the page. */
export function useCapture(student: string): {
  readonly capture: Capture | undefined;
  readonly documents: readonly PadDocument[] | undefined;
  readonly state: SenderState | undefined;
} {
  const [capture, setCapture] = useState<Capture>();
  const [documents, setDocuments] = useState<readonly PadDocument[]>();
  const [state, setState] = useState<SenderState>();
  useEffect(() => {
    let isGone = false;
    let opened: Capture | undefined;
    void openCapture(student, setState).then(async (fresh) => {
      opened = fresh;
      const found = await fresh.documents();
      if (isGone) return fresh.close();
      setDocuments(found);
      setCapture(fresh);
    });
    return () => {
      isGone = true;
      opened?.close();
    };
  }, [student]);
  return { capture, documents, state };
}
