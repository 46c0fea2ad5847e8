import { Fragment } from 'react';
import { Link } from './link.tsx';
import { Mark } from './mark.tsx';
import { type Tab, Tabs } from './tabs.tsx';

export type Crumb = { readonly href: string; readonly label: string };

type TopBarProps = {
  readonly person: string;
  readonly crumbs?: readonly Crumb[];
  /** Where one is; the page's heading if `isHeading`. */
  readonly here?: string;
  readonly isHeading?: boolean;
  readonly tabs?: readonly Tab[];
};

/** The bar at the top of every page: mark, place, views, person, sign-out. */
export function TopBar({ person, crumbs = [], here, isHeading = false, tabs = [] }: TopBarProps) {
  return (
    <header className="lo-topbar">
      <Link className="lo-mark" href="/" aria-label="Learning Observer, start">
        <Mark />
        {here === undefined && 'Learning Observer'}
      </Link>
      {here !== undefined && (
        <nav className="lo-crumbs" aria-label="Where you are">
          {crumbs.map(({ href, label }) => (
            <Fragment key={href}>
              <Link className="lo-wideonly" href={href}>
                {label}
              </Link>
              <span className="lo-wideonly">/</span>
            </Fragment>
          ))}
          {isHeading ? <h1>{here}</h1> : <strong>{here}</strong>}
        </nav>
      )}
      {tabs.length > 0 && <Tabs tabs={tabs} label="Views" />}
      <div className="lo-push lo-user">
        <span className="lo-wideonly">{person}</span>
        <span className="lo-initials" aria-hidden="true">
          {initialsOf(person)}
        </span>
        <form method="post" action="/api/sign-out" className="lo-signout">
          <button type="submit" className="lo-tool">
            Sign out
          </button>
        </form>
      </div>
    </header>
  );
}

/** First letters of the first and the last word of a name. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...(word ?? '')][0]?.toUpperCase() ?? '').join('');
}
