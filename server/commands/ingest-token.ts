/**
 * `npm run ingest-token -- --person <email>`: prints a token with which a program may write events as a person of the demo
 * school for 15 minutes. Works beside a running server, since it signs with the demo key and opens no database.
 */
import { parseArgs } from 'node:util';
import { demoIngestKey } from '#server/auth/ingest-key.ts';
import { signIngestToken } from '#server/auth/ingest-token.ts';
import { readEnv } from '#server/env.ts';
import { DEMO_SCHOOL_ID, demoId, findDemoPerson } from '../../prisma/demo-people.ts';

const { values } = parseArgs({ options: { person: { type: 'string' } } });
const person = findDemoPerson(values.person?.trim().toLowerCase() ?? '');
if (person?.as !== 'student') {
  console.error('name a student of the demo school: npm run ingest-token -- --person student01@demo.test');
  process.exit(64);
}
const { varDir } = readEnv(process.env, ['--demo']);
const installation = demoId(`tool of ${person.email}`);
const subject = { person: person.id, school: DEMO_SCHOOL_ID, installation };
const { token } = await signIngestToken(await demoIngestKey(varDir), subject, Date.now());
console.log(token);
