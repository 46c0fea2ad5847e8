'use client';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { Icon, type IconName } from './icons.tsx';

export type Choice<Value extends string> = { readonly value: Value; readonly label: string };

/** A button that opens a list of choices, one of them in force. Choosing the one in force tells `onChoose` again. */
export function Menu<Value extends string>(props: {
  readonly icon: IconName;
  readonly label: string;
  readonly choices: readonly Choice<Value>[];
  readonly chosen: Value;
  readonly onChoose: (value: Value) => void;
}) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const id = useId();
  // Once, when it opens: what is live draws the menu again and again, and must not take the focus back.
  useEffect(() => {
    if (isOpen) place.current?.querySelector<HTMLElement>('[aria-checked="true"]')?.focus();
  }, [isOpen]);
  const close = () => {
    setOpen(false);
    place.current?.querySelector('button')?.focus();
  };
  const choose = (value: Value) => {
    close();
    props.onChoose(value);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears the keys and the leaving of the buttons in it
    <div
      className="lo-menuplace"
      ref={place}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
      onKeyDown={(event) => {
        if (isOpen) moveInside(event, close);
      }}
    >
      <button
        type="button"
        className="lo-tool"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name={props.icon} />
        <span className="lo-tool__label">{props.label}</span>
      </button>
      {isOpen && (
        <div className="lo-menu" role="menu" id={id}>
          {props.choices.map(({ value, label }) => (
            <button
              key={value}
              type="button"
              role="menuitemradio"
              aria-checked={value === props.chosen}
              onClick={() => choose(value)}
            >
              <Icon name="check" />
              {label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function moveInside(event: KeyboardEvent<HTMLElement>, close: () => void): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === 'Escape') close();
  if (!step) return;
  event.preventDefault();
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="menuitemradio"]')];
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + step + items.length) % items.length]?.focus();
}
