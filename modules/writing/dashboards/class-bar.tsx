import { useEffect, useRef, useState } from 'react';
import { Icon } from '#app/ui/icons.tsx';
import { Menu } from '#app/ui/menu.tsx';
import { Tool } from '#app/ui/tool.tsx';
import { ORDERS, type Order } from './order.ts';
import type { View } from './use-view.ts';
import { COUNTED, type Counted, LOOK_OF } from './words.ts';

type ClassBarProps = {
  readonly isLive: boolean;
  readonly counts: Readonly<Record<Counted, number>>;
  readonly view: View;
  readonly shown: number;
  readonly all: number;
  readonly flagged: number;
  /** "10:02", null while no lesson has begun. */
  readonly lesson: string | null;
  readonly isFinding: boolean;
  readonly setFinding: (on: boolean) => void;
  readonly onOrder: (order: Order) => void;
  readonly onHelp: () => void;
};

const CHOICES = ORDERS.map((order) => ({ value: order, label: order }));

/** Six counts that filter, and the tools of the class. */
export function ClassBar(props: ClassBarProps) {
  const { view, shown, all } = props;
  const isTable = view.face === 'table';
  const isFlags = props.flagged > 0 || view.filter.flagged;
  const isFull = shown < all || (isFlags && !props.isLive);
  const kind = `${isFlags ? ' has-flags' : ''}${isFull ? ' is-full' : ''}`;
  return (
    <section className={`lo-classbar${kind}`} aria-label="Class">
      <LiveDot isLive={props.isLive} />
      <Counts counts={props.counts} view={view} />
      {shown < all && (
        <span className="lo-filtered">
          {shown} of {all}
          <button type="button" onClick={view.clear}>
            Show all
          </button>
        </span>
      )}
      <div className="lo-tools">
        {props.lesson && (
          <span className="lo-lesson">
            <Icon name="clock" />
            <span className="lo-lesson__label">Lesson since {props.lesson}</span>
          </span>
        )}
        {isFlags && (
          <Tool
            icon="clipboard-paste"
            label="Has a flag:"
            isOn={view.filter.flagged}
            onClick={() => view.setFlagged(!view.filter.flagged)}
          >
            <b className="lo-num">{props.flagged}</b>
          </Tool>
        )}
        <Menu
          icon="arrow-up-down"
          label={`Order: ${view.order}`}
          choices={CHOICES}
          chosen={view.order}
          onChoose={props.onOrder}
        />
        <Find {...props} />
        <Tool
          icon="table-2"
          label="Table"
          shortcut="t"
          isOn={isTable}
          onClick={() => view.setFace(isTable ? 'cards' : 'table')}
        />
        <Tool icon="presentation" label="Projector" shortcut="p" onClick={() => view.setFace('projector')} />
        <button type="button" className="lo-tool" aria-label="Keys and display" onClick={props.onHelp}>
          <Icon name="keyboard" />
        </button>
      </div>
    </section>
  );
}

/** Whether what is shown is now. */
export function LiveDot({ isLive }: { readonly isLive: boolean }) {
  return (
    <span className={`lo-live${isLive ? '' : ' is-lost'}`}>
      <i />
      {isLive ? 'live' : 'not live'}
    </span>
  );
}

function Counts({ counts, view }: Pick<ClassBarProps, 'counts' | 'view'>) {
  return (
    <fieldset className="lo-counts">
      <legend className="lo-sr">Show only</legend>
      {COUNTED.map((word, i) => (
        <button
          key={word}
          type="button"
          className={`lo-count is-${LOOK_OF[word].tone}${counts[word] === 0 ? ' is-zero' : ''}`}
          aria-pressed={view.filter.words.has(word)}
          aria-keyshortcuts={String(i + 1)}
          onClick={() => view.toggleWord(word)}
        >
          <Icon name={LOOK_OF[word].icon} />
          <b>{counts[word]}</b>
          {word}
        </button>
      ))}
    </fieldset>
  );
}

function Find({ view, isFinding, setFinding }: ClassBarProps) {
  const field = useRef<HTMLInputElement>(null);
  const [isAsked, setAsked] = useState(false);
  useEffect(() => {
    if (isFinding) field.current?.focus();
  }, [isFinding]);
  if (!isFinding && !isAsked && view.filter.find === '') {
    return <Tool icon="search" label="Find" shortcut="/" onClick={() => setFinding(true)} />;
  }
  const leave = () => {
    setFinding(false);
    setAsked(false);
  };
  return (
    <span className="lo-find">
      <input
        ref={field}
        type="search"
        className="input is-small"
        aria-label="Find a student"
        placeholder="Name"
        value={view.filter.find}
        onFocus={() => setAsked(true)}
        onChange={(event) => view.setFind(event.target.value)}
        onBlur={leave}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          view.setFind('');
          leave();
        }}
      />
    </span>
  );
}
