import type { Logger, MonotonicClock } from '@tidegate/bus';
import { appliesTo, type TriggerRecord, type UndecidedReply, type UndecidedRequest } from '@tidegate/protocol';
import { Gate } from './gate.js';
import { seriesKey } from './step-catalog.js';

/** Questions under way at a time, over all variables and runs. */
const MAX_QUESTIONS = 32;
/** Steps, and triggers, of one question. */
const PER_QUESTION = 1000;
/** Steps that newly left a window are asked about together, so often at most. */
const SOON_MS = 20;
/** Those that are undecided still are asked about again after a pause that doubles. */
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2000;
/** Decided steps that are remembered for each variable and run. */
const MAX_DECIDED = 4096;
/** Series that are remembered though nothing of them is undecided. */
const MAX_SERIES = 4096;

export interface UndecidedStepsOptions {
  /** The triggers that decide steps of a variable as it is declared now. */
  readonly triggers: (variable: string) => readonly TriggerRecord[];
  /** False while triggers or rollbacks may be unknown here: then every step is taken for undecided. */
  readonly isCurrent: () => boolean;
  /** Asks the engine that owns the primaries of a shard. */
  readonly ask: (primary: number, request: UndecidedRequest) => Promise<UndecidedReply>;
  /** Steps of the series were decided, or have to be asked about again: has those that left their window looked at anew. */
  readonly reconsider: (variable: string, run: string) => void;
  readonly now: MonotonicClock;
  readonly logger: Pick<Logger, 'warn'>;
}

/** The steps of one variable and run that were asked for, each in one of the sets at most. */
interface Series {
  readonly variable: string;
  readonly run: string;
  fresh: Set<number>;
  asked: Set<number>;
  readonly pending: Set<number>;
  readonly decided: Set<number>;
  isAsking: boolean;
  /** The last question found no answer. */
  isUnanswered: boolean;
  retryMs: number;
  retryAt: number;
  /** No question before. */
  askAt: number;
  timer: NodeJS.Timeout | undefined;
  wakesAt: number;
}

/**
 * Which steps outside their window an enabled trigger may still decide, as the engines say. A step is undecided until
 * they have said otherwise: no answer keeps it. What they have decided stays decided, so that answer is remembered until
 * a trigger, a rollback or another partition of the step changes the question.
 */
export class UndecidedSteps {
  readonly #options: UndecidedStepsOptions;
  readonly #series = new Map<string, Series>();
  readonly #questions = new Gate(MAX_QUESTIONS);
  #stopped = false;

  constructor(options: UndecidedStepsOptions) {
    this.#options = options;
  }

  /** Whether a step may not be dropped yet; where that is not known, the engines are asked in a moment. */
  has(variable: string, run: string, step: number): boolean {
    const { triggers, isCurrent } = this.#options;
    if (!isCurrent()) return true;
    if (!triggers(variable).some(({ definition }) => appliesTo(definition.on, run, step))) return false;
    const series = this.#find(variable, run);
    if (series.decided.has(step)) return false;
    if (!series.asked.has(step) && !series.pending.has(step)) {
      series.fresh.add(step);
      this.#wakeAt(series, series.askAt);
    }
    return true;
  }

  /** Another partition of a step came: triggers may have to decide it. */
  arrived({ variable, run, step }: { readonly variable: string; readonly run: string; readonly step: number }): void {
    const series = this.#series.get(seriesKey(variable, run));
    series?.decided.delete(step);
    series?.asked.delete(step);
  }

  /**
   * Answers given so far, and those under way, are of no use any more: of a variable, whose triggers changed, or of a run.
   * What was kept because of them is looked at anew.
   */
  forget(what: { readonly variable: string } | { readonly run: string }): void {
    for (const series of this.#series.values()) {
      if ('variable' in what ? series.variable !== what.variable : series.run !== what.run) continue;
      const { variable, run, fresh, asked, pending } = series;
      const isKept = fresh.size + asked.size + pending.size > 0;
      series.decided.clear();
      asked.clear();
      pending.clear();
      if (isKept) this.#options.reconsider(variable, run);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#series.values()) clearTimeout(timer);
    this.#series.clear();
  }

  #find(variable: string, run: string): Series {
    const key = seriesKey(variable, run);
    const standing = this.#series.get(key);
    if (standing !== undefined) return standing;
    if (this.#series.size >= MAX_SERIES) this.#forgetQuiet();
    const series: Series = {
      variable,
      run,
      fresh: new Set(),
      asked: new Set(),
      pending: new Set(),
      decided: new Set(),
      isAsking: false,
      isUnanswered: false,
      retryMs: FIRST_RETRY_MS,
      retryAt: Number.POSITIVE_INFINITY,
      askAt: 0,
      timer: undefined,
      wakesAt: Number.POSITIVE_INFINITY,
    };
    this.#series.set(key, series);
    return series;
  }

  /** Series with something undecided stay: there are no more of them than the store holds. */
  #forgetQuiet(): void {
    for (const [key, { timer, isAsking }] of this.#series) {
      if (timer === undefined && !isAsking) this.#series.delete(key);
    }
  }

  #wakeAt(series: Series, at: number): void {
    if (this.#stopped || series.isAsking || series.wakesAt <= at) return;
    clearTimeout(series.timer);
    series.wakesAt = at;
    series.timer = setTimeout(() => this.#wake(series), Math.max(0, at - this.#options.now()));
    series.timer.unref();
  }

  #wake(series: Series): void {
    series.timer = undefined;
    series.wakesAt = Number.POSITIVE_INFINITY;
    if (series.retryAt <= this.#options.now()) {
      // Those that are still held are asked for again, and those that were deleted meanwhile are not.
      series.retryAt = Number.POSITIVE_INFINITY;
      series.pending.clear();
      this.#options.reconsider(series.variable, series.run);
    }
    if (series.fresh.size > 0) {
      series.isAsking = true;
      void this.#ask(series).finally(() => this.#asked(series));
    } else {
      this.#wakeAt(series, series.retryAt);
    }
  }

  async #ask(series: Series): Promise<void> {
    const steps = [...series.fresh];
    series.asked = series.fresh;
    series.fresh = new Set();
    for (let at = 0; at < steps.length; at += PER_QUESTION) {
      const batch = steps.slice(at, at + PER_QUESTION);
      const undecided = await this.#undecided(series, batch);
      let decided = 0;
      for (const step of batch) {
        // Not in there any more: what was asked is out of date.
        if (!series.asked.delete(step)) continue;
        if (undecided.has(step)) series.pending.add(step);
        else {
          series.decided.add(step);
          decided++;
        }
      }
      for (const oldest of series.decided) {
        if (series.decided.size <= MAX_DECIDED) break;
        series.decided.delete(oldest);
      }
      if (decided === 0) continue;
      series.retryMs = FIRST_RETRY_MS;
      this.#options.reconsider(series.variable, series.run);
    }
  }

  #asked(series: Series): void {
    const now = this.#options.now();
    series.isAsking = false;
    series.asked.clear();
    series.askAt = now + SOON_MS;
    if (series.pending.size > 0 && series.retryAt === Number.POSITIVE_INFINITY) {
      series.retryAt = now + series.retryMs;
      series.retryMs = Math.min(MAX_RETRY_MS, 2 * series.retryMs);
    }
    const next = series.fresh.size > 0 ? Math.min(series.askAt, series.retryAt) : series.retryAt;
    if (next < Number.POSITIVE_INFINITY) this.#wakeAt(series, next);
  }

  /** Those of these steps that some trigger may still decide, as far as is known. */
  async #undecided(series: Series, steps: readonly number[]): Promise<Set<number>> {
    const { variable, run } = series;
    const undecided = new Set<number>();
    let failure: unknown;
    const question = async (primary: number, triggers: readonly TriggerRecord[]) => {
      const open = steps.filter((step) => triggers.some(({ definition }) => appliesTo(definition.on, run, step)));
      if (open.length === 0) return;
      const named = triggers.map(({ name, generation }) => ({ name, generation }));
      try {
        const reply = await this.#questions.run(() =>
          this.#options.ask(primary, { variable, run, steps: open, triggers: named }),
        );
        for (const step of reply.undecided) undecided.add(step);
      } catch (error) {
        failure = error;
        for (const step of open) undecided.add(step);
      }
    };
    const byPrimary = Map.groupBy(this.#options.triggers(variable), ({ primary }) => primary);
    await Promise.all(
      [...byPrimary].flatMap(([primary, triggers]) =>
        inParts(triggers, PER_QUESTION).map((part) => question(primary, part)),
      ),
    );
    if (failure !== undefined && !series.isUnanswered && !this.#stopped) {
      const fields = { err: failure, variable, run, steps: undecided.size };
      this.#options.logger.warn(
        fields,
        'no engine says whether steps are decided: they are kept and asked about again',
      );
    }
    series.isUnanswered = failure !== undefined;
    return undecided;
  }
}

function inParts<T>(all: readonly T[], length: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < all.length; at += length) parts.push(all.slice(at, at + length));
  return parts;
}
