import type { RefusedCode } from '#server/errors.ts';
import type { Claim, Identity } from './identity.ts';
import type { Ingest } from './ingest.ts';
import type { Proofs } from './observer-claims.ts';

export type Prover = {
  /** A frame brought something that may prove who it is. */
  offer(proofs: Proofs, frame: number): void;
  /** The claim that was believed, if one was. */
  claimed(): string | undefined;
  /** Runs once what was offered is decided, so that frames sent just before an end are not lost to it. */
  settled(run: () => void): void;
};

type Outcome = {
  readonly identified: (identity: Identity) => void;
  readonly unknown: (code: RefusedCode) => void;
  readonly badToken: (frame: number) => void;
};

/** Tries proofs in the order of wire.md §A7 until the first proves somebody: the upgrade's, a token, a claim. */
export function openProver(ingest: Ingest, atUpgrade: Promise<Identity | null>, outcome: Outcome): Prover {
  const waiting: (() => void)[] = [];
  let token: { readonly value: string; readonly frame: number } | undefined;
  let claim: Claim | undefined;
  let claimed: string | undefined;
  let isProving = false;
  let isKnown = false;

  void work(async () => {
    const identity = await atUpgrade;
    if (identity) await accept(identity);
  });

  /** One at a time; what fails for a reason of ours is noted, and the next proof is tried. */
  async function work(first?: () => Promise<void>): Promise<void> {
    isProving = true;
    for (let next = first ?? nextProof(); next; next = nextProof()) {
      await next().catch(() => ingest.core.counter.noted('identity-unknown'));
    }
    isProving = false;
    for (const run of waiting.splice(0)) run();
  }

  async function accept(identity: Identity): Promise<void> {
    await ingest.core.rules.prepare(identity.student);
    isKnown = true;
    outcome.identified(identity);
  }

  function nextProof(): (() => Promise<void>) | undefined {
    if (isKnown) return undefined;
    if (token) {
      const tried = token;
      token = undefined;
      return () => tryToken(tried.value, tried.frame);
    }
    if (!claim) return undefined;
    const tried = claim;
    claim = undefined;
    return () => tryClaim(tried);
  }

  async function tryToken(value: string, frame: number): Promise<void> {
    const identity = await ingest.identify.byToken(value);
    if (identity) await accept(identity);
    else outcome.badToken(frame);
  }

  async function tryClaim(tried: Claim): Promise<void> {
    const found = await ingest.identify.byClaim(tried);
    if (typeof found === 'string') {
      outcome.unknown(found);
      return;
    }
    claimed = tried.value;
    await accept(found);
  }

  return {
    offer(proofs, frame) {
      if (proofs.token !== undefined) token = { value: proofs.token, frame };
      claim ??= proofs.claim;
      if (!isProving && (token || claim)) void work();
    },
    claimed: () => claimed,
    settled(run) {
      if (isProving) waiting.push(run);
      else run();
    },
  };
}
