import type { Bus, Logger, ShardRouter } from '@tidegate/bus';
import type { VariableHandle } from '@tidegate/client/region';

/** What plans and measurements are made with. */
export interface MeasureContext {
  readonly bus: Bus;
  readonly router: ShardRouter;
  readonly logger: Logger;
  /** A declared variable; undefined where there is none of that name. */
  variable(name: string): Promise<VariableHandle | undefined>;
}
