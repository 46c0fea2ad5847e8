import { DEMO_PEOPLE, DEMO_SCHOOL_ID, demoId } from '../prisma/demo-people.ts';
import { demoIngestKey } from './auth/ingest-key.ts';
import { signIngestToken } from './auth/ingest-token.ts';
import { playClass } from './simulate/play-class.ts';

/** How much the pupils have written when the school opens: a visitor finds a class at work, not an empty one. */
const PAST_MS = 4 * 60_000;
/** The first page goes before the pupils, who all come at once. */
const ENTER_AFTER_MS = 500;

/** The demo school's pupils: invented, through the public protocol like anybody else. They come once the school is open. */
export function playDemo({
  url,
  varDir,
  pupils,
}: {
  readonly url: string;
  readonly varDir: string;
  readonly pupils: number;
}): { stop(): void } {
  const students = DEMO_PEOPLE.filter((person) => person.as === 'student')
    .slice(0, pupils)
    .map(({ id, email }) => ({
      id,
      token: async () => {
        const subject = { person: id, school: DEMO_SCHOOL_ID, installation: demoId(`demo pupil ${email}`) };
        return (await signIngestToken(await demoIngestKey(varDir), subject, Date.now())).token;
      },
    }));
  if (students.length === 0) return { stop() {} };
  let play: { stop(): void } | undefined;
  const entrance = setTimeout(() => {
    play = playClass({ url, students, pastMs: PAST_MS, seed: 1 + (Date.now() % 1000) });
  }, ENTER_AFTER_MS);
  return {
    stop() {
      clearTimeout(entrance);
      play?.stop();
    },
  };
}
