import { describe, expect, test } from '@jest/globals';
import { HEADERS } from '@tidegate/protocol';
import { replyInParts } from '../reply-parts.js';
import { sampleBytes } from './partition-samples.js';

async function send(bytes: number, maxPayload: number) {
  const data = sampleBytes('reply', bytes);
  const sent: { readonly data: Uint8Array; readonly offset: number; readonly total: number }[] = [];
  const flushedAt: number[] = [];
  const take = (part: Uint8Array, headers: Readonly<Record<string, string>> = {}) => {
    sent.push({
      data: part,
      offset: Number(headers[HEADERS.offset]),
      total: Number(headers[HEADERS.totalBytes]),
    });
  };
  const request = { send: take, flush: async () => void flushedAt.push(sent.length) };
  const whole = await replyInParts({ maxPayload }, request, data);
  if (whole !== undefined) take(whole.data, whole.headers as Readonly<Record<string, string>>);
  return { sent, flushedAt, data };
}

describe('replyInParts', () => {
  test('sends what fits in one message', async () => {
    const { sent, data } = await send(1000, 1 << 20);
    expect(sent).toEqual([{ data, offset: 0, total: 1000 }]);
    expect((await send(0, 1 << 20)).sent).toMatchObject([{ offset: 0, total: 0 }]);
  });

  test('sends the rest in parts, in order, and waits for the server now and then', async () => {
    for (const [bytes, maxPayload] of [
      [100_000, 20_000],
      [9 << 20, 1 << 20],
      [(1 << 20) - 4095, 1 << 20],
    ] as const) {
      const { sent, flushedAt, data } = await send(bytes, maxPayload);
      let offset = 0;
      for (const part of sent) {
        expect([part.offset, part.total]).toEqual([offset, bytes]);
        expect(part.data.length).toBeLessThanOrEqual(maxPayload - 4096);
        offset += part.data.length;
      }
      expect(Buffer.compare(Buffer.concat(sent.map((part) => part.data)), data)).toBe(0);
      expect(flushedAt).toEqual(bytes === 9 << 20 ? [8, 16] : []);
    }
  });
});
