/** No release below these may be locked; each line says why and since when. */
export const FLOORS = [
  {
    name: 'next',
    floor: '16.2.11',
    since: '2026-11-21',
    why: 'earlier ones let internal headers steer a request',
  },
  {
    name: 'react',
    floor: '19.2.1',
    since: '2026-11-21',
    why: 'earlier ones decode server action payloads unsafely',
  },
  { name: 'next-auth', floor: '4.24.15', since: '2026-11-21', why: 'the line that is kept in repair' },
  { name: 'socket.io', floor: '4.8.3', since: '2026-11-21', why: 'brings the repaired parser and engine' },
  {
    name: 'socket.io-parser',
    floor: '4.2.7',
    since: '2026-11-21',
    why: 'earlier ones trust the number of attachments',
  },
  {
    name: 'engine.io',
    floor: '6.6.9',
    since: '2026-11-21',
    why: 'earlier ones end the process on a malformed upgrade',
  },
  { name: 'ws', floor: '8.21.1', since: '2026-11-21', why: 'earlier ones end the process on many headers' },
  {
    name: 'node',
    floor: '24.0.0',
    since: '2026-11-21',
    why: 'the long-term line that runs the sources as they are',
  },
];

const numbers = (version) => version.split('-')[0].split('.').map(Number);

/** Below zero, zero, above zero: as one version is to the other. Pre-releases count as their release. */
export function compareVersions(one, other) {
  const [a, b] = [numbers(one), numbers(other)];
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}

/** `name version` of each locked package that lies below its floor, nested copies included. */
export function belowFloor(packages) {
  const found = [];
  for (const [place, { version }] of Object.entries(packages)) {
    const rule = FLOORS.find(({ name }) => place.endsWith(`node_modules/${name}`));
    if (rule && compareVersions(version, rule.floor) < 0) found.push(`${rule.name} ${version}`);
  }
  return found;
}
