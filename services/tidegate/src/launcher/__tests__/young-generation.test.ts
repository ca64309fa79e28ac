import { describe, expect, it } from '@jest/globals';
import { payloadListener, YoungGeneration } from '../young-generation.js';

describe('YoungGeneration', () => {
  it('collects once for every 4 MiB of payload, however they come', () => {
    let collections = 0;
    const young = new YoungGeneration((options) => {
      expect(options).toEqual({ type: 'minor' });
      collections++;
    });
    for (let message = 0; message < 1024; message++) young.payload(64 << 10);
    expect(collections).toBe(16);
    young.payload(16 << 20);
    expect(collections).toBe(17);
  });

  it('takes payloads also where the collector cannot be called', () => {
    expect(() => payloadListener()(64 << 20)).not.toThrow();
  });
});
