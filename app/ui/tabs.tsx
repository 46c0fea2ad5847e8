'use client';
import { usePathname } from 'next/navigation';
import { Link } from './link.tsx';

export type Tab = { readonly href: string; readonly label: string };

/** Views of one thing; the one whose address is open is marked. */
export function Tabs({ tabs, label }: { readonly tabs: readonly Tab[]; readonly label: string }) {
  const path = usePathname();
  return (
    <nav className="lo-tabs" aria-label={label}>
      {tabs.map((tab) => (
        <Link key={tab.href} href={tab.href} aria-current={tab.href === path ? 'page' : undefined}>
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}
