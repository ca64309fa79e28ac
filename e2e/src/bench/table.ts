import { type Column, tableLines } from 'tidegate';

/** A table with what there is to say before it. */
export interface Table {
  readonly title: string;
  readonly note: string;
  readonly head: readonly string[];
  /** Columns that read better on the right. */
  readonly right: readonly boolean[];
  readonly cells: readonly (readonly string[])[];
}

/** Makes a table of rows. */
export function tableOf<Row>(
  { title, note = '' }: { readonly title: string; readonly note?: string },
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Table {
  return {
    title,
    note,
    head: columns.map((column) => column.title),
    right: columns.map(({ align }) => align === 'right'),
    cells: rows.map((row) => columns.map(({ value }) => String(value(row)))),
  };
}

/** As it is printed. */
export function terminalLines({ title, note, head, right, cells }: Table): readonly string[] {
  const columns = head.map(
    (name, at): Column<readonly string[]> => ({
      title: name,
      value: (row) => row[at] ?? '',
      align: right[at] ? 'right' : 'left',
    }),
  );
  const lines = tableLines(columns, cells).map((line) => `  ${line}`);
  return [title, ...(note === '' ? [] : [note]), '', ...lines];
}

/** As Markdown, its columns aligned in the source as well. */
export function markdownLines({ title, note, head, right, cells }: Table): readonly string[] {
  const widths = head.map((name, at) =>
    cells.reduce((width, row) => Math.max(width, row[at]?.length ?? 0), Math.max(3, name.length)),
  );
  const line = (texts: readonly string[]): string => {
    const padded = widths.map((width, at) =>
      right[at] ? (texts[at] ?? '').padStart(width) : (texts[at] ?? '').padEnd(width),
    );
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, at) => (right[at] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [`**${title}.**${note === '' ? '' : ` ${note}`}`, '', line(head), line(rule), ...cells.map(line)];
}
