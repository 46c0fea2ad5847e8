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

/**
 * Finds or makes the person that a client of the predecessor's protocol claims to be, where the domain's setting allows it:
 * off unless switched on; outside demo mode only from named networks and until a date, and never for `local` (access.md §5).
 */
export function openClaims(
  store: RightsStore,
  settings: { readonly isDemo: boolean; readonly visitorsClassroomId: string },
): (claim: Claim) => Promise<Identity | 'claims-off' | 'claim-unknown'> {
  const { prisma, clock } = store;

  async function findPolicy(claim: Claim): Promise<Policy | null> {
    if (claim.domain === 'local' && !settings.isDemo) return null;
    const now = new Date(clock());
    const rows = await prisma.domainPolicy.findMany({
      where: {
        domain: claim.domain,
        claims: { in: ['match', 'create'] },
        OR: [{ claimsUntil: null }, { claimsUntil: { gt: now } }],
      },
    });
    const counted = settings.isDemo
      ? rows
      : rows.filter((row) => row.claimsUntil && isWithin(claim.address, row.claimNetworks));
    return counted.length === 1 ? (counted[0] ?? null) : null; // two schools that claim one domain: nobody's
  }

  async function findPerson(claim: Claim, key: Key, { schoolId }: Policy) {
    const known = await prisma.externalId.findUnique({
      where: { kind_issuer_value: key },
      select: { person: { select: PERSON } },
    });
    if (known) return known.person;
    const { email, domain } = claim;
    if (!email || domain === 'local' || !email.toLowerCase().endsWith(`@${domain}`)) return null;
    const byMail = await prisma.person.findMany({
      where: { schoolId, emailVerified: { not: null }, email: { equals: email, mode: 'insensitive' } },
      select: PERSON,
      take: 2,
    });
    return byMail.length === 1 ? (byMail[0] ?? null) : null;
  }

  async function create(claim: Claim, key: Key, schoolId: string): Promise<string | null> {
    if ((await prisma.person.count({ where: { schoolId, claimed: true } })) >= MOST_VISITORS) return null;
    const id = newId();
    const isVisitor = settings.isDemo && claim.domain === 'local';
    const classroomId = settings.visitorsClassroomId;
    await changeRights(
      store,
      systemActor(schoolId),
      { action: 'person made by a claim', subjectKind: 'student', subjectId: id },
      isVisitor ? { kind: 'roster', personId: id, classroomId } : { kind: 'person', personId: id },
      [
        prisma.person.create({ data: { id, schoolId, claimed: true, ...nameOf(claim) } }),
        prisma.externalId.create({ data: { id: newId(), personId: id, schoolId, ...key, source: 'claim' } }),
        ...(isVisitor ? [enroll(id, schoolId, classroomId)] : []),
      ],
    );
    return id;
  }

  const enroll = (personId: string, schoolId: string, classroomId: string) =>
    prisma.enrollment.create({
      data: {
        id: newId(),
        classroomId,
        personId,
        schoolId,
        from: new Date(clock()),
        source: 'hand',
        byHand: true,
      },
    });

  const identity = (student: string, school: string, key: Key): Identity => ({
    student,
    school,
    kind: 'claimed',
    credential: `claim:${key.kind}:${createHash('sha256').update(key.value).digest('hex').slice(0, 16)}`,
    expiresAt: null,
  });

  return async (claim) => {
    const policy = await findPolicy(claim);
    if (!policy) return 'claims-off';
    const { schoolId } = policy;
    const key = keyOf(claim, schoolId);
    if (!key) return 'claim-unknown';
    let person = await findPerson(claim, key, policy);
    if (!person && policy.claims === 'create') {
      // Two sockets of one tag may come at once: the second finds the first one's person.
      const id = await create(claim, key, schoolId).catch((error) => ignoreTwin(error));
      if (id) return identity(id, schoolId, key);
      person = await findPerson(claim, key, policy);
    }
    if (!person || person.schoolId !== schoolId || person.state !== 'active') return 'claim-unknown';
    return person.claimsEndedAt ? 'claims-off' : identity(person.id, schoolId, key);
  };
}

const PERSON = {
  id: true,
  schoolId: true,
  state: true,
  claimsEndedAt: true,
} satisfies Prisma.PersonSelect;

const UNIQUE_VIOLATION = 'P2002';

function ignoreTwin(error: unknown): null {
  if ((error as { code?: string }).code === UNIQUE_VIOLATION) return null;
  throw error;
}

/** A name that is safe to show: of a tag only letters and digits, and few of them; for anything else a short hash. */
function nameOf({ method, value }: Claim): { givenName: string; familyName: string; sortName: string } {
  const plain = method === 'local_storage' ? value.replace(/[^\p{L}\p{N}]/gu, '') : '';
  const short = plain.slice(0, 12) || createHash('sha256').update(value).digest('hex').slice(0, 6);
  const givenName = `Visitor ${short}`;
  return { givenName, familyName: '', sortName: sortNameOf(givenName, '') };
}
