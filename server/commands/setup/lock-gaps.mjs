// Optional platform packages that the lock does not hold make `npm ci` fail on every machine; `npm install` says nothing.
import { readFileSync } from 'node:fs';

/** `package -> optional dependency` for each that is named and not locked. */
export function lockGaps(path = 'package-lock.json') {
  const { packages } = JSON.parse(readFileSync(path, 'utf8'));
  const gaps = [];
  for (const [place, { optionalDependencies = {} }] of Object.entries(packages))
    for (const name of Object.keys(optionalDependencies))
      if (!isLocked(packages, place, name)) gaps.push(`${place} -> ${name}`);
  return gaps;
}

function isLocked(packages, place, name) {
  for (let folder = place; ; ) {
    if (packages[`${folder ? `${folder}/` : ''}node_modules/${name}`]) return true;
    if (!folder) return false;
    const cut = folder.lastIndexOf('/node_modules/');
    folder = cut < 0 ? '' : folder.slice(0, cut);
  }
}
