import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OrderedTree } from '../ordered-tree.js';

const tree = () => new OrderedTree<number>((a, b) => a - b);

describe('OrderedTree', () => {
  test('agrees with a sorted array under any operations', () => {
    const operation = fc.record({
      kind: fc.constantFrom('insert', 'delete', 'probe'),
      key: fc.integer({ min: 0, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const subject = tree();
        const model = new Set<number>();
        for (const { kind, key } of operations) {
          if (kind === 'insert') {
            expect(subject.insert(key)).toBe(!model.has(key));
            model.add(key);
          } else if (kind === 'delete') {
            expect(subject.delete(key)).toBe(model.delete(key));
          }
          const sorted = [...model].sort((a, b) => a - b);
          expect(subject.size).toBe(sorted.length);
          expect(subject.ceiling(key)).toBe(sorted.find((item) => item >= key));
          expect(subject.floor(key)).toBe(sorted.findLast((item) => item <= key));
          expect(subject.max()).toBe(sorted.at(-1));
        }
        expect([...subject]).toEqual([...model].sort((a, b) => a - b));
      }),
    );
  });

  test('stays shallow when items come in order', () => {
    const subject = tree();
    let compared = 0;
    const counting = new OrderedTree<number>((a, b) => {
      compared++;
      return a - b;
    });
    for (let i = 0; i < 20_000; i++) {
      subject.insert(i);
      counting.insert(i);
    }
    compared = 0;
    for (let i = 0; i < 1000; i++) expect(counting.ceiling(i * 20)).toBe(i * 20);
    expect(compared / 1000).toBeLessThan(60);
    expect([...subject]).toHaveLength(20_000);
  });
});
