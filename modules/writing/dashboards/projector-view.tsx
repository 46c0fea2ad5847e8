import { useState } from 'react';
import { LineView } from '#app/charts/line.tsx';
import { Icon } from '#app/ui/icons.tsx';
import { Segment } from '#app/ui/segment.tsx';
import { Tool } from '#app/ui/tool.tsx';
import { LiveDot } from './class-bar.tsx';
import { clockTime } from './clock.ts';
import { minutesOf, type Prepared } from './prepare.ts';
import { type ClassTotals, shuffled, totalsOf } from './projector.ts';
import { StateChip } from './state-chip.tsx';
import { useKeys } from './use-keys.ts';
import { useLetters } from './use-letters.ts';
import type { Face } from './use-view.ts';

const FACES = [
  { value: 'projector', label: 'Class' },
  { value: 'projector-cards', label: 'Cards' },
] as const;

type ProjectorProps = {
  readonly students: readonly Prepared[];
  readonly classroom: { readonly id: string; readonly name: string; readonly timezone: string };
  readonly lesson: string | null;
  readonly isLive: boolean;
  readonly now: number;
  readonly face: Face;
  readonly setFace: (face: Face) => void;
};

/** What a class may see on the wall: totals, or cards without names and words. */
export function Projector(props: ProjectorProps) {
  const { students, classroom, lesson, isLive, now, face, setFace } = props;
  const isCards = face === 'projector-cards';
  const [letters] = useLetters();
  useKeys(letters, (act) => {
    if (act.does === 'projector') setFace('cards');
  });
  return (
    <div className="lo-dash lo-projector">
      <header className="lo-projector__bar">
        <h1>{classroom.name}</h1>
        <LiveDot isLive={isLive} />
        {lesson && <span className="lo-wideonly">Lesson since {lesson}</span>}
        <Segment
          label="Projector shows"
          choices={FACES}
          chosen={isCards ? 'projector-cards' : 'projector'}
          onChoose={setFace}
        />
        <span className="lo-push lo-hidden-names">
          <Icon name="eye-off" size={20} />
          names hidden
        </span>
        <Tool icon="x" label="Leave" shortcut="p" onClick={() => setFace('cards')} />
      </header>
      {isCards ? (
        <AliasCards students={students} seed={classroom.id} />
      ) : (
        <Totals totals={totalsOf(students, now)} timezone={classroom.timezone} />
      )}
    </div>
  );
}

function Totals({ totals, timezone }: { readonly totals: ClassTotals; readonly timezone: string }) {
  const [isTable, setTable] = useState(false);
  const timeOf = (ms: number) => clockTime(ms, timezone);
  const points = totals.perMinute.map(({ at, words }) => ({ at, value: words }));
  return (
    <>
      <dl className="lo-figures">
        <Figure label="words per minute, the whole class" value={totals.wordsPerMinute} />
        <Figure label="writing or revising now" value={totals.atWork} of={totals.students} />
        <Figure label="words in all texts" value={totals.words} />
      </dl>
      <div>
        <p className="lo-projector__title">
          words per minute, last 15 minutes
          <Tool icon="table-2" label="Table" isOn={isTable} onClick={() => setTable(!isTable)} />
        </p>
        {isTable ? (
          <MinuteTable totals={totals} timeOf={timeOf} />
        ) : (
          <LineView
            points={points}
            timeOf={timeOf}
            label={`Words per minute of the class in the last 15 minutes, now ${totals.wordsPerMinute}`}
          />
        )}
      </div>
    </>
  );
}

function Figure({
  label,
  value,
  of,
}: {
  readonly label: string;
  readonly value: number;
  readonly of?: number;
}) {
  return (
    <div className="lo-figure">
      <dt>{label}</dt>
      <dd>
        {value.toLocaleString('en')}
        {of !== undefined && <small>of {of}</small>}
      </dd>
    </div>
  );
}

function MinuteTable({
  totals,
  timeOf,
}: {
  readonly totals: ClassTotals;
  readonly timeOf: (ms: number) => string;
}) {
  return (
    <div className="lo-tablebox">
      <table className="table lo-table">
        <caption>Words added minus words removed, by minute, of the whole class.</caption>
        <thead>
          <tr>
            <th scope="col">Minute to</th>
            <th scope="col" className="is-number">
              Words
            </th>
          </tr>
        </thead>
        <tbody>
          {totals.perMinute.map(({ at, words }) => (
            <tr key={at}>
              <td>{timeOf(at)}</td>
              <td className="is-number">{words}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function AliasCards({ students, seed }: { readonly students: readonly Prepared[]; readonly seed: string }) {
  return (
    <section className="lo-grid lo-projector__cards" aria-label="Students without names">
      {shuffled(students, seed).map(({ row, state }, i) => (
        <article key={row.student.id} className="lo-card">
          <header className="lo-card__head">
            <h2 className="lo-card__name">Writer {i + 1}</h2>
            <StateChip {...state} />
          </header>
          <footer className="lo-card__foot">
            <span className="lo-card__words">
              <b>{row.words.toLocaleString('en')}</b>words
            </span>
            <span className="lo-card__time">{minutesOf(row.activeSeconds)} min</span>
          </footer>
        </article>
      ))}
    </section>
  );
}
