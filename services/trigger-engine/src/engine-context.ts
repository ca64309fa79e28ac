import type { Roster } from '@tidegate/bus';
import type { ActionContext } from './actions/index.js';
import type { EngineState } from './engine-state.js';

/** What all parts of one engine share. */
export interface EngineContext extends ActionContext {
  readonly roster: Roster;
  readonly state: EngineState;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Ends when the engine stops. */
  readonly signal: AbortSignal;
}
