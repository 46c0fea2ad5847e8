import { memo, useMemo, useState } from 'react';
import { SparklineView } from '#app/charts/sparkline.tsx';
import { Icon } from '#app/ui/icons.tsx';
import { Link } from '#app/ui/link.tsx';
import type { ClassRow } from './class-row.ts';
import { clockTime } from './clock.ts';
import { Excerpt } from './excerpt.tsx';
import { Timer } from './now.tsx';
import { emptyText, minutesOf, qualityOf, sparklineOf } from './prepare.ts';
import { StateChip } from './state-chip.tsx';
import type { State } from './state-word.ts';

export type CardProps = Omit<State, 'cause'> & {
  readonly row: ClassRow;
  readonly isWaiting: boolean;
  /** The half minute that it is; changes twice a minute. */
  readonly slot: number;
  readonly most: number;
  readonly href: string;
  readonly timezone: string;
  /** Whether Tab stops here: one card of a grid. */
  readonly isStop: boolean;
};

/** One student. Drawn again when her row, her word or the half minute changes, not when the clock ticks. */
export const Card = memo(function Card(props: CardProps) {
  const { row, word, since, note, isWaiting } = props;
  const quality = qualityOf(row);
  const isOff = word === 'no signal' || word === 'no analysis';
  const isHidden = word === 'no analysis' || note === 'not seen today';
  const name = row.student.name;
  const kind = `${isWaiting ? ' is-waiting' : ''}${isOff ? ' is-off' : ''}`;
  const label = [name, note ?? word, `${row.words} words`, ...(quality ? [quality] : [])].join(', ');
  return (
    <article className={`lo-card${kind}`} aria-label={label} data-student={row.student.id}>
      <header className="lo-card__head">
        <h3 className="lo-card__name" title={name}>
          <Link href={props.href} className="lo-card-link" tabIndex={props.isStop ? 0 : -1}>
            {name}
          </Link>
        </h3>
        {quality && <QualityNote sentence={quality} />}
        <StateChip word={word} since={since} note={note === 'paused' ? note : null} isWaiting={isWaiting} />
      </header>
      <Excerpt
        before={isHidden ? '' : row.before}
        after={isHidden ? '' : row.after}
        empty={emptyText({ word, since, note, cause: null }, (ms) => clockTime(ms, props.timezone))}
      />
      <footer className="lo-card__foot">
        <span className="lo-card__words">
          <b>{row.words.toLocaleString('en')}</b>
          {row.words === 1 ? 'word' : 'words'}
        </span>
        <span className="lo-card__time">
          {minutesOf(row.activeSeconds)} min
          {hasTimer(word) && row.wroteAt !== null && <Timer since={row.wroteAt * 1000} />}
        </span>
        <CardSparkline {...props} />
      </footer>
    </article>
  );
});

const hasTimer = (word: State['word']) =>
  word === 'writing' || word === 'revising' || word === 'needs a look';

function CardSparkline({ row, word, since, note, slot, most }: CardProps) {
  const sparkline = useMemo(
    () => sparklineOf(row, { word, since, note, cause: null }, slot),
    [row, word, since, note, slot],
  );
  return <SparklineView className="lo-card__spark" most={most} {...sparkline} />;
}

/** One small icon; a click shows its sentence in the card. */
function QualityNote({ sentence }: { readonly sentence: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className="lo-card__quality"
        tabIndex={-1}
        title={sentence}
        aria-label={sentence}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="puzzle" />
      </button>
      {isOpen && <span className="lo-card__note">{sentence}</span>}
    </>
  );
}
