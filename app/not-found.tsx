import { Empty } from '#app/ui/empty.tsx';
import { Link } from '#app/ui/link.tsx';

export const metadata = { title: 'Not found' };

/** The same for what is not there and for what one may not see. */
export default function NotFound() {
  return (
    <main className="lo-page" id="content">
      <h1 className="lo-sr">Not found</h1>
      <Empty fact="There is nothing here" sentence="The address is wrong, or it is not yours to see.">
        <Link className="button is-link" href="/">
          Go to the start
        </Link>
      </Empty>
    </main>
  );
}
