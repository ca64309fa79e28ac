import {
  AttemptTimeoutError,
  append,
  type Bus,
  DisconnectedError,
  lastMessage,
  messageAt,
  monotonicNow,
  retrying,
  type StreamMessage,
  storedMessages,
} from '@tidegate/bus';
import { type DecisionLogKey, decisionSubject, STREAMS } from '@tidegate/protocol';
import type { RunEpochs } from '../runs/run-epochs.js';
import { type CompareState, INITIAL_STATE } from '../semantics/index.js';
import {
  type DecisionHead,
  decisionHeaders,
  decodeDecision,
  encodeDecision,
  type LoggedDecision,
  readDecisionHeaders,
} from './logged-decision.js';

/** The newest decision of a log. */
export interface LogHead extends DecisionHead {
  readonly sequence: number;
}

/** A decision and where it stands. */
export interface Committed {
  readonly decision: LoggedDecision;
  readonly sequence: number;
}

const STREAM = STREAMS.decisions.name;
/** Bytes of a message that its headers may take. */
const HEADROOM = 16_384;
/** How long the fate of a decision that was sent is looked for. */
const FATE_MS = 15_000;

/** The decisions of one trigger for one run: only who knows the newest one can add to them. */
export class DecisionLog {
  readonly #bus: Bus;
  readonly #subject: string;
  #head: LogHead | undefined;
  /** What was committed or read last. */
  #newest: Committed | undefined;
  #state: { readonly of: RunEpochs; readonly at: number; readonly value: CompareState } | undefined;

  constructor(bus: Bus, key: DecisionLogKey) {
    this.#bus = bus;
    this.#subject = decisionSubject(key);
  }

  get head(): LogHead | undefined {
    return this.#head;
  }

  /** A decision that stands in the log was seen. */
  saw(head: LogHead): void {
    if (head.sequence > (this.#head?.sequence ?? 0)) this.#head = head;
  }

  /** Looks for the newest decision. @throws UnavailableError and the like */
  async refresh(): Promise<LogHead | undefined> {
    const message = await lastMessage(this.#bus, STREAM, this.#subject);
    if (message !== undefined) this.#read(message);
    return this.#head;
  }

  /**
   * Adds a decision to those that are known here.
   *
   * @returns none where another one stands there: `refresh` tells which
   * @throws StorageFullError where the log has no room; UnavailableError, TimeoutError; the signal's reason, after which it is
   *   not known whether it was added
   */
  async append(decision: LoggedDecision, signal: AbortSignal): Promise<Committed | undefined> {
    const data = encodeDecision(decision, this.#bus.maxPayload - HEADROOM);
    const expected = this.#head?.sequence ?? 0;
    const options = { expected, headers: decisionHeaders(decision) };
    let unsure = false;
    const sequence = await retrying(
      async () => {
        if (unsure) {
          const standing = await lastMessage(this.#bus, STREAM, this.#subject);
          // Nothing new: the sent one may still be on its way, but then at most one of the two comes through.
          if (standing !== undefined && standing.sequence > expected) {
            return Buffer.compare(standing.data, data) === 0 ? standing.sequence : undefined;
          }
        }
        try {
          return await append(this.#bus, this.#subject, data, options);
        } catch (error) {
          unsure ||= error instanceof AttemptTimeoutError || (error instanceof DisconnectedError && error.sent);
          throw error;
        }
      },
      { deadline: monotonicNow() + FATE_MS, signal },
    );
    if (sequence === undefined) return undefined;
    const committed = { decision, sequence };
    this.saw({ ...headOf(decision), sequence });
    this.#newest = committed;
    return committed;
  }

  /** The decision at the head. @throws UnavailableError and the like */
  async newest(): Promise<Committed | undefined> {
    const sequence = this.#head?.sequence;
    if (sequence === undefined) return undefined;
    if (this.#newest?.sequence !== sequence) {
      const message = await messageAt(this.#bus, STREAM, sequence);
      if (message !== undefined) this.#read(message);
    }
    return this.#newest;
  }

  /**
   * The state that the next decision starts from: that of the newest decision which no rollback superseded.
   *
   * @throws UnavailableError and the like
   */
  async state(epochs: RunEpochs, signal: AbortSignal): Promise<CompareState> {
    const at = this.#head?.sequence ?? 0;
    if (this.#state?.of === epochs && this.#state.at === at) return this.#state.value;
    const value = await this.#standing(epochs, signal);
    this.#state = { of: epochs, at, value };
    return value;
  }

  async #standing(epochs: RunEpochs, signal: AbortSignal): Promise<CompareState> {
    const newest = (await this.newest())?.decision;
    if (newest === undefined) return INITIAL_STATE;
    if (!epochs.rolledBack || (!newest.late && stands(newest, epochs))) return newest.after;
    let found: LoggedDecision | undefined;
    for await (const { data } of storedMessages(this.#bus, STREAM, { subject: this.#subject, signal })) {
      const decision = decodeDecision(data);
      if (!decision.late && stands(decision, epochs) && decision.step > (found?.step ?? -1)) found = decision;
    }
    return found?.after ?? INITIAL_STATE;
  }

  #read({ data, sequence, header }: StreamMessage): void {
    this.saw({ ...readDecisionHeaders(header), sequence });
    this.#newest = { decision: decodeDecision(data), sequence };
  }
}

/** True where no rollback superseded a decision. */
export function stands({ step, epoch }: Pick<DecisionHead, 'step' | 'epoch'>, epochs: RunEpochs): boolean {
  return epoch >= epochs.epochOf(step);
}

function headOf({ step, epoch, verdict, partition }: LoggedDecision): DecisionHead {
  return { step, epoch, verdict, ...(partition !== undefined && { partition }) };
}
