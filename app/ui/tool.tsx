import type { ReactNode } from 'react';
import { Icon, type IconName } from './icons.tsx';

/** A plain button of a bar: icon and word; the word is for readers alone where the screen is narrow. */
export function Tool(props: {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  readonly isOn?: boolean;
  readonly shortcut?: string;
  readonly children?: ReactNode;
}) {
  return (
    <button
      type="button"
      className={`lo-tool${props.isOn ? ' is-on' : ''}`}
      aria-pressed={props.isOn}
      aria-keyshortcuts={props.shortcut}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
      <span className="lo-tool__label">{props.label}</span>
      {props.children}
    </button>
  );
}
