import { notFound } from 'next/navigation';
import { LiveDashboard } from '#app/live/live-dashboard.tsx';
import { TopBar } from '#app/ui/top-bar.tsx';
import { documentParams, type Search } from '#app/document-params.ts';
import { orNotFound } from '#app/viewer.ts';
import { runtime } from '#server/runtime.ts';
import { classHref, openClass, studentQueries } from '../../../../class-page.ts';

type Props = {
  readonly params: Promise<{ readonly classroom: string; readonly student: string }>;
  readonly searchParams: Promise<Search>;
};

/** One student, seen through one class. */
export default async function StudentPage({ params, searchParams }: Props) {
  const asked = await params;
  const { viewer, classroom } = await openClass(asked.classroom);
  const { access, roster } = runtime();
  const permit = await orNotFound(
    access.toStudent(viewer, decodeURIComponent(asked.student), 'read', classroom.id),
  );
  const student = await roster.getStudent(permit);
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
      />
      <main className="lo-page" id="content">
        <LiveDashboard
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
