import { Empty } from '#app/ui/empty.tsx';
import { Icon } from '#app/ui/icons.tsx';
import { Link } from '#app/ui/link.tsx';
import { TopBar } from '#app/ui/top-bar.tsx';
import { requireViewer } from '#app/viewer.ts';
import type { ClassroomSummary } from '#server/roster/roster.ts';
import { runtime } from '#server/runtime.ts';
import { classHref } from '../class-page.ts';

export const metadata = { title: 'Classes' };

/** The teacher's classes. */
export default async function ClassesPage() {
  const viewer = await requireViewer();
  const classrooms = await runtime().roster.listClassrooms(viewer);
  return (
    <>
      <TopBar person={viewer.name} />
      <main className="lo-page" id="content">
        <div className="lo-narrow">
          {classrooms.length === 0 ? <NoClasses /> : <Classes classrooms={classrooms} self={viewer.name} />}
        </div>
      </main>
    </>
  );
}

function NoClasses() {
  return (
    <>
      <h1 className="lo-sr">Classes</h1>
      <Empty
        fact="No classes yet"
        sentence="A class appears here as soon as you are on its roster as a teacher. Your school’s administrator can add you."
      />
    </>
  );
}

type ClassesProps = { readonly classrooms: readonly ClassroomSummary[]; readonly self: string };

function Classes({ classrooms, self }: ClassesProps) {
  return (
    <>
      <header className="lo-pagehead">
        <h1>Classes</h1>
      </header>
      <div className="lo-rows">
        {classrooms.map((classroom) => (
          <Link key={classroom.id} className="lo-row" href={classHref(classroom.id)}>
            <strong>{classroom.name}</strong>
            <span>{countOf(classroom.studentCount)}</span>
            <span>{[classroom.subject, classroom.section].filter(Boolean).join(', ')}</span>
            <span>{teachersOf(classroom, self)}</span>
            <Icon name="chevron-right" size={16} />
          </Link>
        ))}
      </div>
      <p className="lo-meta lo-after-rows">
        A class opens with its live dashboard. Every look is written down.
      </p>
    </>
  );
}

function countOf(students: number): string {
  if (students === 0) return 'no students';
  return students === 1 ? '1 student' : `${students} students`;
}

/** As what one teaches the class, and with whom. */
function teachersOf({ as, teachers }: ClassroomSummary, self: string): string {
  const others = teachers.filter((name) => name !== self).join(', ');
  return others === '' ? as : `${as}, with ${others}`;
}
