/** Options that do not go together, each being right by itself; the program ends as it does for a wrong option. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}
