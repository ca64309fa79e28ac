/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | boolean;
  /** Default `left`; numbers and sizes read better on the right. */
  readonly align?: 'left' | 'right';
}

const GAP = '  ';

/** The lines of a table: a header and one line a row, columns two spaces apart, nothing behind the last cell. */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): readonly string[] {
  const cells = rows.map((row) => columns.map((column) => cellText(column.value(row))));
  const widths = columns.map((column, at) =>
    cells.reduce((width, row) => Math.max(width, row[at]?.length ?? 0), column.title.length),
  );
  const line = (texts: readonly string[]): string =>
    columns
      .map(({ align }, at) => {
        const text = texts[at] ?? '';
        return align === 'right' ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0);
      })
      .join(GAP)
      .trimEnd();
  return [columns.map(({ title }) => title), ...cells].map(line);
}

/** Lines of `name  value`, the values aligned. */
export function fieldLines(fields: Readonly<Record<string, string | number | boolean | undefined>>): readonly string[] {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...present.map(([name]) => name.length));
  return present.map(([name, value]) => `${name.padEnd(width)}${GAP}${cellText(value ?? '')}`);
}

function cellText(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}
