import { type Bus, lastMessage, storedMessages } from '@tidegate/bus';
import { decisionSubject, parseDecisionSubject, STREAMS } from '@tidegate/protocol';
import { DecidedSet } from './decided-set.js';
import { DecisionLog } from './decision-log.js';
import { readDecisionHeaders } from './logged-decision.js';

/** A trigger with all that is nested in it, and one run. */
export interface RunLogKey {
  readonly root: string;
  readonly generation: number;
  readonly run: string;
}

const { name: STREAM, maxPerSubject: LOG_LIMIT } = STREAMS.decisions;

/** The logs of a tree of triggers for one run, and what is decided of the outermost one. */
export class RunLog {
  readonly decided = new DecidedSet();
  readonly #bus: Bus;
  readonly #key: RunLogKey;
  readonly #logs = new Map<string, DecisionLog>();
  #read = 0;
  #complete = false;
  /** Decisions of the outermost trigger that were read, and the lowest step among them. */
  #count = 0;
  #lowest = Infinity;

  constructor(bus: Bus, key: RunLogKey) {
    this.#bus = bus;
    this.#key = key;
  }

  get run(): string {
    return this.#key.run;
  }

  /** It was read at least once. */
  get complete(): boolean {
    return this.#complete;
  }

  /** The log of one trigger of the tree, by its full name. */
  of(trigger: string): DecisionLog {
    let log = this.#logs.get(trigger);
    if (log === undefined) {
      log = new DecisionLog(this.#bus, { ...this.#key, trigger });
      this.#logs.set(trigger, log);
    }
    return log;
  }

  /** Reads what was added since the last time. @throws UnavailableError and the like; the signal's reason */
  async catchUp(signal: AbortSignal): Promise<void> {
    const subject = decisionSubject({ ...this.#key, trigger: '*' });
    const from = this.#read + 1;
    const isNew = (await newestSequence(this.#bus, subject)) >= from;
    if (!isNew) {
      this.#finish();
      return;
    }
    for await (const message of storedMessages(this.#bus, STREAM, { subject, from, headersOnly: true, signal })) {
      this.#take(parseDecisionSubject(message.subject).trigger, message.sequence, message.header);
    }
    this.#finish();
  }

  #take(trigger: string, sequence: number, header: (name: string) => string): void {
    const head = readDecisionHeaders(header);
    this.of(trigger).saw({ ...head, sequence });
    this.#read = sequence;
    if (trigger !== this.#key.root) return;
    this.decided.add(head);
    this.#count++;
    this.#lowest = Math.min(this.#lowest, head.step);
  }

  #finish(): void {
    this.#complete = true;
    if (this.#count >= LOG_LIMIT) this.decided.raiseFloor(this.#lowest);
  }

  /** The logs of a tree of triggers for all its runs. @throws UnavailableError and the like; the signal's reason */
  static async ofAllRuns(
    bus: Bus,
    { root, generation }: Omit<RunLogKey, 'run'>,
    signal: AbortSignal,
  ): Promise<Map<string, RunLog>> {
    const logs = new Map<string, RunLog>();
    const subject = decisionSubject({ root, generation, run: '*', trigger: '*' });
    if ((await newestSequence(bus, subject)) === 0) return logs;
    for await (const message of storedMessages(bus, STREAM, { subject, headersOnly: true, signal })) {
      const { run, trigger } = parseDecisionSubject(message.subject);
      let log = logs.get(run);
      if (log === undefined) {
        log = new RunLog(bus, { root, generation, run });
        logs.set(run, log);
      }
      log.#take(trigger, message.sequence, message.header);
    }
    for (const log of logs.values()) log.#finish();
    return logs;
  }
}

/** Sequence of the newest decision on a subject, 0 for none: most logs that are asked for are empty, and this is cheap. */
async function newestSequence(bus: Bus, subject: string): Promise<number> {
  return (await lastMessage(bus, STREAM, subject))?.sequence ?? 0;
}
