'use client';
import './student.css';
import { useMemo, useState } from 'react';
import { GrowthView } from '#app/charts/growth.tsx';
import type { GrowthAxis } from '#app/charts/growth-layout.ts';
import { Empty } from '#app/ui/empty.tsx';
import { Panel } from '#app/ui/panel.tsx';
import { Segment } from '#app/ui/segment.tsx';
import { Tool } from '#app/ui/tool.tsx';
import {
  growthOf,
  pointWords,
  type StudentDashboardProps,
  type StudentRow,
  sessionWords,
} from './prepare-student.ts';
import { Reading } from './reading.tsx';
import { StudentHead } from './student-head.tsx';
import { FiguresTable, GrowthTable, PastesTable } from './student-tables.tsx';

/** *How is this text coming along?* — one text of one student: its growth, its words, its numbers. */
export default function Student({ rows, classroom, isLive }: StudentDashboardProps) {
  const [row] = rows;
  if (!row) return <p className="lo-weak">There is nothing to show of this student.</p>;
  if (row.doc === null) {
    return (
      <Empty
        fact="Nothing written yet"
        sentence={`As soon as ${row.student.name} writes, the text and how it grows appear here.`}
      />
    );
  }
  return (
    <div className={isLive ? undefined : 'is-stale'}>
      <StudentHead row={row} timezone={classroom.timezone} />
      <div className="lo-student">
        <div className="lo-stack">
          <GrowthPanel row={row} timezone={classroom.timezone} />
          {row.pastes.length > 0 && (
            <Panel
              title="What was put in at once?"
              about={`Pastes · ${row.pasteCount} from 20 characters on`}
            >
              <PastesTable row={row} timezone={classroom.timezone} />
            </Panel>
          )}
          <Panel title="What do the numbers say?" about="this document">
            <FiguresTable row={row} />
          </Panel>
        </div>
        <Reading row={row} />
      </div>
    </div>
  );
}

const AXES = [
  { value: 'clock', label: 'Clock' },
  { value: 'active', label: 'Active time' },
] as const satisfies readonly { value: GrowthAxis; label: string }[];

function GrowthPanel({ row, timezone }: { readonly row: StudentRow; readonly timezone: string }) {
  const [axis, setAxis] = useState<GrowthAxis>('clock');
  const [isTable, setTable] = useState(false);
  const growth = useMemo(() => growthOf(row), [row]);
  const { points } = growth;
  // All within one second they would stand on one line.
  const hasCurve = (points.at(-1)?.at ?? 0) > (points[0]?.at ?? 0);
  const about =
    axis === 'clock' ? 'Growth curve · characters · gaps over 5 min cut' : 'Growth curve · characters';
  return (
    <Panel
      title="How did it grow?"
      about={about}
      tools={
        <>
          <Segment label="Axis" choices={AXES} chosen={axis} onChoose={setAxis} />
          <Tool icon="table-2" label="Table" isOn={isTable} onClick={() => setTable(!isTable)} />
        </>
      }
    >
      {!hasCurve && <p className="lo-panel__body lo-weak">Not enough changes yet for a curve.</p>}
      {hasCurve && isTable && <GrowthTable points={points} timezone={timezone} />}
      {hasCurve && !isTable && (
        <div className="lo-panel__body lo-growthbox">
          <GrowthView
            {...growth}
            axis={axis}
            label={`Length of the text in ${growth.sessions.length} sessions, now ${row.length} characters`}
            readout={(i) => (points[i] ? pointWords(points[i], timezone) : '')}
            sessionLabel={(session) => sessionWords(session, timezone)}
          />
        </div>
      )}
    </Panel>
  );
}
