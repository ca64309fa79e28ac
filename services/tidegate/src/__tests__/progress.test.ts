import { PassThrough } from 'node:stream';
import { describe, expect, jest, test } from '@jest/globals';
import { transferProgress } from '../progress.js';

function terminal(isTTY: boolean): NodeJS.WriteStream & { readonly text: () => string } {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return Object.assign(stream, {
    isTTY,
    columns: 100,
    text: () => text,
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  }) as unknown as NodeJS.WriteStream & { readonly text: () => string };
}

describe('transferProgress', () => {
  test('shows a bar once a transfer takes longer than a second', () => {
    const now = jest.spyOn(performance, 'now');
    try {
      const stream = terminal(true);
      now.mockReturnValue(0);
      const progress = transferProgress('put T', 4 << 20, stream);
      progress.update(1 << 20);
      expect(stream.text()).toBe('');
      now.mockReturnValue(1500);
      progress.update(2 << 20);
      progress.stop();
      expect(stream.text()).toContain('put T');
      expect(stream.text()).toContain('50%  2.0 MiB of 4.0 MiB');
    } finally {
      now.mockRestore();
    }
  });

  test('is silent where nobody watches', () => {
    const stream = terminal(false);
    const progress = transferProgress('put T', 100, stream);
    progress.update(50);
    progress.stop();
    expect(stream.text()).toBe('');
  });
});
