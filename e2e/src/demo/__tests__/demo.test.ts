import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connect as connectTidegate } from '@tidegate/client';
import { type TemporaryDirectory, temporaryDirectory, until } from '@tidegate/testing';
import { PNG } from 'pngjs';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const SMALL = ['--shape', '32,32', '--writers', '3', '--substeps', '4'];
const ENDLESS = [...SMALL, '--steps', '100000'];

let temporary: TemporaryDirectory;
let pictures: TemporaryDirectory;
beforeEach(async () => {
  temporary = await temporaryDirectory();
  pictures = await temporaryDirectory();
});
afterEach(async () => {
  await temporary.remove();
  await pictures.remove();
});

/** A run of the demo as a process; `output` is what it wrote so far. */
function startDemo(args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args, '--out', pictures.path], {
    env: { ...process.env, TMPDIR: temporary.path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const exit = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  return { child, exit, output: () => output };
}

/** Waits until the writers are there, and tells where the service is. */
async function underWay(demo: ReturnType<typeof startDemo>): Promise<string> {
  const url = await until(() => /nats:\/\/[0-9.:]*[0-9]/.exec(demo.output())?.[0], { timeoutMs: 15_000 });
  await until(() => jobsOf('writer', url).length === 3, { timeoutMs: 15_000 });
  return url;
}

function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Processes of this entry, or that start it, whose command line mentions `mark`, the service's URL or a folder. */
function jobsOf(entry: string, mark: string): number[] {
  return processIds().filter((pid) => commandLine(pid).includes(`demo/${entry}.js`) && commandLine(pid).includes(mark));
}

/** The folder of the memory tier, from the command line of the service. */
function memoryFolder(): string {
  const commands = processIds().map((pid) => commandLine(pid).split('\0'));
  const up = commands.find((words) => words.includes('up') && words.some((word) => word.startsWith(temporary.path)));
  return up?.[up.indexOf('--memory-dir') + 1] ?? '';
}

function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

describe('the demo', () => {
  test('stages a plane and a volume, and what is staged equals the serial run', async () => {
    const demo = startDemo([...SMALL, '--shape', '10,12,14', '--steps', '6', '--seed', '3']);
    const code = await demo.exit;
    expect(demo.output()).toContain('assembled field equals the serial run bit for bit: yes\n');
    expect(demo.output()).toContain(
      '2-D 32x32: compared U and V of step 1 (from disk), U and V of step 6 (from memory)',
    );
    expect(demo.output()).toMatch(/^steps spilled to disk +4 +4$/m);
    expect(demo.output()).toMatch(/^partitions put +42 +42$/m);
    expect(code).toBe(0);
    expect(readdirSync(temporary.path)).toEqual([]);
    const picture = PNG.sync.read(readFileSync(join(pictures.path, 'gray-scott-2d.png')));
    expect([picture.width, picture.height]).toEqual([768, 768]);
    expect(readdirSync(pictures.path)).toContain('gray-scott-3d-slice.png');
  }, 20_000);

  test('catches a bit that one writer gets wrong, rolls the run back, and ends with the right answer', async () => {
    const demo = startDemo([...SMALL, '--steps', '20']);
    const code = await demo.exit;
    const output = demo.output();
    expect(output).toContain('2-D 32x32: step 12: silent error caught, paused, rolled back to 11, epoch 1\n');
    expect(output).toMatch(
      /^2-D 32x32: writer 1 got bit \d\d of V\(\d+, \d+\) wrong at step 12: 0\.\d+ became 1\.\d+$/m,
    );
    expect(output).toMatch(/^silent-error-2d +\d+ +1 +12 +paused the run, rolled it back$/m);
    expect(output).toMatch(/^gate-2d~blobs +1 +1 +20 +a picture, .*blobs-20\.png$/m);
    expect(output).toContain('assembled field equals the serial run bit for bit: yes\n');
    expect(output).toContain('the silent error was caught, and nothing else: yes\n');
    expect(code).toBe(0);
    const picture = PNG.sync.read(readFileSync(join(pictures.path, 'blobs-20.png')));
    expect([picture.width, picture.height]).toEqual([768, 768]);
  }, 30_000);

  test('catches nothing where nothing is wrong', async () => {
    const demo = startDemo([...SMALL, '--steps', '20', '--no-error']);
    expect(await demo.exit).toBe(0);
    expect(demo.output()).toMatch(/^silent-error-2d +21 +0 +- +nothing$/m);
    expect(demo.output()).toMatch(/^partitions put +126$/m);
    expect(demo.output()).toContain('no error to catch and none caught: yes\n');
  }, 30_000);

  test('stops all that it started when it is interrupted', async () => {
    const demo = startDemo(ENDLESS);
    const url = await underWay(demo);
    const memory = memoryFolder();
    expect(existsSync(memory)).toBe(true);
    demo.child.kill('SIGINT');
    expect(await demo.exit).toBe(130);
    expect(existsSync(memory)).toBe(false);
    expect(await answers(url)).toBe(false);
    expect(readdirSync(temporary.path)).toEqual([]);
    expect(['writer', 'reader', 'render'].flatMap((entry) => jobsOf(entry, url))).toEqual([]);
    expect(jobsOf('guard', temporary.path)).toEqual([]);
  }, 20_000);

  test('keeps the service for a look around', async () => {
    const demo = startDemo([...SMALL, '--steps', '2', '--keep']);
    await until(() => demo.output().includes('storage\n'), { timeoutMs: 15_000 });
    const url = /export TIDEGATE_NATS=(.*)/.exec(demo.output())?.[1] ?? '';
    const tide = await connectTidegate({ servers: url });
    const steps = await tide.listSteps({ variable: 'V_2d', run: 'plane' });
    await tide.close();
    expect(steps.map(({ step, covered }) => [step, covered])).toEqual([
      [0, true],
      [1, true],
      [2, true],
    ]);
    demo.child.kill('SIGINT');
    expect(await demo.exit).toBe(0);
    expect(await answers(url)).toBe(false);
  }, 20_000);

  test('ends when a writer dies', async () => {
    const demo = startDemo(ENDLESS);
    const url = await underWay(demo);
    const [writer] = jobsOf('writer', url);
    process.kill(writer ?? 0, 'SIGKILL');
    expect(await demo.exit).toBe(1);
    expect(demo.output()).toMatch(/^error: 2-D 32x32 writer \d ended early: SIGKILL$/m);
    expect(await answers(url)).toBe(false);
    expect(readdirSync(temporary.path)).toEqual([]);
  }, 20_000);

  test('leaves nothing behind when it is killed', async () => {
    const demo = startDemo(ENDLESS);
    const url = await underWay(demo);
    const memory = memoryFolder();
    expect(existsSync(memory)).toBe(true);
    demo.child.kill('SIGKILL');
    await demo.exit;
    await until(async () => !(await answers(url)), { timeoutMs: 15_000 });
    await until(() => readdirSync(temporary.path).length === 0 && !existsSync(memory), { timeoutMs: 15_000 });
    await until(() => ['writer', 'reader', 'render'].every((entry) => jobsOf(entry, url).length === 0));
    await until(() => jobsOf('guard', temporary.path).length === 0);
  }, 20_000);

  test('refuses what makes no sense', async () => {
    const demo = startDemo(['--steps', 'many']);
    expect(await demo.exit).toBe(2);
    expect(demo.output()).toBe('error: expected --steps from 1 to 100000, got many (--help shows the options)\n');
  });
});
