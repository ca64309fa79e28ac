const SIZE = /^([0-9]+(?:\.[0-9]+)?) *([a-z]*)$/i;
const STEP_OF: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * The bytes of a size as people write it: `1073741824`, `512MiB`, `4GB`, `1.5g`. `KiB MiB GiB TiB PiB` and a bare letter
 * count by 1024, `KB MB GB TB PB` by 1000; case does not matter.
 *
 * @returns whole bytes, rounded down; undefined where the text is no size
 */
export function parseBytes(text: string): number | undefined {
  const match = SIZE.exec(text.trim());
  if (!match) return undefined;
  const [, digits = '', suffix = ''] = match;
  const factor = unitBytes(suffix.toLowerCase());
  if (factor === undefined) return undefined;
  const bytes = Math.floor(Number(digits) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function unitBytes(suffix: string): number | undefined {
  if (suffix === '' || suffix === 'b') return 1;
  const step = STEP_OF[suffix.charAt(0)];
  if (step === undefined) return undefined;
  const rest = suffix.slice(1);
  if (rest === '' || rest === 'ib') return 1024 ** step;
  return rest === 'b' ? 1000 ** step : undefined;
}
