import { useContext } from 'react';
import { Link } from '#app/ui/link.tsx';
import { ScrollBox } from '#app/ui/scroll-box.tsx';
import { binsAt, sumOf } from './bins.ts';
import { clockTime } from './clock.ts';
import { NowContext } from './now.tsx';
import { minutesOf, type Prepared, qualityOf } from './prepare.ts';
import { StateChip } from './state-chip.tsx';

type TableProps = {
  readonly students: readonly Prepared[];
  readonly waiting: ReadonlySet<string>;
  readonly slot: number;
  readonly timezone: string;
  readonly studentHref: (student: string) => string;
};

/** The same numbers as the cards, as a table. */
export function ClassTable({ students, waiting, slot, timezone, studentHref }: TableProps) {
  const now = useContext(NowContext);
  return (
    <ScrollBox className="lo-tablebox" label="Students as a table">
      <table className="table lo-table">
        <caption>
          As of {clockTime(now, timezone)}. Active minutes count gaps up to 60 s. Added and removed:
          characters of the last 15 minutes.
        </caption>
        <thead>
          <tr>
            <th scope="col">Student</th>
            <th scope="col">Now</th>
            <th scope="col" className="is-number">
              Words
            </th>
            <th scope="col" className="is-number">
              Active min
            </th>
            <th scope="col" className="is-number">
              Last change
            </th>
            <th scope="col" className="is-number">
              Added
            </th>
            <th scope="col" className="is-number">
              Removed
            </th>
            <th scope="col">Document</th>
            <th scope="col">Note</th>
          </tr>
        </thead>
        <tbody>
          {students.map(({ row, state }) => {
            const [added, removed] = sumOf(binsAt(row, slot));
            return (
              <tr key={row.student.id}>
                <th scope="row" className="is-name">
                  <Link href={studentHref(row.student.id)} className="lo-link">
                    {row.student.name}
                  </Link>
                </th>
                <td>
                  <StateChip {...state} isWaiting={waiting.has(row.student.id)} />
                </td>
                <td className="is-number is-key">{row.words.toLocaleString('en')}</td>
                <td className="is-number">{minutesOf(row.activeSeconds)}</td>
                <td className="is-number">
                  {row.wroteAt === null ? '—' : clockTime(row.wroteAt * 1000, timezone)}
                </td>
                <td className="is-number">{added.toLocaleString('en')}</td>
                <td className="is-number">{removed.toLocaleString('en')}</td>
                <td>{row.title ?? '—'}</td>
                <td className="lo-weak">{qualityOf(row)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </ScrollBox>
  );
}
