'use client';
import {
  type ComponentType,
  lazy,
  type ReactNode,
  Suspense,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { type Act, ActContext } from '#app/ui/act.ts';
import type { IconName } from '#app/ui/icons.tsx';
import { Notice } from '#app/ui/notice.tsx';
import type { DashboardProps, Query } from '#modules/kit/index.ts';
import type { Json } from '#server/live/protocol.ts';
import { tabConnection } from './connection.ts';
import { DashboardBoundary } from './dashboard-boundary.tsx';
import type { Feed } from './feed.ts';
import { useNow } from './use-now.ts';
import { useRows } from './use-rows.ts';
import { bareWords, channelWords, endWords, lostWords, splitRows, type Words } from './words.ts';

export type LiveDashboardProps = {
  readonly classroom: { readonly id: string; readonly name: string; readonly timezone: string };
  readonly module: string;
  readonly query: string;
  readonly params?: { readonly [name: string]: Json };
  /** One student's row in place of the class's. */
  readonly student?: string;
  /** Path under which students' pages live, without the last slash. */
  readonly studentBase: string;
  /** Called when the rows are live again after the connection was lost. */
  readonly onBack?: () => void;
};

type View = ComponentType<DashboardProps<Query>>;
const SKELETON_AFTER_MS = 300;
const views = new Map<string, View>();

/** Each view is a chunk of its own, loaded by its query's name. */
function viewOf(module: string, query: string): View {
  const key = `${module}/${query}`;
  const known = views.get(key);
  if (known) return known;
  const view = lazy<View>(() => import(`../../modules/${module}/dashboards/${query}.tsx`));
  views.set(key, view);
  return view;
}

/** A query's dashboard, kept live: opens the channel, loads the view, and says in words when there is nothing to draw. */
export function LiveDashboard(props: LiveDashboardProps) {
  const { classroom, module, query, params, student } = props;
  const feed = useRows({
    classroom: classroom.id,
    module,
    query,
    ...(params ? { params } : {}),
    ...(student ? { student } : {}),
  });
  const act = useActIn(classroom.id);
  useBack(feed.phase, props.onBack);
  if (feed.end) {
    const { code } = feed.end;
    return (
      <Said words={endWords(feed.end)} tone={code === 'unavailable' ? 'plain' : 'warn'} icon="circle-slash" />
    );
  }
  if (feed.phase === 'opening') return <Skeleton />;
  return (
    <ActContext value={act}>
      <DashboardBoundary key={`${module}/${query}`}>
        <Drawn {...props} feed={feed} />
      </DashboardBoundary>
    </ActContext>
  );
}

function useActIn(classroom: string): Act {
  return useCallback((request) => tabConnection().act({ classroom, ...request }), [classroom]);
}

function useBack(phase: Feed['phase'], onBack: (() => void) | undefined): void {
  const wasLost = useRef(false);
  useEffect(() => {
    if (phase === 'live' && wasLost.current) onBack?.();
    if (phase !== 'opening') wasLost.current = phase !== 'live';
  }, [phase, onBack]);
}

function Drawn({
  feed,
  classroom,
  module,
  query,
  studentBase,
}: LiveDashboardProps & { readonly feed: Feed }) {
  const View = viewOf(module, query);
  const now = useNow(feed);
  const { drawn, bare } = useMemo(() => splitRows(feed.rows), [feed.rows]);
  const studentHref = useCallback((id: string) => `${studentBase}/${encodeURIComponent(id)}`, [studentBase]);
  const isLive = feed.phase === 'live';
  return (
    <>
      {!isLive && (
        <Said words={lostWords(feed.at, classroom.timezone)} tone="warn" icon="wifi-off" isUrgent />
      )}
      {isLive && <Said words={channelWords(feed.trouble['*'], now)} tone="warn" icon="clock" />}
      <Said words={bareWords(bare)} tone="plain" icon="triangle-alert" />
      <Suspense fallback={<Skeleton />}>
        <View
          rows={drawn}
          params={feed.params}
          now={now}
          frame={feed.frame}
          trouble={feed.trouble}
          isLive={isLive}
          classroom={classroom}
          studentHref={studentHref}
        />
      </Suspense>
    </>
  );
}

function Said(props: {
  readonly words: Words | null;
  readonly tone: 'plain' | 'warn';
  readonly icon: IconName;
  readonly isUrgent?: boolean;
}): ReactNode {
  const { words, ...notice } = props;
  if (!words) return null;
  return (
    <Notice {...notice} fact={words.fact}>
      {words.rest}
    </Notice>
  );
}

/** The shape of what will come, after 300 ms: what is there sooner needs none. */
function Skeleton() {
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), SKELETON_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div aria-busy="true">
      {isShown && <div className="lo-skeleton" role="status" aria-label="Loading" />}
    </div>
  );
}
