import { LivePage } from '#app/live/live-page.tsx';
import { TopBar } from '#app/ui/top-bar.tsx';
import { classHref, classTabs, findClassQuery, openClass } from '../../../../class-page.ts';

type Params = {
  readonly params: Promise<{ readonly classroom: string; readonly module: string; readonly query: string }>;
};

/** One further dashboard of a class. */
export default async function QueryPage({ params }: Params) {
  const asked = await params;
  const { viewer, classroom } = await openClass(asked.classroom);
  const { module, query } = findClassQuery(asked.module, asked.query);
  return (
    <>
      <TopBar
        person={viewer.name}
        crumbs={[{ href: '/classes', label: 'Classes' }]}
        here={classroom.name}
        isHeading
        tabs={classTabs(classroom.id)}
      />
      <main className="lo-page" id="content">
        <LivePage
          classroom={classroom}
          module={module}
          query={query}
          studentBase={`${classHref(classroom.id)}/students`}
        />
      </main>
    </>
  );
}
