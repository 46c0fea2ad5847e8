import { createContext, memo, useContext } from 'react';
import { Icon } from '#app/ui/icons.tsx';
import { duration } from './clock.ts';

/** The server's clock in ms. A context, so that a tick draws the timers again and nothing around them. */
export const NowContext = createContext(0);

/** How long ago `since` (ms) was. */
export const Elapsed = memo(function Elapsed({ since }: { readonly since: number }) {
  return <time>{duration(useContext(NowContext) - since)}</time>;
});

const TIMER_FROM_MS = 60_000;

/** The quiet timer of a card's foot: there from a minute on. */
export const Timer = memo(function Timer({ since }: { readonly since: number }) {
  if (useContext(NowContext) - since < TIMER_FROM_MS) return null;
  return (
    <span className="lo-card__timer">
      <Icon name="timer" size={12} />
      <Elapsed since={since} />
    </span>
  );
});
