import { expect, test } from '@jest/globals';
import { withResults } from '../readme-section.js';

const results = {
  date: '2026-03-04T05:06:07.000Z',
  machine: { cpu: 'Some CPU', cores: 2, memoryGiB: 8 },
  versions: { node: 'v24.1.0', nats: '2.15.2' },
  figures: { smallPut: [{ bytes: 1024, roundTrip: 0.2, p50: 0.5, p99: 1, roundTrips: 2.5 }] },
};

test('what is between the markers is written anew, and nothing else', () => {
  const before = '# Title\n\n<!-- bench:begin -->\nold\n<!-- bench:end -->\n\n## More\n';
  const after = withResults(before, results);
  expect(after).toMatch(/^# Title\n\n<!-- bench:begin -->\n\n/);
  expect(after).toMatch(/\|\n\n<!-- bench:end -->\n\n## More\n$/);
  expect(after).not.toContain('old');
  expect(after).toContain('on 2 cores (Some CPU), Node 24.1.0, nats-server 2.15.2,');
  expect(after).toContain('| 1.0 KiB |');
  expect(withResults(after, results)).toBe(after);
});

test('prose keeps within its width', () => {
  const lines = withResults('<!-- bench:begin --><!-- bench:end -->', results).split('\n');
  const prose = lines.filter((line) => !line.startsWith('|'));
  expect(Math.max(...prose.map(({ length }) => length))).toBeLessThanOrEqual(125);
});

test('a text without the markers is refused', () => {
  expect(() => withResults('# Title\n', results)).toThrow(/bench:begin/);
  expect(() => withResults('<!-- bench:end --><!-- bench:begin -->', results)).toThrow(/bench:begin/);
});
