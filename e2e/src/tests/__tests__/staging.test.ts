import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DTYPES, isOpaque, itemSize } from '@tidegate/array';
import type { Tidegate } from '@tidegate/client';
import { makeBox } from '@tidegate/geometry';
import { seededRandom } from '@tidegate/testing';
import { cutOut, differenceOf, domainBytes } from '../cells.js';
import { type Cluster, startCluster } from '../cluster.js';
import { randomBox, unevenBoxes } from '../uneven-boxes.js';

const WRITERS = 7;
const READERS = 5;
const SHAPES: readonly (readonly number[])[] = [[1009], [37, 53], [13, 9, 17], [7, 5, 6, 9]];
const NUMERIC = DTYPES.filter((dtype) => !isOpaque(dtype));
const CLUSTERS = [
  { title: '16 shards along the curve, 2 raw-services, 2 meta-services', options: { raw: 2, meta: 2 }, layout: false },
  { title: '4 shards in blocks, 3 raw-services', options: { raw: 3, shards: 4 }, layout: true },
];

describe.each(CLUSTERS)('M writers, N readers: $title', ({ options, layout }) => {
  let cluster: Cluster;
  let writers: readonly Tidegate[];
  let readers: readonly Tidegate[];

  beforeAll(async () => {
    cluster = await startCluster(options);
    writers = await Promise.all(Array.from({ length: WRITERS }, () => cluster.sdk()));
    readers = await Promise.all(Array.from({ length: READERS }, () => cluster.sdk()));
  });
  afterAll(() => cluster?.stop());

  test.each(SHAPES.map((shape) => ({ shape })))('any region of $shape, every dtype', async ({ shape }) => {
    const random = seededRandom(shape.length);
    for (const dtype of NUMERIC) {
      const variable = `${dtype}-${shape.length}d`;
      const record = await writers[0]?.declare({
        name: variable,
        dtype,
        shape: [...shape],
        ...(layout && { layout: shape.map((size) => Math.min(2, size)) }),
      });
      expect(record).toMatchObject({ name: variable, dtype, shape, shards: options.shards ?? 16 });
      const cell = itemSize(dtype);
      const domain = domainBytes(dtype, shape, random);
      const written = unevenBoxes(shape, WRITERS, random);
      const wanted = [
        ...unevenBoxes(shape, READERS, random),
        randomBox(shape, random),
        makeBox(
          shape.map(() => 0),
          shape,
        ),
      ];
      const [received] = await Promise.all([
        Promise.all(
          wanted.map((box, at) => readers[at % READERS]?.get({ variable, step: 3, run: 'mn', box, waitMs: 10_000 })),
        ),
        ...written.map((box, at) =>
          writers[at]?.put({ variable, step: 3, run: 'mn', box, data: cutOut(domain, shape, box, cell) }),
        ),
      ]);
      for (const [at, box] of wanted.entries()) {
        const array = received[at];
        expect(array).toMatchObject({ variable, run: 'mn', step: 3, epoch: 0, dtype, box });
        expect(differenceOf(array?.bytes ?? new Uint8Array(), cutOut(domain, shape, box, cell))).toBeUndefined();
      }
      await writers[1]?.delete({ variable, run: 'mn', steps: 3 });
    }
  });

  test('the partitions of a step lie on every raw-service, each told once', async () => {
    const [sdk] = writers;
    await sdk?.declare({ name: 'spread', dtype: 'uint8', shape: [64, 64] });
    const boxes = unevenBoxes([64, 64], 40, seededRandom(5));
    for (const box of boxes) {
      await sdk?.put({ variable: 'spread', step: 0, box, data: cutOut(new Uint8Array(4096), [64, 64], box, 1) });
    }
    const { covered, pieces, missing } = (await readers[0]?.query({ variable: 'spread', step: 0 })) ?? {};
    expect({ covered, missing }).toEqual({ covered: true, missing: [] });
    expect(new Set(pieces?.map((piece) => piece.id)).size).toBe(40);
    expect(pieces).toHaveLength(40);
    expect(new Set(pieces?.map((piece) => piece.rawService)).size).toBe(options.raw);
    const [step] = (await readers[1]?.listSteps({ variable: 'spread' })) ?? [];
    expect(step).toEqual({ step: 0, covered: true, partitions: 40, bytes: 4096, tier: 'memory', pinned: false });
  });
});
