const DIGITS = 6;

/** A number for people: integers whole, others with six significant digits and without trailing zeros. */
export function formatNumber(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(DIGITS)));
}
