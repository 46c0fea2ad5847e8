import { LivePage } from '#app/live/live-page.tsx';
import { Empty } from '#app/ui/empty.tsx';
import { TopBar } from '#app/ui/top-bar.tsx';
import { classHref, classQueries, classTabs, classTitle, openClass } from '../../class-page.ts';

type Params = { readonly params: Promise<{ readonly classroom: string }> };

export async function generateMetadata({ params }: Params) {
  const title = await classTitle((await params).classroom);
  return title === null ? {} : { title };
}

/** A class, live. */
export default async function ClassPage({ params }: Params) {
  const { viewer, classroom } = await openClass((await params).classroom);
  const [live] = classQueries();
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
        {live ? (
          <LivePage
            classroom={classroom}
            module={live.module}
            query={live.query}
            studentBase={`${classHref(classroom.id)}/students`}
          />
        ) : (
          <Empty fact="No dashboards yet" sentence="No module on this server draws a class." />
        )}
      </main>
    </>
  );
}
