import { type Bus, connectBus, silentLogger, storedMessages } from '@tidegate/bus';
import type { DecisionReply, DecisionsReply, TriggerDefinitionInput } from '@tidegate/protocol';
import { STREAMS, triggerEventSubject } from '@tidegate/protocol';
import { startTriggerEngine, type TriggerEngine } from '@tidegate/trigger-engine';
import { type Cluster, type ClusterOptions, startCluster } from './cluster.js';
import type { PlainClient } from './plain-client.js';

/** An engine of this process, which can be ended in two ways. */
export interface LocalEngine {
  readonly id: string;
  stop(): Promise<void>;
  /** Cuts it off for good, as if its process had been killed: what it still does comes nowhere. */
  crash(): Promise<void>;
}

/** An event of a fired decision. */
export interface Fired {
  readonly subject: string;
  readonly id: string;
  readonly step: number;
}

/** A cluster without engines but those that the test starts in its own process. */
export interface TriggerCluster {
  readonly cluster: Cluster;
  readonly bus: Bus;
  readonly plain: PlainClient;
  engine(id: string): Promise<LocalEngine>;
  /** Registers a trigger. @throws Error with the body of a refusal */
  register(definition: TriggerDefinitionInput): Promise<void>;
  /** All decisions of a trigger, in the order in which they were committed. */
  decisions(name: string, run?: string): Promise<readonly DecisionReply[]>;
  /** All events of a trigger, in the order in which they were stored. */
  events(trigger: string, run?: string): Promise<readonly Fired[]>;
  stop(): Promise<void>;
}

/** Starts a cluster whose engines are in this process. */
export async function startTriggerCluster(options: Omit<ClusterOptions, 'engine'> = {}): Promise<TriggerCluster> {
  const cluster = await startCluster({ ...options, engine: 0 });
  const plain = await cluster.plain();
  const bus = await connectBus({ servers: cluster.url, name: 'trigger-test' });
  const ending = new Set<() => Promise<void>>();
  return {
    cluster,
    bus,
    plain,
    async engine(id) {
      const own = await connectBus({ servers: cluster.url, name: id, logger: silentLogger });
      const engine: TriggerEngine = await startTriggerEngine({ bus: own, id, logger: silentLogger });
      const stop = async (): Promise<void> => {
        if (!ending.delete(stop)) return;
        await engine.stop();
        await own.close();
      };
      ending.add(stop);
      return {
        id,
        stop,
        async crash() {
          ending.delete(stop);
          await own.connection.close();
          // Its timers end as well; nothing of it reaches the server any more.
          await engine.stop().catch(() => {});
        },
      };
    },
    async register(definition) {
      const reply = await plain.control('tide.v1.trigger.register', definition);
      if (reply.status !== 0) throw new Error(JSON.stringify(reply.json()));
    },
    async decisions(name, run) {
      const all: DecisionReply[] = [];
      let cursor: string | undefined;
      do {
        const asked = { name, limit: 1000, ...(run !== undefined && { run }), ...(cursor !== undefined && { cursor }) };
        const page = (await plain.control('tide.v1.trigger.decisions', asked)).json<DecisionsReply>();
        all.push(...page.decisions);
        cursor = page.cursor;
      } while (cursor !== undefined);
      return all;
    },
    async events(trigger, run = '*') {
      const all: Fired[] = [];
      const subject = triggerEventSubject({ run, trigger, epoch: '*', step: '*' });
      for await (const message of storedMessages(bus, STREAMS.events.name, { subject })) {
        all.push({
          subject: message.subject,
          id: message.header('ce-id'),
          step: Number(message.subject.slice(message.subject.lastIndexOf('.') + 1)),
        });
      }
      return all;
    },
    async stop() {
      await Promise.all([...ending].map((stop) => stop()));
      await bus.close();
      await cluster.stop();
    },
  };
}
