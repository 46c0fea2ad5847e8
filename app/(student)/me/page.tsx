import { notFound } from 'next/navigation';
import { documentParams, type Search } from '#app/document-params.ts';
import { LivePage } from '#app/live/live-page.tsx';
import { Link } from '#app/ui/link.tsx';
import { orNotFound, requireViewer } from '#app/viewer.ts';
import { runtime } from '#server/runtime.ts';
import { WhatIsKept } from './what-is-kept.tsx';

export const metadata = { title: 'My page' };

/** A student's own page: what is collected, and the same numbers and words that the teacher sees. */
export default async function MyPage({ searchParams }: { readonly searchParams: Promise<Search> }) {
  const viewer = await requireViewer();
  const { access, roster, queries } = runtime();
  const [own] = await roster.listOwnClassrooms(viewer);
  if (!own) notFound();
  const permit = await orNotFound(access.toStudent(viewer, viewer.personId, 'read', own.id));
  const classroom = await access.classroomOf(permit);
  const live = queries().find(({ module, query }) => module === 'writing' && query === 'class-dashboard');
  const query = queries().find(({ about }) => about === 'student');
  return (
    <main className="lo-page">
      <div className="lo-narrow">
        <header className="lo-pagehead">
          <h1>My page</h1>
          <span className="lo-push" />
          <Link className="button is-link" href="/write">
            Write
          </Link>
        </header>
        <WhatIsKept teachers={own.teachers} />
        <h2 className="lo-section">What your teacher sees now</h2>
        {live && (
          <LivePage
            classroom={classroom}
            module={live.module}
            query={live.query}
            student={viewer.personId}
            studentBase="/me#"
          />
        )}
        {query && (
          <LivePage
            classroom={classroom}
            module={query.module}
            query={query.query}
            student={viewer.personId}
            params={documentParams(await searchParams)}
            studentBase="/me#"
          />
        )}
      </div>
    </main>
  );
}
