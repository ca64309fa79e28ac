/** `node e2e/dist/bench/readme.js`: writes the figures of `e2e/bench/results.json` into the README. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withResults } from './readme-section.js';
import { readResults } from './results.js';

const README = fileURLToPath(new URL('../../../README.md', import.meta.url));

const results = readResults();
if (results === undefined) {
  console.error('no figures in e2e/bench/results.json: run `make bench` first');
  process.exitCode = 1;
} else {
  writeFileSync(README, withResults(readFileSync(README, 'utf8'), results));
  console.log('written into README.md');
}
