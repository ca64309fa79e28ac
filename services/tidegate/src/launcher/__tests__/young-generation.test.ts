import { describe, expect, it } from '@jest/globals';
import { payloadListener, YoungGeneration } from '../young-generation.js';

describe('YoungGeneration', () => {
  it('collects once for every 4 MiB of payload, however they come', () => {
    let collections = 0;
    const collect = ({ type }: { readonly type: string }) => {
      if (type === 'minor') collections++;
    };
    const young = new YoungGeneration(collect, () => 20 << 20);
    for (let message = 0; message < 1024; message++) young.payload(64 << 10);
    expect(collections).toBe(16);
    young.payload(16 << 20);
    expect(collections).toBe(17);
  });

  it('collects everything once what survives has grown by 4 MiB, but not a heap that takes long', () => {
    let used = 18 << 20;
    const types: string[] = [];
    const young = new YoungGeneration(
      ({ type }) => {
        types.push(type);
        if (type === 'major') used = 16 << 20;
      },
      () => used,
    );
    const next = (bytes: number): string[] => {
      used = bytes;
      types.length = 0;
      young.payload(4 << 20);
      return [...types];
    };
    expect(next(18 << 20)).toEqual(['minor', 'major']);
    expect(next(19 << 20)).toEqual(['minor']);
    expect(next(20 << 20)).toEqual(['minor', 'major']);
    expect(next(16 << 20)).toEqual(['minor']);
    expect(next(200 << 20)).toEqual(['minor']);
  });

  it('takes payloads also where the collector cannot be called', () => {
    expect(() => payloadListener()(64 << 20)).not.toThrow();
  });
});
