import type { ReactNode } from 'react';
import { Icon, type IconName } from './icons.tsx';

export type Tone = 'writing' | 'revising' | 'quiet' | 'look' | 'notstarted' | 'nosignal' | 'noanalysis';

/** Icon and word in the colours of a state; `isSolid` only for what waits for the teacher. */
export function Chip(props: {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly isSolid?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <span className={`lo-state is-${props.tone}${props.isSolid ? ' is-solid' : ''}`}>
      <Icon name={props.icon} />
      {props.children}
    </span>
  );
}
