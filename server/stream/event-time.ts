const DAY = 86_400_000;

/**
 * The client's time of an event, on the server's clock, in ms; undefined where it is implausible (delivery.md §2).
 * An entry without a clock offset came from a client of the predecessor's protocol, which has no `hello`: its time
 * is taken as it is, within wider bounds (wire.md §A4).
 */
export function eventTime(
  sent: number | undefined,
  offset: number | undefined,
  at: number,
): number | undefined {
  if (sent === undefined) return undefined;
  const corrected = sent + (offset ?? 0);
  const latest = at + (offset === undefined ? DAY : 5_000);
  return corrected >= at - 400 * DAY && corrected <= latest ? corrected : undefined;
}
