import type { MeasureContext } from '../measure/index.js';
import type { SettledLog } from './settled.js';

/** What actions are done with. */
export interface ActionContext extends MeasureContext {
  readonly settled: SettledLog;
}
