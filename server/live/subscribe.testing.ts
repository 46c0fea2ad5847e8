import type { Query } from '#modules/kit/index.ts';
import type { Delta, NotOpened, Opened, Subscribe, Told } from './protocol.ts';
import { addClass, type Bench, type Client, countedQuery, openBench } from './school.bench.ts';

/** What the tests of the socket ask of it and hear from it; `NOTES` is the query of class `c1`. */
export const NOTES = { classroom: 'c1', module: 'test', query: 'notes' };

export const subscribe = (client: Client, request: Subscribe = NOTES) =>
  new Promise<Opened | NotOpened>((resolve) => client.emit('subscribe', request, resolve));

/** Subscribes where a yes is expected; throws the code of a no. */
export const opened = async (client: Client, request?: Subscribe) => {
  const answer = await subscribe(client, request);
  if (!answer.ok) throw new Error(answer.code);
  return answer;
};

export const next = <E extends keyof Told>(client: Client, event: E) =>
  new Promise<Parameters<Told[E]>[0]>((resolve) => client.once(event, resolve as never));

/** Every delta from now on, as it comes. */
export const collect = (client: Client) => {
  const deltas: Delta[] = [];
  client.on('rows', (delta) => deltas.push(delta));
  return deltas;
};

/** All that the server had to say by now has come when an answer to a later question has. */
export const roundTrip = (client: Client) => subscribe(client, { ...NOTES, query: 'none' });

/** Two classes that have nobody in common: `c1` of tess with ada and bo, `c2` of tom with cy. */
export async function openTwoClasses(query: Query = countedQuery().query): Promise<Bench> {
  const bench = await openBench([query]);
  addClass(bench.school, 'c1', ['tess'], ['ada', 'bo']);
  addClass(bench.school, 'c2', ['tom'], ['cy']);
  return bench;
}
