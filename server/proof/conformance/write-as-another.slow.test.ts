import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectBatches, connectObserver } from './clients.ts';
import { ADA, BO, DOMAIN, KNOWN, openSchool, type School } from './school.ts';

let school: School;
beforeAll(async () => {
  school = await openSchool();
}, 120_000);
afterAll(() => school.close());

const PLAIN = '/wsapi/in/';
const DOCS = 'org.mitros.writing_analytics';
const event = (tag: string, more: object = {}) => ({
  event: 'google_docs_save',
  doc_id: 'a3',
  bundles: [{ commands: [{ ty: 'is', ibi: 1, s: tag }] }],
  ...more,
});

describe('A3 whoever writes as another', () => {
  it('writes as herself, in 30 ways over three edges', async () => {
    const [ada, bo] = [school.idOf(ADA), school.idOf(BO)];
    const [token, boToken, boCookie] = [
      await school.token(ADA),
      await school.token(BO),
      await school.cookie(BO),
    ];
    const authorization = `Bearer ${token}`;
    let sent = 0;
    const tag = () => {
      sent += 1;
      return `way-${sent}`;
    };
    const NAMES = [
      'auth',
      'user_id',
      'safe_user_id',
      'student',
      'student_id',
      'sec',
      'providence',
      'id',
      'at',
      'user',
    ];
    const onObserver = async (
      headers: Record<string, string>,
      path: string,
      ...before: (object | string)[]
    ) => {
      const client = await connectObserver(school, { path, headers: { authorization, ...headers } });
      client.send({ event: 'lock_fields', fields: { source: DOCS } }, ...before, event(tag()));
      await client.fetch();
      client.ws.close();
    };
    const lock = (fields: object) => ({ event: 'lock_fields', fields });
    // The old protocol: ten names in a body, ten locked, proofs of another after one's own.
    for (const name of NAMES) {
      const client = await connectObserver(school, { headers: { authorization } });
      client.send(lock({ source: DOCS }), event(tag(), { [name]: bo }));
      await client.fetch();
      client.ws.close();
    }
    await onObserver({}, PLAIN, lock(Object.fromEntries(NAMES.map((name) => [name, bo]))));
    await onObserver({}, PLAIN, lock({ ingest_token: boToken }));
    await onObserver({}, PLAIN, lock({ chrome_identity: { email: `x@${DOMAIN}`, id: KNOWN.bo } }));
    await onObserver({}, PLAIN, lock({ user_tag: bo }), { event: 'hash_auth', hash: bo });
    await onObserver({}, PLAIN, { event: 'test_framework_fake_identity', user_id: bo });
    await onObserver({ cookie: boCookie }, PLAIN);
    await onObserver({ cookie: boCookie, origin: school.origin }, PLAIN);
    await onObserver({ 'x-user': bo, 'x-forwarded-user': bo, 'x-remote-user': bo, 'remote-user': bo }, PLAIN);
    await onObserver({}, `${PLAIN}?user_id=${bo}&student=${bo}&token=${boToken}`);
    await onObserver({}, PLAIN, `{"event":"lock_fields","fields":{"\\u005f_proto__":{"student":"${bo}"}}}`);
    // Part B: two proofs, a producer of another, a token of another in the middle, names in envelope and body.
    const sentBy = (more: object = {}, inEvent: object = {}) => {
      const { event: name, ...body } = event(tag(), inEvent);
      return {
        v: 1,
        type: 'events',
        epoch: 1,
        from: 1,
        source: DOCS,
        events: [{ event: name, sentAt: Date.now(), body, ...inEvent }],
        ...more,
      };
    };
    const hello = (producer: string) => ({
      v: 1,
      type: 'hello',
      producer,
      epoch: 1,
      oldest: 1,
      now: Date.now(),
    });
    const batches = async (
      producer: string,
      auth: object,
      headers: Record<string, string>,
      message: object,
    ) => {
      const client = await connectBatches(school, { token, ...auth }, headers);
      await client.ask(hello(producer));
      expect(await client.ask({ ...message, producer })).toMatchObject({ type: 'stored', bad: [] });
      return client;
    };
    const close = ({ socket }: { socket: { close(): unknown } }) => socket.close();
    close(
      await batches(
        'a3AAAAAAAAAAAAAAAAAAAA',
        { student: bo, user_id: bo },
        {},
        sentBy({ student: bo, identity: bo }),
      ),
    );
    close(
      await batches(
        'a3BBBBBBBBBBBBBBBBBBBB',
        {},
        { cookie: boCookie, origin: school.origin },
        sentBy({}, { student: bo, id: `${bo}:1:1` }),
      ),
    );
    const mid = await batches('a3CCCCCCCCCCCCCCCCCCCC', {}, {}, sentBy());
    expect(await mid.ask({ v: 1, type: 'token', token: boToken })).toMatchObject({
      type: 'refused',
      code: 'unauthenticated',
    });
    close(mid);
    const other = await connectBatches(school, { token });
    const bos = await connectBatches(school, { token: boToken });
    await bos.ask(hello('a3DDDDDDDDDDDDDDDDDDDD'));
    expect(
      (await bos.ask({ ...sentBy({}, { doc_id: 'of-bo' }), producer: 'a3DDDDDDDDDDDDDDDDDDDD' })).type,
    ).toBe('stored');
    sent -= 1;
    expect(await other.ask(hello('a3DDDDDDDDDDDDDDDDDDDD'))).toMatchObject({ code: 'forbidden' });
    close(other);
    close(bos);
    await expect(connectBatches(school, { token: unsigned(token, bo) })).rejects.toMatchObject({
      data: { code: 'unauthenticated' },
    });
    // Over HTTP: query, cookie, headers and an unsigned token.
    const post = (query: string, headers: Record<string, string>, producer: string) =>
      fetch(`${school.origin}/api/events${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization, ...headers },
        body: JSON.stringify({ ...sentBy({ student: bo }), producer, oldest: 1, now: Date.now() }),
      });
    expect((await post(`?student=${bo}`, {}, 'a3EEEEEEEEEEEEEEEEEEEE')).status).toBe(200);
    expect(
      (await post('', { cookie: boCookie, origin: school.origin, 'x-user': bo }, 'a3FFFFFFFFFFFFFFFFFFFF'))
        .status,
    ).toBe(200);
    for (const forged of [unsigned(token, bo), `${boToken}x`, 'x'])
      expect((await post('', { authorization: `Bearer ${forged}` }, 'a3GGGGGGGGGGGGGGGGGGGG')).status).toBe(
        401,
      );
    sent -= 3;
    const stored = school
      .archive()
      .entries.flatMap(({ s, src, ev }) =>
        src === DOCS ? (ev ?? []).map(({ body }) => ({ s, doc: body.doc_id })) : [],
      );
    expect(stored.filter(({ s }) => s === bo)).toEqual([{ s: bo, doc: 'of-bo' }]);
    expect(stored.filter(({ s }) => s === ada)).toHaveLength(sent);
  });
});

/** The claims of a token with another subject and the algorithm `none`. */
function unsigned(token: string, subject: string): string {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'JWT' })}.${part({ ...claims, sub: subject })}.`;
}
