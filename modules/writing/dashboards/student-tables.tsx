import { ScrollBox } from '#app/ui/scroll-box.tsx';
import { clockTime } from './clock.ts';
import { minutesOf } from './prepare.ts';
import { dayOf, figuresOf, pasteWords, type StudentRow } from './prepare-student.ts';

type Point = { readonly at: number; readonly length: number; readonly activeSeconds: number };

/** The growth curve's numbers. */
export function GrowthTable({
  points,
  timezone,
}: {
  readonly points: readonly Point[];
  readonly timezone: string;
}) {
  return (
    <ScrollBox className="lo-tallscroll" label="Growth as a table">
      <table className="table lo-table">
        <caption>Length of the text after each change that the curve shows; at most 300 points.</caption>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col">Time</th>
            <th scope="col" className="is-number">
              Characters
            </th>
            <th scope="col" className="is-number">
              Active min
            </th>
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={`${point.at} ${point.length}`}>
              <td>{dayOf(point.at, timezone)}</td>
              <td>{clockTime(point.at, timezone)}</td>
              <td className="is-number">{point.length.toLocaleString('en')}</td>
              <td className="is-number">{minutesOf(point.activeSeconds)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

/** Insertions of 20 characters and more, the newest first; facts about the text, not about the student. */
export function PastesTable({ row, timezone }: { readonly row: StudentRow; readonly timezone: string }) {
  return (
    <ScrollBox label="Insertions">
      <table className="table lo-table">
        <caption>
          New: share of the words that were not in the text before. This describes an event, not its reason.
          Ask, and look at the text.
        </caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col" className="is-number">
              Characters
            </th>
            <th scope="col">What it was</th>
            <th scope="col" className="is-number">
              New
            </th>
            <th scope="col">Seen by</th>
          </tr>
        </thead>
        <tbody>
          {row.pastes.toReversed().map((paste) => (
            <tr key={`${paste.at} ${paste.pos} ${paste.n}`}>
              <td className="lo-nowrap">
                {dayOf(paste.at * 1000, timezone)}, {clockTime(paste.at * 1000, timezone)}
              </td>
              <td className="is-number">{paste.n.toLocaleString('en')}</td>
              <td className="is-name">{pasteWords(paste)}</td>
              <td className="is-number">{paste.novelty.toFixed(2)}</td>
              <td className="lo-weak">{paste.sure ? 'its key' : 'its speed'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

/** Each number with how it is counted. */
export function FiguresTable({ row }: { readonly row: StudentRow }) {
  return (
    <ScrollBox label="Numbers">
      <table className="table lo-table">
        <caption className="lo-sr">Numbers of this document</caption>
        <thead>
          <tr>
            <th scope="col">Number</th>
            <th scope="col" className="is-number">
              Value
            </th>
            <th scope="col" className="is-definition">
              How it is counted
            </th>
          </tr>
        </thead>
        <tbody>
          {figuresOf(row).map(({ name, value, definition }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className="is-number is-key">{value}</td>
              <td className="is-definition">{definition}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
