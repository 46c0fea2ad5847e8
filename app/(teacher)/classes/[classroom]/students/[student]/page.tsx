import { notFound } from 'next/navigation';
import { documentParams, type Search } from '#app/document-params.ts';
import { LivePage } from '#app/live/live-page.tsx';
import { TopBar } from '#app/ui/top-bar.tsx';
import { orNotFound } from '#app/viewer.ts';
import { runtime } from '#server/runtime.ts';
import { classHref, classQueries, openClass, studentQueries } from '../../../../class-page.ts';

type Props = {
  readonly params: Promise<{ readonly classroom: string; readonly student: string }>;
  readonly searchParams: Promise<Search>;
};

/** One student, seen through one class. */
export default async function StudentPage({ params, searchParams }: Props) {
  const asked = await params;
  const { viewer, classroom } = await openClass(asked.classroom);
  const { access, roster } = runtime();
  const permit = await orNotFound(access.toStudent(viewer, asked.student, 'read', classroom.id));
  const student = await roster.getStudent(permit);
  const [live] = classQueries();
  const [query] = studentQueries();
  if (!query) notFound();
  const base = classHref(classroom.id);
  return (
    <>
      <TopBar
        person={viewer.name}
        crumbs={[
          { href: '/classes', label: 'Classes' },
          { href: base, label: classroom.name },
        ]}
        here={student.name}
        isHeading
      />
      <main className="lo-page" id="content">
        {live && (
          <LivePage
            classroom={classroom}
            module={live.module}
            query={live.query}
            student={student.id}
            studentBase={`${base}/students`}
          />
        )}
        <LivePage
          classroom={classroom}
          module={query.module}
          query={query.query}
          student={student.id}
          params={documentParams(await searchParams)}
          studentBase={`${base}/students`}
        />
      </main>
    </>
  );
}
