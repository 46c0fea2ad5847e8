import { Icon } from '#app/ui/icons.tsx';
import { clockTime } from './clock.ts';
import { minutesOf, qualityOf } from './prepare.ts';
import { dayOf, type StudentRow } from './prepare-student.ts';

type HeadProps = { readonly row: StudentRow; readonly timezone: string };

/** Which text of whom, and its three largest numbers. */
export function StudentHead({ row, timezone }: HeadProps) {
  const quality = qualityOf(row);
  const last = row.growth.at(-1)?.[0];
  return (
    <header className="lo-studenthead">
      <DocumentChoice row={row} timezone={timezone} />
      {last !== undefined && (
        <span className="lo-meta">
          changed {dayOf(last * 1000, timezone)}, {clockTime(last * 1000, timezone)}
        </span>
      )}
      {row.ownPace && <span className="lo-meta">own pace</span>}
      {quality && (
        <span className="lo-quality">
          <Icon name="puzzle" />
          {quality}
        </span>
      )}
      <dl className="lo-facts">
        <Fact value={row.words} label={row.words === 1 ? 'word' : 'words'} />
        <Fact value={minutesOf(row.activeSeconds)} label="min active" />
        <Fact value={row.sessions.length} label={row.sessions.length === 1 ? 'session' : 'sessions'} />
      </dl>
    </header>
  );
}

function Fact({ value, label }: { readonly value: number; readonly label: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <b>{value.toLocaleString('en')}</b>
      </dd>
    </div>
  );
}

/** The student's texts, latest first; the chosen one stands in the address bar. */
function DocumentChoice({ row, timezone }: HeadProps) {
  const isListed = row.documents.some(({ doc }) => doc === row.doc);
  if (row.documents.length < 2 && isListed)
    return <h2 className="lo-studenthead__title">{titleOf(row.title)}</h2>;
  return (
    <>
      <h2 className="lo-sr">{titleOf(row.title)}</h2>
      <span className="select">
        <select
          aria-label="Document"
          value={row.doc ?? ''}
          onChange={(event) => openDocument(event.target.value)}
        >
          {!isListed && <option value={row.doc ?? ''}>{titleOf(row.title)}</option>}
          {row.documents.map(({ doc, title, lastAt }) => (
            <option key={doc} value={doc}>
              {titleOf(title)} — {dayOf(lastAt * 1000, timezone)}
            </option>
          ))}
        </select>
      </span>
    </>
  );
}

const titleOf = (title: string | null) => (title === null || title === '' ? 'Untitled' : title);

/** The document is a param of the query, which the page reads from its address. */
function openDocument(doc: string): void {
  const url = new URL(location.href);
  url.searchParams.set('doc', doc);
  url.searchParams.delete('tab');
  location.assign(url);
}
