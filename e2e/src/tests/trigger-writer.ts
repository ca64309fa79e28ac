// A process of its own that puts a share of the steps of a field; started by `startWriters`.
import { connect, type Tidegate } from '@tidegate/client';
import { ulid } from 'ulid';
import { dealStep, gridBoxes, type PlannedPut, putText, wanderingField } from './trigger-field.js';

/** What a writing process is told on its command line, as JSON. */
export interface WriterTask {
  readonly url: string;
  readonly variable: string;
  readonly shape: readonly number[];
  /** Partitions along each dimension. */
  readonly grid: readonly number[];
  readonly seed: number;
  readonly steps: number;
  /** All writers of all processes. */
  readonly writers: number;
  /** Those of this process: each has a connection. */
  readonly own: readonly number[];
  /** Puts of a writer under way at a time. */
  readonly inFlight: number;
  /** Steps that a writer may be ahead of the slowest one. */
  readonly ahead: number;
}

/** To the parent: a writer has put a step. */
export interface WriterProgress {
  readonly writer: number;
  readonly done: number;
}
/** From the parent: all writers have put the steps below. */
export interface WriterFloor {
  readonly floor: number;
}

const PUT_MS = 60_000;

/** A limit of things under way. */
class Room {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async enter(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}

async function main(task: WriterTask): Promise<void> {
  let floor = 0;
  let waiting: (() => void)[] = [];
  process.on('message', (message: WriterFloor) => {
    floor = message.floor;
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  });
  const field = wanderingField(task.shape, task.seed);
  const boxes = gridBoxes(task.shape, task.grid);

  const put = async (sdk: Tidegate, planned: PlannedPut): Promise<void> => {
    const { step, box, again } = planned;
    const request = { variable: task.variable, step, box, data: field.part(step, box), timeoutMs: PUT_MS };
    const id = ulid();
    try {
      await sdk.put({ ...request, id });
      if (again === 'same id') await sdk.put({ ...request, id });
      if (again === 'another partition') await sdk.put(request);
    } catch (error) {
      throw new Error(`put of ${putText(planned)}`, { cause: error });
    }
  };

  const write = async (writer: number): Promise<void> => {
    const sdk = await connect({ servers: task.url });
    const room = new Room(task.inFlight);
    const sending: Promise<void>[] = [];
    for (let step = 0; step < task.steps; step++) {
      while (step >= floor + task.ahead) await new Promise<void>((resolve) => waiting.push(resolve));
      const hand = dealStep({ boxes, step, seed: task.seed, writers: task.writers })[writer] ?? [];
      const puts = hand.map(async (planned) => {
        await room.enter();
        await put(sdk, planned).finally(() => room.leave());
      });
      sending.push(
        Promise.all(puts).then(() => {
          process.send?.({ writer, done: step } satisfies WriterProgress);
        }),
      );
      if (sending.length >= task.ahead) await sending.shift();
    }
    await Promise.all(sending);
    await sdk.close();
  };
  await Promise.all(task.own.map(write));
  process.disconnect();
}

await main(JSON.parse(process.argv[2] ?? '{}') as WriterTask);
