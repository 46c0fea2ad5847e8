import { Mark } from '#app/ui/mark.tsx';
import { runtime } from '#server/runtime.ts';
import { PaperPattern } from './paper-pattern.tsx';

export const metadata = { title: 'Sign in' };

type DemoPerson = ReturnType<typeof runtime>['auth']['demoPeople'][number];

const AS: Readonly<Record<string, string>> = {
  teacher: 'Open the demo class as the teacher',
  'co-teacher': 'as the co-teacher',
  admin: 'as the administrator',
};

/** The school's account; in demo mode one button for each person of the demo school. Works without JavaScript. */
export default async function SignInPage() {
  const { hasGoogle, demoPeople } = runtime().auth;
  const isDemo = demoPeople.length > 0;
  return (
    <div className="lo-signin">
      <div className="lo-signin__form">
        <header>
          <span className="lo-mark">
            <Mark />
            Learning Observer
          </span>
        </header>
        <main id="content">
          <h1>
            See the writing
            <br />
            while it happens
          </h1>
          {isDemo ? <DemoSignIn people={demoPeople} /> : <SchoolSignIn hasGoogle={hasGoogle} />}
        </main>
      </div>
      <div className="lo-signin__side">
        <PaperPattern />
      </div>
    </div>
  );
}

function SchoolSignIn({ hasGoogle }: { readonly hasGoogle: boolean }) {
  if (!hasGoogle) {
    return <p className="lo-signin__lead">No way to sign in is set up on this server yet.</p>;
  }
  return (
    <>
      <p className="lo-signin__lead">Sign in with the account that your school gave you.</p>
      <a className="button is-link" href="/api/auth/signin/google">
        Sign in with Google
      </a>
      <p className="lo-meta lo-signin__small">
        We ask Google for your name and mail address only. Someone who is signed in on this device now is
        signed out first.
      </p>
    </>
  );
}

function DemoSignIn({ people }: { readonly people: readonly DemoPerson[] }) {
  const staff = people.filter(({ as }) => as !== 'student');
  const teacher = staff.find(({ as }) => as === 'teacher');
  const others = staff.filter((person) => person !== teacher);
  const students = people.filter(({ as }) => as === 'student');
  return (
    <>
      <p className="lo-signin__lead">A demo school with invented people, on this machine only.</p>
      {teacher && (
        <SignInAs email={teacher.email} className="button is-link">
          {AS.teacher}
        </SignInAs>
      )}
      <p className="lo-meta lo-signin__small">Or sign in</p>
      {others.map(({ email, name, as }) => (
        <SignInAs key={email} email={email} className="button">
          {name}{' '}
          <span className="lo-weak">{as === 'teacher' ? 'as another teacher' : (AS[as] ?? `as ${as}`)}</span>
        </SignInAs>
      ))}
      <h2 className="lo-section">As a student, to write</h2>
      <div className="lo-people">
        {students.map(({ email, name }) => (
          <SignInAs key={email} email={email} className="button is-plain">
            {name}
          </SignInAs>
        ))}
      </div>
    </>
  );
}

function SignInAs(props: {
  readonly email: string;
  readonly className: string;
  readonly children: React.ReactNode;
}) {
  return (
    <form method="post" action="/api/dev-sign-in" className="lo-as">
      <button type="submit" name="email" value={props.email} className={props.className}>
        {props.children}
      </button>
    </form>
  );
}
