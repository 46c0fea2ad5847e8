'use client';
import { Empty } from '#app/ui/empty.tsx';

/** A page that could not be made. What is being written is not touched by it. */
export default function ErrorPage({ reset }: { readonly error: Error; readonly reset: () => void }) {
  return (
    <main className="lo-page" id="content">
      <h1 className="lo-sr">This page did not load</h1>
      <Empty
        fact="This page did not load"
        sentence="The server had a problem with it. Nothing that was written is lost."
      >
        <button type="button" className="button is-link" onClick={reset}>
          Try again
        </button>
        <a className="button" href="/">
          Go to the start
        </a>
      </Empty>
    </main>
  );
}
