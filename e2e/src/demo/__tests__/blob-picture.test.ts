import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '@tidegate/testing';
import { PNG } from 'pngjs';
import { blobsToPng, labelBlobs } from '../blob-picture.js';

/** Labels by spreading the smallest place of a cell until nothing changes. */
function labelsBySpreading(field: Float64Array, height: number, width: number, above: number): number[] {
  const places = [...field].map((value, cell) => (value > above ? cell : -1));
  for (let changed = true; changed; ) {
    changed = false;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const cell = y * width + x;
        if ((places[cell] ?? -1) < 0) continue;
        for (const [dy, dx] of [
          [0, 1],
          [1, 0],
          [0, -1],
          [-1, 0],
        ] as const) {
          if (y + dy < 0 || y + dy >= height || x + dx < 0 || x + dx >= width) continue;
          const place = places[cell + dy * width + dx] ?? -1;
          if (place < 0 || place >= (places[cell] ?? 0)) continue;
          places[cell] = place;
          changed = true;
        }
      }
    }
  }
  const order = [...new Set(places.filter((place) => place >= 0))].sort((a, b) => a - b);
  return places.map((place) => order.indexOf(place) + 1);
}

describe('labelBlobs', () => {
  test('agrees with spreading on random fields', () => {
    const random = seededRandom(5);
    for (let round = 0; round < 200; round++) {
      const height = random.int(1, 12);
      const width = random.int(1, 12);
      const field = Float64Array.from({ length: height * width }, () => random.int(0, 100) / 100);
      const above = random.int(10, 90) / 100;
      const expected = labelsBySpreading(field, height, width, above);
      const { labels, count } = labelBlobs(field, height, width, above);
      expect([...labels]).toEqual(expected);
      expect(count).toBe(Math.max(...expected));
    }
  });

  test('what is no number is outside', () => {
    expect([...labelBlobs(Float64Array.of(1, Number.NaN, 1), 1, 3, 0.5).labels]).toEqual([1, 0, 2]);
  });
});

describe('blobsToPng', () => {
  const field = Float64Array.of(1, 1, 0, 0, 0, 0, 0, 1);
  const png = PNG.sync.read(Buffer.from(blobsToPng(field, 2, 4, { above: 0.5, scale: 2 })));
  const at = (y: number, x: number) => [...png.data.subarray((y * png.width + x) * 4, (y * png.width + x) * 4 + 3)];

  test('gives each blob a colour of its own', () => {
    expect([png.height, png.width]).toEqual([4, 8]);
    expect(at(0, 0)).toEqual(at(1, 3));
    expect(at(0, 0)).not.toEqual(at(3, 7));
    expect(Math.max(...at(3, 7))).toBe(255);
  });

  test('dims the rest', () => {
    expect(Math.max(...at(0, 6))).toBeLessThan(20);
  });
});
