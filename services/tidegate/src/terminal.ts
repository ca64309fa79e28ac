import { type FailureBody, failureLine } from './format/failure.js';
import { type Column, fieldLines, tableLines } from './format/table.js';

/** A stream that lines go to. */
export interface LineSink {
  write(chunk: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
}

export interface TerminalOptions {
  readonly out?: LineSink;
  readonly err?: LineSink;
  readonly json: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Where a command's result goes: for people aligned text, with `json` one JSON value a line and nothing else. Notes and
 * failures go to standard error.
 */
export class Terminal {
  readonly json: boolean;
  readonly out: LineSink;
  readonly err: LineSink;
  readonly #bold: boolean;

  constructor({ out = process.stdout, err = process.stderr, json, env = process.env }: TerminalOptions) {
    this.json = json;
    this.out = out;
    this.err = err;
    this.#bold = out.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  }

  /** One value: as JSON, or as the lines that `text` makes of it. */
  value<T>(value: T, text: (value: T) => readonly string[]): void {
    if (this.json) this.out.write(`${JSON.stringify(value)}\n`);
    else for (const line of text(value)) this.out.write(`${line}\n`);
  }

  /** A list: one JSON value a row, or a table with a bold header; `none` is what people read where it is empty. */
  rows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], none: string): void {
    if (this.json) {
      for (const row of rows) this.out.write(`${JSON.stringify(row)}\n`);
      return;
    }
    if (rows.length === 0) this.note(none);
    else this.out.write(`${this.table(rows, columns).join('\n')}\n`);
  }

  /** Lines of a table whose header is bold on a terminal. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): readonly string[] {
    const [header = '', ...lines] = tableLines(columns, rows);
    return [this.#bold ? `\u001b[1m${header}\u001b[22m` : header, ...lines];
  }

  /** A record as aligned lines for people. */
  fields(fields: Parameters<typeof fieldLines>[0]): readonly string[] {
    return fieldLines(fields);
  }

  /** A line for people on standard error; nothing with `json`. */
  note(line: string): void {
    if (!this.json) this.err.write(`${line}\n`);
  }

  /** A failure on standard error, in one line. */
  failure(body: FailureBody): void {
    this.err.write(`${this.json ? JSON.stringify(body) : failureLine(body)}\n`);
  }
}
