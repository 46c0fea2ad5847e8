import NextLink from 'next/link';
import type { ReactNode } from 'react';

/** A link inside the product. Never fetched ahead: a look at a student's page is written down, so it must be a look. */
export function Link(props: {
  readonly href: string;
  readonly className?: string;
  readonly tabIndex?: number;
  readonly 'aria-current'?: 'page';
  readonly 'aria-label'?: string;
  readonly children: ReactNode;
}) {
  return (
    <NextLink prefetch={false} {...props}>
      {props.children}
    </NextLink>
  );
}
