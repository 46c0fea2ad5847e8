import { useEffect, useRef, useState } from 'react';
import { Notice } from '#app/ui/notice.tsx';
import { useNarrow } from '#app/ui/use-narrow.ts';
import { clockTime } from './clock.ts';
import type { QueueLine } from './queue.ts';
import { WordChip } from './state-chip.tsx';
import { focusCard } from './use-keys.ts';
import { LOOK_OF } from './words.ts';

const OPEN_LINES = { wide: 3, narrow: 1 };

/** Who waits for the teacher, beside the cards: three lines open, on a phone one; the rest counted. */
export function QueuePlace({
  lines,
  timezone,
}: {
  readonly lines: readonly QueueLine[];
  readonly timezone: string;
}) {
  const [isAll, setAll] = useState(false);
  const open = useNarrow() ? OPEN_LINES.narrow : OPEN_LINES.wide;
  const shown = isAll ? lines : lines.slice(0, open);
  const more = lines.length - open;
  return (
    <aside className="lo-queue" aria-label="Needs me">
      <div className="lo-queue__head">
        <h2>Needs me</h2>
        <span className={`lo-badge${lines.length === 0 ? ' is-calm' : ''}`}>{lines.length}</span>
      </div>
      {lines.length === 0 && <p className="lo-item lo-weak">Nobody needs you right now</p>}
      <ul>
        {shown.map((line) => (
          <Line key={line.id ?? line.chip} line={line} timezone={timezone} />
        ))}
      </ul>
      {more > 0 && (
        <div className="lo-queue__more">
          <span>{isAll ? '' : `${more} more`}</span>
          <button type="button" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
            {isAll ? 'Show fewer' : 'Show'}
          </button>
        </div>
      )}
    </aside>
  );
}

function Line({ line, timezone }: { readonly line: QueueLine; readonly timezone: string }) {
  const since = line.since === null ? '' : `since ${clockTime(line.since, timezone)} · `;
  return (
    <li className="lo-item">
      <div className="lo-item__head">
        {line.id === null ? (
          <strong>{line.name}</strong>
        ) : (
          <button type="button" onClick={() => showCard(line.id)}>
            {line.name}
          </button>
        )}
        <WordChip word={line.word} label={line.chip} />
      </div>
      <p>{line.sentence}</p>
      <p className="lo-meta">
        {since}rule: {line.rule}
      </p>
    </li>
  );
}

/** The line of one student who is alone on a page. */
export function Reason({ line, timezone }: { readonly line: QueueLine; readonly timezone: string }) {
  const since = line.since === null ? '' : ` since ${clockTime(line.since, timezone)}`;
  const fact = `${line.word[0]?.toUpperCase()}${line.word.slice(1)}${since}.`;
  return (
    <Notice tone="look" icon={LOOK_OF[line.word].icon} fact={fact}>
      {line.sentence} Rule: {line.rule}. This describes an event, not its reason. Ask, and look at the text.
    </Notice>
  );
}

function showCard(id: string | null): void {
  focusCard(document.querySelector(`.lo-card[data-student="${CSS.escape(id ?? '')}"]`));
}

const QUIET_MS = 10_000;

/** Tells readers who came into the queue, at most once in ten seconds. */
export function QueueVoice({ lines, now }: { readonly lines: readonly QueueLine[]; readonly now: number }) {
  const [said, setSaid] = useState({ at: 0, text: '' });
  const known = useRef<ReadonlySet<string> | null>(null);
  useEffect(() => {
    const names = new Map(lines.map((line) => [line.id ?? line.chip, `${line.name}: ${line.chip}`]));
    const last = known.current;
    if (last === null) known.current = new Set(names.keys());
    if (last === null || now - said.at < QUIET_MS) return;
    const fresh = [...names].filter(([key]) => !last.has(key)).map(([, text]) => text);
    known.current = new Set(names.keys());
    if (fresh.length > 0) setSaid({ at: now, text: `Needs me: ${fresh.join(', ')}` });
  }, [lines, now, said.at]);
  return (
    <p className="lo-sr" aria-live="polite">
      {said.text}
    </p>
  );
}
