/**
 * Of any second, what is spent stays under BURST + 1000 × SHARE and the last piece; a piece that runs longer is paid
 * back before the next begins.
 */
const BURST_MS = 40;
const SHARE = 0.45;

/** How much of the event loop's time may be spent: half of it at most, with slices of 8 ms 498 ms of any second. */
export type Budget = {
  /** How long to wait before anything may be spent, ms; 0: now. */
  owedMs(): number;
  spend(ms: number): void;
};

export function openBudget(now: () => number): Budget {
  let credit = BURST_MS;
  let countedAt = now();
  return {
    owedMs() {
      const at = now();
      credit = Math.min(BURST_MS, credit + (at - countedAt) * SHARE);
      countedAt = at;
      return credit > 0 ? 0 : -credit / SHARE + 1;
    },
    spend(ms) {
      credit -= ms;
    },
  };
}
