import { describe, expect, test } from '@jest/globals';
import { type LineSink, Terminal } from '../terminal.js';

function sink(isTTY = false): LineSink & { text: string } {
  return {
    isTTY,
    text: '',
    write(chunk) {
      this.text += String(chunk);
    },
  };
}

const COLUMNS = [{ title: 'N', value: ({ n }: { n: number }) => n }];
const BODY = { code: 'CONFLICT', message: 'two\nlines', retryable: false } as const;

describe('Terminal', () => {
  test('with json prints a value a line, and nothing else on standard output', () => {
    const [out, err] = [sink(true), sink(true)];
    const terminal = new Terminal({ out, err, json: true, env: {} });
    terminal.value({ a: 1 }, () => ['never']);
    terminal.rows([{ n: 1 }, { n: 2 }], COLUMNS, 'none');
    terminal.rows([], COLUMNS, 'none');
    terminal.note('a note');
    terminal.failure(BODY);
    expect(out.text).toBe('{"a":1}\n{"n":1}\n{"n":2}\n');
    expect(JSON.parse(err.text)).toEqual(BODY);
  });

  test('for people prints text, notes apart', () => {
    const [out, err] = [sink(), sink()];
    const terminal = new Terminal({ out, err, json: false, env: {} });
    terminal.value({ a: 1 }, ({ a }) => [`a is ${a}`]);
    terminal.rows([{ n: 1 }], COLUMNS, 'none');
    terminal.rows([], COLUMNS, 'none');
    terminal.failure(BODY);
    expect(out.text).toBe('a is 1\nN\n1\n');
    expect(err.text).toBe('none\nerror: CONFLICT: two lines\n');
  });

  test('is bold on a terminal alone, and not against NO_COLOR', () => {
    const header = (isTTY: boolean, env: NodeJS.ProcessEnv) =>
      new Terminal({ out: sink(isTTY), json: false, env }).table([], COLUMNS)[0];
    expect(header(true, {})).toBe('\u001b[1mN\u001b[22m');
    expect(header(false, {})).toBe('N');
    expect(header(true, { NO_COLOR: '1' })).toBe('N');
    expect(header(true, { TERM: 'dumb' })).toBe('N');
  });
});
