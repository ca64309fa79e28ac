import { type Bus, type Subscribed, subscribe } from '@tidegate/bus';
import {
  decodeBody,
  encodeBody,
  type IndexEntry,
  type IndexReply,
  type IndexRequest,
  OWNERS,
  OWNERS_ASK,
  type PartitionId,
  type RawId,
  type ShardReply,
  shardSubject,
  type UnindexRequest,
} from '@tidegate/protocol';

/** As much of a meta-service as raw-services see: it owns every shard and agrees to everything. */
export class FakeShards {
  /** What is indexed now, by id. */
  readonly entries = new Map<PartitionId, IndexEntry & { readonly raw: RawId }>();
  readonly unindexed: UnindexRequest[] = [];
  readonly #subscribed: Subscribed[];
  readonly #stopListening: () => void;

  constructor(bus: Bus, shards: number) {
    const on = <Q>(operation: 'index' | 'unindex' | 'tier', answer: (request: Q) => ShardReply) =>
      Array.from({ length: shards }, (_, shard) =>
        subscribe(bus, shardSubject(shard, operation), ({ data }) => ({
          data: encodeBody(answer(decodeBody(data).map as Q), 'json'),
        })),
      );
    this.#subscribed = [
      ...on<IndexRequest>('index', ({ entry }): IndexReply => {
        this.entries.set(entry.id, entry);
        return { outcome: { kind: 'indexed' } };
      }),
      ...on<UnindexRequest>('unindex', (request) => {
        for (const id of request.ids) this.entries.delete(id);
        this.unindexed.push(request);
        return {};
      }),
      ...on('tier', () => ({})),
    ];
    const announcement = { id: 'fake-meta', shards: Array.from({ length: shards }, (_, shard) => shard) };
    const announce = () => bus.publish(OWNERS, encodeBody(announcement, 'json'));
    this.#stopListening = bus.listen(OWNERS_ASK, announce);
  }

  async stop(): Promise<void> {
    this.#stopListening();
    await Promise.all(this.#subscribed.map((one) => one.stop()));
  }
}
