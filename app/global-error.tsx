'use client';

/** When even the frame of the pages failed: plain, without styles of ours. */
export default function GlobalError() {
  return (
    <html lang="en">
      <body>
        <main>
          <h1>Learning Observer did not load</h1>
          <p>The server had a problem. Nothing that was written is lost.</p>
          <p>
            <a href="/">Load it again</a>
          </p>
        </main>
      </body>
    </html>
  );
}
