import { WriteStream } from 'node:tty';
import { describe, expect, test } from '@jest/globals';
import { openProgress } from '../progress.js';

/** A stream that keeps what is written; `columns` makes it a terminal. */
function recorded(columns?: number): { readonly stream: WriteStream; readonly text: () => string } {
  let text = '';
  const write = (chunk: string): boolean => {
    text += chunk;
    return true;
  };
  // The methods of a terminal write their sequences by `write`.
  const stream = Object.create(WriteStream.prototype, {
    write: { value: write },
    isTTY: { value: columns !== undefined },
    columns: { value: columns, writable: true },
  }) as WriteStream;
  return { stream, text: () => text };
}

const run = { title: '2-D 8x8', steps: 4, total: 10 };

describe('on a terminal', () => {
  test('a bar shows both steps and leaves the cursor as it was', () => {
    const { stream, text } = recorded(100);
    const progress = openProgress({ ...run, stream });
    progress.update({ written: 4, read: 3, done: 9 });
    progress.stop();
    expect(text()).toContain('2-D 8x8');
    expect(text()).toContain('90%  step 4 of 4, read 3');
    expect(text().lastIndexOf('\u001b[?25h')).toBeGreaterThan(text().lastIndexOf('\u001b[?25l'));
  });

  test.each([50, 66, 80])('a line fits into %i columns', (columns) => {
    const { stream, text } = recorded(columns);
    const progress = openProgress({ ...run, steps: 2000, stream });
    progress.update({ written: 1999, read: 1998, done: 10 });
    progress.stop();
    const parts = text()
      .split('\u001b')
      .map((part) => part.replace(/^\[[0-9?]*[A-Za-z]/, '').trimEnd());
    const line = parts.findLast((part) => part.includes('step'));
    expect(line).toContain('read 1998');
    expect(line?.length).toBeLessThanOrEqual(columns);
  });
});

test('without a terminal only lines are written, the last one in any case', () => {
  const { stream, text } = recorded();
  const progress = openProgress({ ...run, stream });
  progress.update({ written: 1, read: 0, done: 3 });
  progress.update({ written: 4, read: 4, done: 10 });
  progress.stop();
  expect(text()).toBe('2-D 8x8: step 4 of 4, read 4\n');
});
