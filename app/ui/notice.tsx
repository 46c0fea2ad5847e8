import type { ReactNode } from 'react';
import { Icon, type IconName } from './icons.tsx';

/** One line: a fact in bold, then what to do. `isUrgent` is read out at once. */
export function Notice(props: {
  readonly tone: 'plain' | 'warn' | 'bad' | 'look' | 'good';
  readonly icon: IconName;
  readonly fact: string;
  readonly isUrgent?: boolean;
  readonly children?: ReactNode;
}) {
  const tone = props.tone === 'plain' ? '' : ` is-${props.tone}`;
  return (
    <div className={`lo-notice${tone}`} role={props.isUrgent ? 'alert' : 'status'}>
      <Icon name={props.icon} size={16} />
      <span>
        <strong>{props.fact}</strong> {props.children}
      </span>
    </div>
  );
}
