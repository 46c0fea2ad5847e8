'use client';
import './class-dashboard.css';
import './class-details.css';
import './queue.css';
import './projector.css';
import { type FocusEvent, useRef, useState } from 'react';
import { HatchPattern } from '#app/charts/hatch.tsx';
import { Empty } from '#app/ui/empty.tsx';
import { Link } from '#app/ui/link.tsx';
import { Notice } from '#app/ui/notice.tsx';
import { slotOf } from './bins.ts';
import { Card } from './card.tsx';
import { cardPropsOf } from './card-props.ts';
import { ClassBar } from './class-bar.tsx';
import type { ClassDashboardProps } from './class-row.ts';
import { clockTime, startOfDay } from './clock.ts';
import { DisplayDialog } from './display-dialog.tsx';
import type { KeyAct } from './keys.ts';
import { NowContext } from './now.tsx';
import { countWords, filterStudents, lessonOf, type Prepared, prepareClass } from './prepare.ts';
import { Projector } from './projector-view.tsx';
import { queueOf, waitingIds } from './queue.ts';
import { QueuePlace, QueueVoice, Reason } from './queue-place.tsx';
import { ClassTable } from './table.tsx';
import { useKeys } from './use-keys.ts';
import { useLetters } from './use-letters.ts';
import { useOrder } from './use-order.ts';
import { useView, type View } from './use-view.ts';

const COMPACT_FROM = 32;

/** *Who is writing right now?* — a card per student, the six counts, and who waits for the teacher. */
export default function ClassDashboard(props: ClassDashboardProps) {
  const { rows, params, now, trouble, classroom } = props;
  const dayStartsAt = startOfDay(now, classroom.timezone);
  const lessonAt = lessonOf(props.frame, rows, dayStartsAt);
  const view = useView();
  if (rows.length === 0) return <NoStudents classroom={classroom.id} />;
  const students = prepareClass({ rows, params, now, lessonAt, dayStartsAt, trouble });
  const lesson = lessonAt === null ? null : clockTime(lessonAt, classroom.timezone);
  if (view.face.startsWith('projector')) {
    return (
      <NowContext value={now}>
        <Projector {...props} {...view} students={students} lesson={lesson} />
      </NowContext>
    );
  }
  return <Room {...props} view={view} students={students} lesson={lesson} />;
}

function NoStudents({ classroom }: { readonly classroom: string }) {
  return (
    <Empty
      fact="No students yet"
      sentence="As soon as students are on the roster, each one has a card here, whether they write or not."
    >
      <Link className="button is-link" href={`/classes/${encodeURIComponent(classroom)}/roster`}>
        Open the roster
      </Link>
    </Empty>
  );
}

type RoomProps = ClassDashboardProps & {
  readonly view: View;
  readonly students: readonly Prepared[];
  readonly lesson: string | null;
};

function Room(props: RoomProps) {
  const { rows, params, now, isLive, classroom, view, students } = props;
  const grid = useRef<HTMLElement>(null);
  const [isFinding, setFinding] = useState(false);
  const [isHelp, setHelp] = useState(false);
  const [letters, setLetters] = useLetters();
  const { ordered, sort } = useOrder(students, view.order, grid);
  const shown = filterStudents(ordered, view.filter);
  const lines = queueOf(students, params, now, (ms) => clockTime(ms, classroom.timezone));
  const isOne = rows.length === 1;
  useKeys(letters && !isOne, (act) => follow(act, view, { setFinding, setHelp }));
  return (
    <NowContext value={now}>
      <div className={`lo-dash${isLive ? '' : ' is-stale'}`}>
        <HatchPattern />
        <Notices {...props} />
        {!isOne && (
          <ClassBar
            isLive={isLive}
            counts={countWords(students)}
            view={view}
            shown={shown.length}
            all={rows.length}
            flagged={rows.filter((row) => row.flags.length > 0).length}
            lesson={props.lesson}
            isFinding={isFinding}
            setFinding={setFinding}
            onOrder={(order) => {
              view.setOrder(order);
              sort();
            }}
            onHelp={() => setHelp(true)}
          />
        )}
        {isOne && lines[0] && <Reason line={lines[0]} timezone={classroom.timezone} />}
        <div className={`lo-dashboard${isOne ? ' is-alone' : ''}`}>
          <Students {...props} grid={grid} shown={shown} waiting={waitingIds(lines)} />
          {!isOne && <QueuePlace lines={lines} timezone={classroom.timezone} />}
        </div>
        <QueueVoice lines={lines} now={now} />
        {isHelp && (
          <DisplayDialog
            letters={letters}
            setLetters={setLetters}
            isCompact={view.isCompact || rows.length >= COMPACT_FROM}
            setCompact={view.setCompact}
            onClose={() => setHelp(false)}
          />
        )}
      </div>
    </NowContext>
  );
}

function follow(
  act: Exclude<KeyAct, { does: 'move' }>,
  view: View,
  open: { readonly setFinding: (on: boolean) => void; readonly setHelp: (on: boolean) => void },
): void {
  if (act.does === 'filter') view.toggleWord(act.word);
  if (act.does === 'clear') view.clear();
  if (act.does === 'find') open.setFinding(true);
  if (act.does === 'help') open.setHelp(true);
  if (act.does === 'table') view.setFace(view.face === 'table' ? 'cards' : 'table');
  if (act.does === 'projector') view.setFace('projector');
}

/** What holds for the class; that the connection is lost or late is said by the page around. */
function Notices({ isLive, students }: RoomProps) {
  const isNobodyHere = students.length > 1 && students.every(({ state }) => state.word === 'no signal');
  if (!isLive || !isNobodyHere) return null;
  return (
    <div className="lo-dashtop">
      <Notice tone="plain" icon="wifi-off" fact="Nobody is connected.">
        Students appear as soon as they open the writing page, or a document with the browser extension
        installed.
      </Notice>
    </div>
  );
}

type StudentsProps = RoomProps & {
  readonly grid: React.RefObject<HTMLElement | null>;
  readonly shown: readonly Prepared[];
  readonly waiting: ReadonlySet<string>;
};

function Students(props: StudentsProps) {
  const { rows, now, classroom, view, shown, waiting, studentHref } = props;
  const [stop, setStop] = useState<string | null>(null);
  if (shown.length === 0) return <p className="lo-weak lo-nobody">Nobody fits what you chose.</p>;
  if (view.face === 'table') {
    return (
      <ClassTable
        students={shown}
        waiting={waiting}
        slot={slotOf(now)}
        timezone={classroom.timezone}
        studentHref={studentHref}
      />
    );
  }
  const size = view.isCompact || rows.length >= COMPACT_FROM ? ' is-compact' : '';
  const isStopThere = shown.some(({ row }) => row.student.id === stop);
  const cards = cardPropsOf(shown, {
    rows,
    now,
    waiting,
    timezone: classroom.timezone,
    studentHref,
    stop: isStopThere && stop !== null ? stop : shown[0]?.row.student.id,
  });
  return (
    <section
      className={`lo-grid${rows.length === 1 ? ' is-one' : size}`}
      aria-labelledby="students-head"
      ref={props.grid}
      onFocus={(event: FocusEvent<HTMLElement>) => setStop(cardOf(event))}
    >
      <h2 id="students-head" className="lo-sr">
        Students
      </h2>
      {cards.map((card) => (
        <Card key={card.row.student.id} {...card} />
      ))}
    </section>
  );
}

const cardOf = (event: FocusEvent<HTMLElement>) =>
  event.target.closest<HTMLElement>('.lo-card')?.dataset.student ?? null;
