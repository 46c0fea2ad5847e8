import type { ReactNode, Ref } from 'react';

/** A box that scrolls sideways or down when its content is larger; a stop for Tab, so that keys can scroll it. */
export function ScrollBox(props: {
  readonly label: string;
  readonly className?: string;
  readonly ref?: Ref<HTMLElement>;
  readonly children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keys
    <section className={props.className ?? 'lo-scroll'} ref={props.ref} tabIndex={0} aria-label={props.label}>
      {props.children}
    </section>
  );
}
