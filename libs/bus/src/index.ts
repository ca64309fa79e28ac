export { Bus } from './bus.js';
export { AttemptTimeoutError, DisconnectedError, NoResponderError } from './bus-errors.js';
export { type MonotonicClock, monotonicNow, settledWithin, sleep } from './clock.js';
export { clusterConfig } from './cluster-config.js';
export { type ConnectOptions, connectBus } from './connect.js';
export { controlHandler } from './control.js';
export type { Handler, Incoming, Outgoing } from './endpoint.js';
export { inParallel } from './in-parallel.js';
export { INCARNATION, newIncarnation } from './incarnation.js';
export { isJetStreamError, JetStreamError, JS_ERROR, type PublishAck, publishStored } from './jetstream.js';
export { type BucketOptions, KvBucket, type KvEntry, openBucket } from './kv.js';
export { KvCache, type KvCacheOptions, type KvChange } from './kv-cache.js';
export { LeaseKeeper, type LeaseKeeperOptions } from './lease.js';
export { LocalExchange } from './local-exchange.js';
export { type Logger, silentLogger } from './logger.js';
export { type Announcement, announce, memberKey } from './member.js';
export { catchUp, type SyncedCaches, type SyncOptions, serveSync, syncMembers } from './member-sync.js';
export { type HeaderMap, headerSafe, type Message, type Message as Reply } from './message.js';
export { OrderedConsumer, type OrderedConsumerOptions, type StartAt, type StreamMessage } from './ordered-consumer.js';
export { OwnerTable } from './owner-table.js';
export {
  type ConsumerSpec,
  ensureConsumer,
  PullConsumer,
  type PulledMessage,
  type PullOptions,
} from './pull-consumer.js';
export { assign } from './rendezvous.js';
export type { ReplyHandler, RequestOptions } from './request-mux.js';
export { isTransient, type RetryOptions, retryDelay, retrying } from './retry.js';
export { type MemberKind, Roster, type RosterOptions } from './roster.js';
export { type EndpointSpec, type Served, type ServiceSpec, serve } from './service.js';
export { type RouteOptions, ShardRouter } from './shard-router.js';
export { ensureStream, ensureStreams, publishEvent, streamUse, type TailOptions, tail } from './stream.js';
export { type AppendOptions, append } from './stream-append.js';
export { lastMessage, messageAt, type StoredMessagesOptions, storedMessages } from './stream-read.js';
export { type Subscribed, type SubscribeOptions, subscribe } from './subscribe.js';
export { type Watched, watchBucket } from './watched.js';
