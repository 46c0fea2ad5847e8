import type { ReactNode } from 'react';
import { TopBar } from '#app/ui/top-bar.tsx';
import { requireViewer } from '#app/viewer.ts';

const TABS = [
  { href: '/write', label: 'Write' },
  { href: '/me', label: 'My page' },
];

/** The bar above a student's own pages. */
export default async function StudentLayout({ children }: { readonly children: ReactNode }) {
  const viewer = await requireViewer();
  return (
    <>
      <TopBar person={viewer.name} tabs={TABS} />
      <div id="content">{children}</div>
    </>
  );
}
