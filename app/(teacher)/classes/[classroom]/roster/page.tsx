import type { Search } from '#app/document-params.ts';
import { Field } from '#app/ui/field.tsx';
import { Link } from '#app/ui/link.tsx';
import { Notice } from '#app/ui/notice.tsx';
import { ScrollBox } from '#app/ui/scroll-box.tsx';
import { TopBar } from '#app/ui/top-bar.tsx';
import type { RosterStudent } from '#server/roster/roster.ts';
import { runtime } from '#server/runtime.ts';
import { classHref, classTabs, openClass } from '../../../class-page.ts';
import { addStudent, removeStudent } from './change-roster.ts';

export const metadata = { title: 'Roster' };

type Props = {
  readonly params: Promise<{ readonly classroom: string }>;
  readonly searchParams: Promise<Search>;
};

/** Who is in a class, and since when. */
export default async function RosterPage({ params, searchParams }: Props) {
  const { viewer, permit, classroom } = await openClass((await params).classroom);
  const students = await runtime().roster.listStudents(permit);
  const { removed, added, unknown } = await searchParams;
  return (
    <>
      <TopBar
        person={viewer.name}
        crumbs={[{ href: '/classes', label: 'Classes' }]}
        here={classroom.name}
        isHeading
        tabs={classTabs(classroom.id)}
      />
      <main className="lo-page" id="content">
        <div className="lo-narrow">
          <header className="lo-pagehead">
            <h2>Roster</h2>
            <span className="lo-weak">
              {students.length === 1 ? '1 student' : `${students.length} students`}
            </span>
          </header>
          {typeof removed === 'string' && <Removed classroom={classroom.id} student={removed} />}
          {typeof added === 'string' && (
            <Notice
              tone="good"
              icon="check"
              fact={`${nameOf(students, added)} is in the class from now on.`}
            />
          )}
          <section className="lo-panel lo-roster">
            {students.length === 0 ? (
              <p className="lo-none">No students yet. Add the first one below.</p>
            ) : (
              <RosterTable students={students} classroom={classroom} />
            )}
            <AddForm classroom={classroom.id} unknown={typeof unknown === 'string' ? unknown : undefined} />
          </section>
        </div>
      </main>
    </>
  );
}

const nameOf = (students: readonly RosterStudent[], id: string) =>
  students.find((student) => student.id === id)?.name ?? 'The student';

function Removed({ classroom, student }: { readonly classroom: string; readonly student: string }) {
  return (
    <form action={addStudent} className="lo-undo">
      <input type="hidden" name="classroom" value={classroom} />
      <input type="hidden" name="student" value={student} />
      <Notice tone="plain" icon="check" fact="The student left the class from now on.">
        What was written stays.{' '}
        <button type="submit" className="button is-small">
          Undo
        </button>
      </Notice>
    </form>
  );
}

type RosterTableProps = {
  readonly students: readonly RosterStudent[];
  readonly classroom: { readonly id: string; readonly timezone: string };
};

function RosterTable({ students, classroom }: RosterTableProps) {
  const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: classroom.timezone });
  return (
    <ScrollBox label="Students of this class">
      <table className="table lo-table">
        <caption className="lo-sr">Students of this class</caption>
        <thead>
          <tr>
            <th scope="col">Student</th>
            <th scope="col">Family name</th>
            <th scope="col">Given name</th>
            <th scope="col">Address</th>
            <th scope="col">Since</th>
            <th scope="col">From</th>
            <th scope="col">
              <span className="lo-sr">Change</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {students.map((student) => (
            <tr key={student.id}>
              <th scope="row">
                <Link
                  className="lo-link"
                  href={`${classHref(classroom.id)}/students/${encodeURIComponent(student.id)}`}
                >
                  {student.name}
                </Link>
              </th>
              <td>{student.familyName}</td>
              <td>{student.givenName}</td>
              <td className="lo-weak">{student.email ?? '—'}</td>
              <td className="lo-nowrap">{day.format(student.since)}</td>
              <td className="lo-weak">{student.source === 'hand' ? 'by hand' : student.source}</td>
              <td>
                <form action={removeStudent}>
                  <input type="hidden" name="classroom" value={classroom.id} />
                  <input type="hidden" name="student" value={student.id} />
                  <button
                    type="submit"
                    className="button is-small is-plain"
                    aria-label={`Remove ${student.name} from the class`}
                  >
                    Remove
                  </button>
                </form>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function AddForm({
  classroom,
  unknown,
}: {
  readonly classroom: string;
  readonly unknown: string | undefined;
}) {
  return (
    <form action={addStudent} className="lo-form-row">
      <input type="hidden" name="classroom" value={classroom} />
      <Field
        id="student-id"
        name="student"
        label="Add a student"
        help="The student’s id in this school: the last part of the address of the student’s page."
        defaultValue={unknown}
        error={
          unknown === undefined
            ? undefined
            : 'No student of this school has this id. Give one from the school’s list.'
        }
      />
      <button type="submit" className="button">
        Add to the class
      </button>
    </form>
  );
}
