// Runs the test suites one after the other, prints a line for each, and ends with `N passed, N failed`.
// Usage: node scripts/run-tests.js [SUITE …]   (a failed suite's report is printed in full)
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'e2e', '.out');
mkdirSync(out, { recursive: true });

/** A suite is a set of compiled test files; those that start servers and processes have the machine for themselves. */
const SUITES = [
  { name: 'geometry', paths: ['libs/geometry/'] },
  { name: 'array', paths: ['libs/array/'] },
  { name: 'protocol', paths: ['libs/protocol/'] },
  { name: 'testing', paths: ['libs/testing/'] },
  { name: 'kernels', paths: ['libs/kernels/'] },
  { name: 'bus', paths: ['libs/bus/'] },
  { name: 'client', paths: ['libs/client/'] },
  { name: 'meta-service', paths: ['services/meta-service/'] },
  { name: 'raw-service', paths: ['services/raw-service/'] },
  { name: 'trigger-engine', paths: ['services/trigger-engine/'] },
  { name: 'tidegate', paths: ['services/tidegate/'] },
  { name: 'demo', paths: ['e2e/dist/demo/'] },
  { name: 'bench', paths: ['e2e/dist/bench/'] },
  { name: 'e2e', paths: ['e2e/dist/tests/'], serial: true },
  { name: 'faults', paths: ['e2e/dist/faults/'], serial: true },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`unknown suite ${unknown.join(', ')}: expected any of ${SUITES.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

// The oldest nats-server that is supported and the plain `nats` client are part of the tests where they can be had.
for (const [variable, tool] of [
  ['TIDEGATE_NATS_OLD', '2.9.10'],
  ['TIDEGATE_NATS_CLI', 'cli'],
]) {
  if (process.env[variable] !== undefined) continue;
  const found = spawnSync('bash', [join(root, 'scripts', 'nats-server.sh'), tool], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (found.status === 0) process.env[variable] = found.stdout.trim();
}

function run(suite) {
  const report = join(out, `${suite.name}.json`);
  rmSync(report, { force: true });
  const args = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
  ];
  args.push(
    '--json',
    `--outputFile=${report}`,
    '--silent=false',
    '--maxWorkers',
    suite.serial ? '1' : '2',
    '--testPathPatterns',
    ...suite.paths,
  );
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', () => {});
    child.stderr.on('data', (data) => {
      text += data;
    });
    child.on('close', (code) => {
      try {
        resolve({ code, text, ...JSON.parse(readFileSync(report, 'utf8')) });
      } catch {
        resolve({ code, text, numPassedTests: 0, numFailedTests: 1, numPendingTests: 0 });
      }
    });
  });
}

let passed = 0;
let failed = 0;
let skipped = 0;
const begun = Date.now();
for (const suite of SUITES) {
  if (wanted.length > 0 && !wanted.includes(suite.name)) continue;
  const start = Date.now();
  const result = await run(suite);
  // A file that does not even load, or a suite without tests, is a failure that Jest counts elsewhere.
  const broken = Math.max(
    result.numRuntimeErrorTestSuites ?? 0,
    result.code === 0 || result.numFailedTests > 0 ? 0 : 1,
  );
  passed += result.numPassedTests;
  failed += result.numFailedTests + broken;
  skipped += result.numPendingTests;
  const bad = result.numFailedTests + broken;
  const counts = `${result.numPassedTests} passed${bad ? `, ${bad} failed` : ''}${result.numPendingTests ? `, ${result.numPendingTests} skipped` : ''}`;
  console.log(
    `${bad ? 'FAIL' : 'ok  '}  ${suite.name.padEnd(14)} ${counts.padEnd(32)} ${((Date.now() - start) / 1000).toFixed(1)} s`,
  );
  if (bad) console.log(result.text);
}
console.log(`all suites took ${((Date.now() - begun) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 ? 1 : 0);
