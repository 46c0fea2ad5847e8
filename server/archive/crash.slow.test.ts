import { expect, test } from 'vitest';
import { complaints, createLedger } from './ledger.ts';
import { createSimulatedDisk, type SimulatedDisk } from './simulated-file-system.ts';
import { appendRound, copyOf, openOn, randomFrom, whatIsLeft } from './simulated-life.ts';

/** `CASES=n` runs more, or fewer. */
const CASES = Number(process.env.CASES ?? 1000);

/** Lives until a random operation, then the power is cut while that operation is under way. Null: it lived to its end. */
async function liveUntilCut(disk: SimulatedDisk, seed: number, mended: string[], ledger = createLedger()) {
  const random = randomFrom(seed);
  let left: { disk: SimulatedDisk; stored: Map<string, number> } | null = null;
  let countdown = 1 + Math.floor(random() * 90);
  disk.setFault(() => {
    countdown -= 1;
    // A cut may also leave everything that was written: a whole group that nobody has heard of, above all.
    if (countdown === 0) {
      const after = random() < 0.25 ? copyOf(disk) : disk.crash(random);
      left = { disk: after, stored: new Map(ledger.stored) };
    }
    return undefined;
  });
  const onMended = (file: string) => void mended.push(`seed ${seed}: ${file}`);
  const life = await openOn(disk, { groupBytes: 900 }, undefined, onMended);
  for (let round = 0; round < 6 && !left; round += 1) {
    const sealing = random() < 0.3 ? life.archive.seal() : undefined;
    await appendRound(life, ledger, `life-${seed}`, round);
    await sealing;
  }
  await life.archive.close();
  disk.setFault(undefined);
  return left as { disk: SimulatedDisk; stored: Map<string, number> } | null;
}

test(`of ${CASES} power cuts at random moments none loses what was acknowledged, and none needs a human`, async () => {
  const start = Date.now() % 1_000_000;
  console.log(`seed ${start}`);
  let cuts = 0;
  let withUnsynced = 0;
  const mended: string[] = [];
  for (let seed = start; cuts < CASES; seed += 1) {
    const left = await liveUntilCut(createSimulatedDisk(), seed, mended);
    if (!left) continue;
    cuts += 1;
    const ledger = { ...createLedger(), stored: left.stored };
    // The second start may be cut as well: recovery must survive its own crash.
    const again = await liveUntilCut(left.disk, seed ^ 0x5555, mended, ledger);
    const entries = await whatIsLeft(again?.disk ?? left.disk);
    const stored = { ...createLedger(), stored: again?.stored ?? ledger.stored };
    expect(complaints(stored, entries), `seed ${seed}`).toEqual([]);
    if (entries.length > stored.stored.size + 3) withUnsynced += 1;
  }
  // Making anew is for disks that lose what they had: a cut alone takes nothing that others rely on.
  expect(mended).toEqual([]);
  // The cuts would prove nothing if they never met entries that were written and not yet acknowledged.
  expect(withUnsynced).toBeGreaterThan(CASES / 100 - 2);
});
