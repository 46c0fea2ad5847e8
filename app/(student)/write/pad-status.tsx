'use client';
import { Check, CircleSlash, CloudUpload, WifiOff } from 'lucide-react';
import type { SenderState } from '#app/capture/sender.ts';

const REASONS: Readonly<Record<string, string>> = {
  'outside-window': 'Not recording now: it is outside school hours.',
  'collection-off': 'Not recording: your school has switched it off.',
  'paused-by-student': 'Paused: nothing is sent until you go on.',
};

/** Says where the newest words are: on the server, on the way, or on this device. */
export function PadStatus({ state }: { readonly state: SenderState | undefined }) {
  return (
    <p className="lo-pad__status" role="status">
      {state ? words(state) : null}
    </p>
  );
}

function words(state: SenderState) {
  switch (state.kind) {
    case 'connecting':
      return (
        <>
          <CloudUpload /> Connecting…
        </>
      );
    case 'saved':
      return (
        <>
          <Check /> All saved
        </>
      );
    case 'sending':
      return (
        <>
          <CloudUpload /> Saving…
        </>
      );
    case 'offline':
      return (
        <>
          <WifiOff /> No connection.{' '}
          {state.waiting > 0
            ? `${state.waiting} ${state.waiting === 1 ? 'change' : 'changes'} kept on this device.`
            : 'You can go on writing.'}
        </>
      );
    case 'stopped':
      return (
        <>
          <CircleSlash /> {REASONS[state.reason] ?? 'Not recording now.'}
        </>
      );
  }
}
