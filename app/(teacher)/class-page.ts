import { notFound } from 'next/navigation';
import { cache } from 'react';
import type { Tab } from '#app/ui/tabs.tsx';
import { orNotFound, requireViewer } from '#app/viewer.ts';
import type { Action } from '#server/access/viewer.ts';
import { runtime } from '#server/runtime.ts';

export const classHref = (classroom: string) => `/classes/${encodeURIComponent(classroom)}`;

/** Who looks, the permit for a class, and the class; the page of *not found* for everybody who may not. Asked once a request. */
export const openClass = cache(async (id: string, action: Action = 'read') => {
  const viewer = await requireViewer();
  const { access } = runtime();
  const permit = await orNotFound(access.toClass(viewer, id, action));
  return { viewer, permit, classroom: await access.classroomOf(permit) };
});

/**
 * The class's name for the browser's tab. Null for whoever may not see it: a refusal thrown here would end the shell, and
 * the page of *not found* would need JavaScript.
 */
export async function classTitle(id: string): Promise<string | null> {
  try {
    return (await openClass(id)).classroom.name;
  } catch {
    return null;
  }
}

/** Queries that draw a class: the live dashboard first. */
export function classQueries() {
  const queries = runtime()
    .queries()
    .filter(({ about }) => about === 'class');
  return queries.toSorted((a, b) => Number(isLive(b)) - Number(isLive(a)));
}

/** Queries that draw one student. */
export const studentQueries = () =>
  runtime()
    .queries()
    .filter(({ about }) => about === 'student');

const isLive = ({ module, query }: { readonly module: string; readonly query: string }) =>
  module === 'writing' && query === 'class-dashboard';

/** The query at an address, of those that draw a class. */
export function findClassQuery(module: string, query: string) {
  return classQueries().find((card) => card.module === module && card.query === query) ?? notFound();
}

/** Live, one tab for each further query, the roster. */
export function classTabs(classroom: string): readonly Tab[] {
  const base = classHref(classroom);
  const [, ...further] = classQueries();
  return [
    { href: base, label: 'Live' },
    ...further.map(({ module, query, title }) => ({ href: `${base}/${module}/${query}`, label: title })),
    { href: `${base}/roster`, label: 'Roster' },
  ];
}
