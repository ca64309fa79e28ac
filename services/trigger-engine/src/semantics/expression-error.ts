/** An expression that is refused, and where: line and column count from 1. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  /** What is wrong, without the place; one line. */
  readonly problem: string;
  readonly line: number;
  readonly column: number;

  constructor(source: string, offset: number, problem: string, options?: ErrorOptions) {
    const before = source.slice(0, offset);
    const line = before.split('\n').length;
    const column = offset - before.lastIndexOf('\n');
    const told = problem.replaceAll(/\s+/g, ' ');
    super(`${told} (${line === 1 ? '' : `line ${line}, `}column ${column})`, options);
    this.problem = told;
    this.line = line;
    this.column = column;
  }
}

/** What the library's errors say of themselves. */
interface LocatedError {
  readonly summary: string;
  readonly range?: { readonly start: number } | undefined;
}

function isLocated(error: unknown): error is Error & LocatedError {
  return error instanceof Error && 'summary' in error && typeof error.summary === 'string';
}

/** The offset in the source that an error of the library points at, or 0. */
function offsetOf(error: unknown): number {
  return isLocated(error) ? (error.range?.start ?? 0) : 0;
}

/** What an error of the library says, in one line and without the excerpt of the source that its message has. */
export function problemOf(error: unknown): string {
  if (isLocated(error)) return error.summary.replaceAll(/\s+/g, ' ');
  return error instanceof Error ? error.message : String(error);
}

/** The refusal that an error of the parser or the type checker comes to. */
export function refusalOf(source: string, error: unknown): ExpressionError {
  if (error instanceof ExpressionError) return error;
  const problem = error instanceof RangeError ? 'it nests too deeply' : problemOf(error);
  return new ExpressionError(source, offsetOf(error), problem, { cause: error });
}
