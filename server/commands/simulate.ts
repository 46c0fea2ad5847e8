/**
 * `npm run simulate -- --class <id or name> [--students 30] [--speed 10] [--seed 1]`: invented pupils of the demo school
 * write through the public protocol until the command is ended.
 * `npm run simulate -- --trace <file> [--student <email>] [--doc <id>] [--per-save 50]`: a recorded editing history, as fast as the server takes it.
 */
import { parseArgs } from 'node:util';
import { demoIngestKey } from '#server/auth/ingest-key.ts';
import { signIngestToken } from '#server/auth/ingest-token.ts';
import { readEnv } from '#server/env.ts';
import { googleDocument } from '#server/simulate/documents.ts';
import { openIngestClient } from '#server/simulate/ingest-client.ts';
import { playClass } from '#server/simulate/play-class.ts';
import { playTrace, readTrace } from '#server/simulate/play-trace.ts';
import {
  DEMO_CLASSES,
  DEMO_PEOPLE,
  DEMO_SCHOOL_ID,
  type DemoPerson,
  demoId,
  ENGLISH_STUDENTS,
} from '../../prisma/demo-people.ts';

const { values } = parseArgs({
  options: {
    class: { type: 'string' },
    students: { type: 'string', default: '30' },
    speed: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    trace: { type: 'string' },
    student: { type: 'string', default: 'student01@demo.test' },
    doc: { type: 'string', default: 'trace' },
    'per-save': { type: 'string', default: '50' },
  },
});

function refuse(sentence: string): never {
  console.error(sentence);
  process.exit(64);
}

function positive(name: 'students' | 'speed' | 'seed' | 'per-save'): number {
  const value = Number(values[name]);
  return value > 0 ? value : refuse(`--${name} takes a positive number.`);
}

const env = readEnv(process.env, ['--demo']);
const key = await demoIngestKey(env.varDir);
const pupils = DEMO_PEOPLE.filter((person) => person.as === 'student');
const tokenOf = (person: DemoPerson) => async () => {
  const subject = {
    person: person.id,
    school: DEMO_SCHOOL_ID,
    installation: demoId(`simulate ${person.email}`),
  };
  return (await signIngestToken(key, subject, Date.now())).token;
};

if (values.trace) {
  const person =
    pupils.find((candidate) => candidate.email === values.student) ??
    refuse(`--student ${values.student} is no pupil of the demo school.`);
  const trace = await readTrace(values.trace);
  const client = openIngestClient({ url: env.publicUrl, token: tokenOf(person), name: 'simulate' });
  const started = performance.now();
  const { events } = await playTrace({
    client,
    document: googleDocument(client, values.doc, 'Recorded'),
    trace,
    perSave: positive('per-save'),
  });
  const seconds = (performance.now() - started) / 1000;
  console.log(`figure simulate.trace.events ${events} events`);
  console.log(`figure simulate.trace.rate ${Math.round(events / seconds)} events/s`);
  client.close();
} else {
  const classes = {
    [DEMO_CLASSES.english]: pupils.slice(0, ENGLISH_STUDENTS),
    [DEMO_CLASSES.history]: pupils.slice(ENGLISH_STUDENTS),
  };
  const names: Readonly<Record<string, string>> = {
    'English 8b': DEMO_CLASSES.english,
    'History 7a': DEMO_CLASSES.history,
  };
  const chosen = classes[names[values.class ?? ''] ?? values.class ?? ''];
  if (!chosen)
    refuse(
      `name a class of the demo school: ${Object.entries(names)
        .map(([name, id]) => `--class ${id} (${name})`)
        .join(', ')}.`,
    );
  const students = chosen
    .slice(0, positive('students'))
    .map((person) => ({ id: person.id, token: tokenOf(person) }));
  const play = playClass({ url: env.publicUrl, students, speed: positive('speed'), seed: positive('seed') });
  console.log(`${students.length} pupils write at ${env.publicUrl}; end with Ctrl-C.`);
  const said = setInterval(() => console.log(`${play.captured()} acts so far`), 30_000);
  process.once('SIGINT', () => {
    clearInterval(said);
    play.stop();
  });
}
