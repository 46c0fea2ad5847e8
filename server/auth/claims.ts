import { createHash } from 'node:crypto';
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { systemActor } from '#server/audit.ts';
import type { Prisma } from '#server/generated/prisma/client.ts';
import type { Claim, Identity } from '#server/ingest/identity.ts';
import { newId } from '#server/new-id.ts';
import { changeRights, type RightsStore } from '#server/roster/change-rights.ts';
import { sortNameOf } from '#server/roster/display-names.ts';

const GOOGLE = 'https://accounts.google.com';
const LONGEST = 200;
/** A demo school that anybody on the machine can fill ends here. */
const MOST_VISITORS = 200;

/** How external ids of the predecessor's data begin, by its method of identification. */
const PREFIX = {
  chromebook: 'gc-',
  local_storage: 'ls-',
  hash_identify: 'hi-',
  testcase_auth: 'tc-',
} as const;

type Policy = { readonly schoolId: string; readonly claims: string };
type Key = { readonly kind: 'google' | 'lo'; readonly issuer: string; readonly value: string };

/** The external id that a claim names, within a school; null for a value that none can have. */
function keyOf(claim: Claim, schoolId: string): Key | null {
  const google = /^google:(\d{1,32})$/.exec(claim.value)?.[1];
  if (claim.method === 'chromebook') return google ? { kind: 'google', issuer: GOOGLE, value: google } : null;
  if (claim.value.length === 0 || claim.value.length > LONGEST) return null;
  return { kind: 'lo', issuer: schoolId, value: `${PREFIX[claim.method]}${claim.value}` };
}

/** Whether an address lies in one of the networks, written as `10.0.0.0/8` or `2001:db8::/32`. */
export function isWithin(address: string, networks: readonly string[]): boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [base = '', bits = ''] = network.split('/');
    if (/^\d+$/.test(bits) && (isIPv4(base) || isIPv6(base)))
      list.addSubnet(base, Number(bits), isIPv4(base) ? 'ipv4' : 'ipv6');
  }
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIPv4(plain)) return list.check(plain, 'ipv4');
  return isIPv6(plain) && list.check(plain, 'ipv6');
}

type ClaimSettings = { readonly isDemo: boolean; readonly visitorsClassroomId: string };

/**
 * Finds or makes the person that a client of the predecessor's protocol claims to be, where the domain's setting allows it:
 * off unless switched on; outside demo mode only from named networks and until a date, and never for `local` (access.md §5).
 */
export function openClaims(
  store: RightsStore,
  settings: ClaimSettings,
): (claim: Claim) => Promise<Identity | 'claims-off' | 'claim-unknown'> {
  return async (claim) => {
    const policy = await findPolicy(store, claim, settings.isDemo);
    if (!policy) return 'claims-off';
    const { schoolId } = policy;
    const key = keyOf(claim, schoolId);
    if (!key) return 'claim-unknown';
    let person = await findPerson(store, claim, key, schoolId);
    if (!person && policy.claims === 'create') {
      // Two sockets of one tag may come at once: the second finds the first one's person.
      await createPerson(store, claim, key, schoolId, settings).catch(ignoreTwin);
      person = await findPerson(store, claim, key, schoolId);
    }
    if (!person || person.schoolId !== schoolId || person.state !== 'active') return 'claim-unknown';
    return person.claimsEndedAt ? 'claims-off' : identityOf(person.id, schoolId, key);
  };
}

async function findPolicy(
  { prisma, clock }: RightsStore,
  claim: Claim,
  isDemo: boolean,
): Promise<Policy | null> {
  if (claim.domain === 'local' && !isDemo) return null;
  const rows = await prisma.domainPolicy.findMany({
    where: {
      domain: claim.domain,
      claims: { in: ['match', 'create'] },
      OR: [{ claimsUntil: null }, { claimsUntil: { gt: new Date(clock()) } }],
    },
  });
  const counted = isDemo
    ? rows
    : rows.filter((row) => row.claimsUntil && isWithin(claim.address, row.claimNetworks));
  return counted.length === 1 ? (counted[0] ?? null) : null; // two schools that claim one domain: nobody's
}

async function findPerson({ prisma }: RightsStore, { email, domain }: Claim, key: Key, schoolId: string) {
  const known = await prisma.externalId.findUnique({
    where: { kind_issuer_value: key },
    select: { person: { select: PERSON } },
  });
  if (known) return known.person;
  if (!email || domain === 'local' || !email.toLowerCase().endsWith(`@${domain}`)) return null;
  const byMail = await prisma.person.findMany({
    where: { schoolId, emailVerified: { not: null }, email: { equals: email, mode: 'insensitive' } },
    select: PERSON,
    take: 2,
  });
  return byMail.length === 1 ? (byMail[0] ?? null) : null;
}

/** Makes the person; in the demo school's `local` domain enrolled as a visitor, so that the writer is seen at once. */
async function createPerson(
  store: RightsStore,
  claim: Claim,
  key: Key,
  schoolId: string,
  { isDemo, visitorsClassroomId: classroomId }: ClaimSettings,
): Promise<void> {
  const { prisma } = store;
  const isVisitor = isDemo && claim.domain === 'local';
  const isFull = isVisitor && (await countClaimed(store, schoolId)) >= MOST_VISITORS;
  if (isFull) return;
  const id = newId();
  const statements = [
    prisma.person.create({ data: { id, schoolId, claimed: true, ...nameOf(claim) } }),
    prisma.externalId.create({ data: { id: newId(), personId: id, schoolId, ...key, source: 'claim' } }),
  ];
  const dates = { from: new Date(store.clock()), source: 'hand', byHand: true };
  const enrollment = { id: newId(), classroomId, personId: id, schoolId, ...dates };
  await changeRights(
    store,
    systemActor(schoolId),
    { action: 'person made by a claim', subjectKind: 'student', subjectId: id },
    isVisitor ? { kind: 'roster', personId: id, classroomId } : { kind: 'person', personId: id },
    isVisitor ? [...statements, prisma.enrollment.create({ data: enrollment })] : statements,
  );
}

const countClaimed = ({ prisma }: RightsStore, schoolId: string): Promise<number> =>
  prisma.person.count({ where: { schoolId, claimed: true } });

const identityOf = (student: string, school: string, key: Key): Identity => ({
  student,
  school,
  kind: 'claimed',
  credential: `claim:${key.kind}:${createHash('sha256').update(key.value).digest('hex').slice(0, 16)}`,
  expiresAt: null,
});

const PERSON = {
  id: true,
  schoolId: true,
  state: true,
  claimsEndedAt: true,
} satisfies Prisma.PersonSelect;

const UNIQUE_VIOLATION = 'P2002';

function ignoreTwin(error: unknown): void {
  if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
}

/** A name that is safe to show: of a tag only letters and digits, and few of them; for anything else a short hash. */
function nameOf({ method, value }: Claim): { givenName: string; familyName: string; sortName: string } {
  const plain = method === 'local_storage' ? value.replace(/[^\p{L}\p{N}]/gu, '') : '';
  const short = plain.slice(0, 12) || createHash('sha256').update(value).digest('hex').slice(0, 6);
  const givenName = `Visitor ${short}`;
  return { givenName, familyName: '', sortName: sortNameOf(givenName, '') };
}
