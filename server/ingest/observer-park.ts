import type { OldProtocolLimits } from './limits.ts';
import type { Frame } from './observer-frames.ts';

/** What all sockets together keep before their identity or source is known, bytes. */
export type AllParks = { bytes: number };

export type Park = {
  /** False: there is no room for this frame. */
  add(frame: Frame): boolean;
  /** Takes all frames out, oldest first. */
  release(): Frame[];
  first(): Frame | undefined;
  readonly size: number;
};

/** Data events of one socket that cannot be judged yet. `onTooLong` is called once a park has waited its time. */
export function openPark(all: AllParks, limits: OldProtocolLimits, onTooLong: () => void): Park {
  let frames: Frame[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const isRoomy = () => all.bytes < limits.allParksBytes / 2;
  return {
    add(frame) {
      const most = isRoomy() ? limits.roomyParkBytes : limits.parkBytes;
      if (bytes + frame.bytes > most || all.bytes + frame.bytes > limits.allParksBytes) return false;
      frames.push(frame);
      bytes += frame.bytes;
      all.bytes += frame.bytes;
      timer ??= setTimeout(onTooLong, isRoomy() ? limits.roomyParkMs : limits.parkMs);
      return true;
    },
    release() {
      clearTimeout(timer);
      timer = undefined;
      all.bytes -= bytes;
      bytes = 0;
      const released = frames;
      frames = [];
      return released;
    },
    first: () => frames[0],
    get size() {
      return frames.length;
    },
  };
}
