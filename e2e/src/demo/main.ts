import { constants } from 'node:os';
import { connect, isTidegateError } from '@tidegate/client';
import { formatBytes } from 'tidegate';
import { Crew, ProcessFailure, type Service } from './crew.js';
import { triggerNamesOf } from './definitions.js';
import { type DemoOptions, HELP, parseOptions, UsageError } from './options.js';
import { drawPlane, lastPlane, type Plane, pathFromCheckout, writePicture } from './pictures.js';
import { startRenderer } from './renderings.js';
import { figures, verdict } from './report.js';
import { type Scratch, scratchFolders } from './scratch.js';
import { runOf, stepBytes, variablesOf } from './simulation.js';
import { type Outcome, stage } from './stage.js';
import { triggerLines } from './trigger-report.js';

const MIB = 2 ** 20;
const LEAST_MEMORY = 128 * MIB;

process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options) return await run(options);
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`error: ${error.message} (--help shows the options)`);
    return 2;
  }
}

/** Runs the demo and stops all that it started, however it ends. */
async function run(options: DemoOptions): Promise<number> {
  const scratch = scratchFolders();
  const crew = new Crew();
  const interrupted = interruption();
  let ending = '';
  try {
    const told = await Promise.race([interrupted, crew.failure, tell(options, crew, scratch)]);
    if (typeof told === 'number') {
      ending = 'interrupted: the processes are stopped, the data is removed';
      return told;
    }
    if (options.keep) {
      sayHowToLook(told);
      await Promise.race([heldUntil(interrupted), crew.failure]);
    }
    return told.passed ? 0 : 1;
  } catch (error) {
    console.error(`error: ${failureText(error)}`);
    return 1;
  } finally {
    await crew.stop();
    scratch.remove();
    if (ending) console.error(ending);
  }
}

/** Resolves with the exit code at the first signal; the second one leaves no time to stop. */
function interruption(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      let count = 0;
      process.on(signal, () => {
        const code = 128 + constants.signals[signal];
        if (++count === 1) resolve(code);
        else process.exit(code);
      });
    }
  });
}

/** How the story ended, with the service still running. */
interface Told {
  readonly service: Service;
  readonly outcomes: readonly Outcome[];
  readonly passed: boolean;
}

/** The story of the demo, from the start of the service to the verdict. */
async function tell({ simulations, raw, out }: DemoOptions, crew: Crew, scratch: Scratch): Promise<Told> {
  const memory = memoryBytes({ simulations, raw }, scratch);
  const service = await crew.startService(
    [
      ...['--nats-port', '0', '--raw', String(raw), '--memory', String(memory)],
      ...['--data-dir', scratch.dataDir, '--memory-dir', scratch.memoryDir],
    ],
    scratch.folders,
  );
  say(
    `Tidegate runs at ${service.url}, with ${raw} raw-service${raw > 1 ? 's' : ''} of ${formatBytes(memory)} memory.`,
  );
  const tide = await connect({ servers: service.url, name: 'tidegate-demo' });
  const renderings = startRenderer(crew, { url: service.url, folder: out });
  const outcomes: Outcome[] = [];
  const planes: Plane[] = [];
  try {
    for (const simulation of simulations) {
      outcomes.push(await stage(simulation, { crew, tide, url: service.url, renderings, say }));
      planes.push(await lastPlane(tide, simulation));
    }
  } finally {
    await tide.close();
  }
  const [plane] = planes;
  if (plane) say(`\n${drawPlane(plane)}`);
  say(`${figures(outcomes).join('\n')}\n`);
  say(`${triggerLines(outcomes, pathFromCheckout(out)).join('\n')}\n`);
  for (const [at, { simulation }] of outcomes.entries()) {
    say(`picture: ${await writePicture(planes[at] as Plane, simulation, out)}`);
  }
  const { lines, passed } = verdict(outcomes);
  say(lines.join('\n'));
  return { service, outcomes, passed };
}

function sayHowToLook({ service, outcomes }: Told): void {
  const { url } = service;
  const cli = 'node services/tidegate/bin/tidegate.js';
  const examples = outcomes.flatMap(({ simulation }) => {
    const { v } = variablesOf(simulation);
    const box = simulation.shape.map((length) => `0:${Math.min(8, length)}`).join(',');
    const run = runOf(simulation);
    return [
      `${cli} steps ${v} --run ${run}`,
      `${cli} get ${v} --run ${run} --step latest --box ${box}`,
      `${cli} trigger explain ${triggerNamesOf(simulation).silentError} --run ${run} --step ${simulation.steps}`,
    ];
  });
  say(`
The service keeps running at ${url} until Ctrl-C. Look around from another terminal:
  export TIDEGATE_NATS=${url}
  ${cli} variables
  ${examples.join('\n  ')}
  ${cli} storage`);
}

/** Keeps this process alive until then. */
async function heldUntil(interrupted: Promise<number>): Promise<void> {
  const timer = setInterval(() => {}, 2 ** 30);
  await interrupted;
  clearInterval(timer);
}

/** Memory for each raw-service: twice what the windows hold, but no more than half of what is free. */
function memoryBytes(
  { simulations, raw }: Pick<DemoOptions, 'simulations' | 'raw'>,
  { freeMemoryBytes }: Scratch,
): number {
  const windows = simulations.reduce((sum, simulation) => sum + (simulation.window + 2) * stepBytes(simulation), 0);
  const wanted = Math.max(LEAST_MEMORY, (2 * windows) / raw);
  return Math.floor(Math.min(wanted, freeMemoryBytes / 2 / raw) / MIB) * MIB;
}

function failureText(error: unknown): string {
  if (error instanceof ProcessFailure) {
    return error.errorOutput === '' ? error.message : `${error.message}\n${error.errorOutput}`;
  }
  if (isTidegateError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
