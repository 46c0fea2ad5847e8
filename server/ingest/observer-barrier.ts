/** Knows which frames of a socket still wait for their end. Frames are announced in order. */
export type Barrier = {
  /** A frame that will get an end. */
  begin(frame: number): void;
  /** False when the frame had its end before. */
  end(frame: number): boolean;
  /** A frame that needs none. */
  pass(frame: number): void;
  /** Runs once every frame up to this one has its end. */
  after(frame: number, run: () => void): void;
};

/** `onProgress` hears up to which frame everything has its end. */
export function openBarrier(onProgress: (upTo: number) => void): Barrier {
  const unfinished = new Set<number>();
  const waiting: { readonly frame: number; readonly run: () => void }[] = [];
  let last = 0;

  function progress(): void {
    const [first] = unfinished; // sets keep their order, and frames come in order
    const upTo = first === undefined ? last : first - 1;
    onProgress(upTo);
    while (waiting[0] && waiting[0].frame <= upTo) waiting.shift()?.run();
  }

  return {
    begin(frame) {
      last = frame;
      unfinished.add(frame);
    },
    end(frame) {
      const isFirst = unfinished.delete(frame);
      progress();
      return isFirst;
    },
    pass(frame) {
      last = frame;
      progress();
    },
    after(frame, run) {
      waiting.push({ frame, run });
      progress();
    },
  };
}
