/** What waits in the loop, an acknowledgement first of all, passes three or four turns of it: so long may each be held up. */
const SLICE_MS = 0.5;

/** Works through a list in slices between which sockets and timers have their turn; gives the milliseconds of work. */
export async function inSlices<T>(all: Iterable<T>, work: (one: T) => void): Promise<number> {
  let spent = 0;
  let since = performance.now();
  for (const one of all) {
    work(one);
    const elapsed = performance.now() - since;
    if (elapsed < SLICE_MS) continue;
    spent += elapsed;
    await new Promise((done) => setImmediate(done));
    since = performance.now();
  }
  return spent + performance.now() - since;
}
