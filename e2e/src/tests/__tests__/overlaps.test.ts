import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Tidegate } from '@tidegate/client';
import { makeBox } from '@tidegate/geometry';
import { seededRandom } from '@tidegate/testing';
import { cellsOf } from '../cells.js';
import { type Cluster, startCluster } from '../cluster.js';
import { randomBox } from '../uneven-boxes.js';

const SHAPES: readonly (readonly number[])[] = [[400], [24, 31], [9, 8, 10], [5, 4, 6, 5]];
let cluster: Cluster;
let clients: readonly Tidegate[];

beforeAll(async () => {
  cluster = await startCluster({ raw: 2, meta: 2 });
  clients = await Promise.all(Array.from({ length: 4 }, () => cluster.sdk()));
});
afterAll(() => cluster?.stop());

function client(at: number): Tidegate {
  const found = clients[at % clients.length];
  if (!found) throw new Error('expected a client');
  return found;
}

test.each(SHAPES.map((shape) => ({ shape })))(
  'one put after another in $shape: the newest wins in every cell',
  async ({ shape }) => {
    const random = seededRandom(100 + shape.length);
    const variable = `painted-${shape.length}d`;
    const cells = shape.reduce((product, size) => product * size, 1);
    await client(0).declare({ name: variable, dtype: 'uint32', shape: [...shape] });
    const painted = new Uint32Array(cells);
    const raws = new Set<string>();
    for (let colour = 1; colour <= 60; colour++) {
      const box =
        colour === 1
          ? makeBox(
              shape.map(() => 0),
              shape,
            )
          : randomBox(shape, random);
      const positions = [...cellsOf(shape, box)];
      const { rawService } = await client(colour).put({
        variable,
        step: 0,
        box,
        data: new Uint32Array(positions.length).fill(colour),
      });
      raws.add(rawService);
      for (const position of positions) painted[position] = colour;
      if (colour % 20 !== 0) continue;
      const whole = await client(colour + 1).get({ variable, step: 0 });
      expect(Buffer.compare(whole.bytes, new Uint8Array(painted.buffer))).toBe(0);
      const part = randomBox(shape, random);
      const { data } = await client(colour + 2).get({ variable, step: 0, box: part });
      expect([...data].map(Number)).toEqual([...cellsOf(shape, part)].map((position) => painted[position]));
    }
    expect(raws.size).toBe(2);
  },
);

test('waves of concurrent puts: each cell shows one of the last wave that painted it', async () => {
  const shape = [40, 40];
  const random = seededRandom(77);
  await client(0).declare({ name: 'waves', dtype: 'uint32', shape });
  const allowed: Set<number>[] = Array.from({ length: 1600 }, () => new Set());
  let colour = 0;
  for (let wave = 0; wave < 12; wave++) {
    const puts = Array.from({ length: wave === 0 ? 1 : 8 }, () => {
      colour++;
      const box = wave === 0 ? makeBox([0, 0], shape) : randomBox(shape, random);
      return { colour, box, positions: [...cellsOf(shape, box)] };
    });
    await Promise.all(
      puts.map(({ colour: own, box, positions }) =>
        client(own).put({ variable: 'waves', step: 0, box, data: new Uint32Array(positions.length).fill(own) }),
      ),
    );
    const touched = new Map<number, Set<number>>();
    for (const put of puts) {
      for (const position of put.positions) touched.set(position, (touched.get(position) ?? new Set()).add(put.colour));
    }
    for (const [position, colours] of touched) allowed[position] = colours;
    const first = await client(wave).get({ variable: 'waves', step: 0 });
    const wrong = [...first.data].map(Number).filter((value, position) => !allowed[position]?.has(value));
    expect(wrong).toEqual([]);
    // Whoever asks, and however the box is cut, the same put has won.
    const again = await client(wave + 1).get({ variable: 'waves', step: 0 });
    expect(Buffer.compare(first.bytes, again.bytes)).toBe(0);
  }
});
