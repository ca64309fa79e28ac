import { BUCKETS, type Bucket } from '@tidegate/protocol';
import { DiscardPolicy, StorageType } from 'nats';
import type { Bus } from './bus.js';
import { AttemptTimeoutError, DisconnectedError } from './bus-errors.js';
import { monotonicNow } from './clock.js';
import { isJetStreamError, JETSTREAM_TIMEOUT_MS, JS_ERROR, jetStreamApi, publishStored } from './jetstream.js';
import type { HeaderMap } from './message.js';
import { OrderedConsumer } from './ordered-consumer.js';
import { retrying } from './retry.js';
import { ensureStreamConfig, NANOSECONDS_PER_MS } from './stream-config.js';

/** A value and the revision (stream sequence) that it was written with. */
export interface KvEntry<T> {
  readonly value: T;
  readonly revision: number;
}

export interface BucketOptions {
  /** Copies in a cluster; default 1. Heeded when the bucket is created. */
  readonly replicas?: number;
}

const OPERATION = 'KV-Operation';
const EXPECTED = 'Nats-Expected-Last-Subject-Sequence';
const KEY = /^[A-Za-z0-9_=/-]+(\.[A-Za-z0-9_=/-]+)*$/;
const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();

interface Stored {
  readonly revision: number;
  readonly deleted: boolean;
  readonly text: string;
}

interface StoredMessage {
  readonly message: { readonly seq: number; readonly data?: string; readonly hdrs?: string };
}

/** True where the headers are those of a delete marker. */
export function isDeleteMarker(operation: string): boolean {
  return operation === 'DEL' || operation === 'PURGE';
}

/**
 * A key-value bucket with JSON values, laid out as the `nats kv` tool does. Reads go to the stream's leader, so that a
 * key is read as it was last written.
 */
export class KvBucket<T> {
  readonly bus: Bus;
  readonly name: string;
  /** How long a key lives after its last write, in milliseconds; 0 for ever. */
  readonly ttlMs: number;
  /** For one request: short where keys expire, so that a failed renewal can be repeated in time. */
  readonly #timeoutMs: number;

  constructor(bus: Bus, name: string, ttlMs: number) {
    this.bus = bus;
    this.name = name;
    this.ttlMs = ttlMs;
    this.#timeoutMs = ttlMs > 0 ? Math.min(ttlMs / 3, JETSTREAM_TIMEOUT_MS) : JETSTREAM_TIMEOUT_MS;
  }

  get streamName(): string {
    return `KV_${this.name}`;
  }

  /** Subject of a key; of all keys for `>`. */
  subject(key: string): string {
    return `$KV.${this.name}.${key}`;
  }

  /** Key of a subject. */
  key(subject: string): string {
    return subject.slice(this.name.length + 5);
  }

  /** The key's value as the leader has it. */
  async get(key: string): Promise<KvEntry<T> | undefined> {
    const stored = await this.#read(key);
    return stored && !stored.deleted ? { value: JSON.parse(stored.text), revision: stored.revision } : undefined;
  }

  /** Writes a key that does not exist, was deleted, or expired. @returns its revision, none where it exists */
  async create(key: string, value: T): Promise<number | undefined> {
    const revision = await this.#write(key, value, 0);
    if (revision !== undefined) return revision;
    const stored = await this.#read(key);
    if (stored && !stored.deleted) return undefined;
    return this.#write(key, value, stored?.revision ?? 0);
  }

  /** Writes a key that stands at `revision`. @returns its new revision, none where it stands at another one */
  update(key: string, value: T, revision: number): Promise<number | undefined> {
    return this.#write(key, value, revision);
  }

  /** Writes a key whatever it holds. */
  async put(key: string, value: T): Promise<number> {
    return (await this.#publish(key, JSON.stringify(value), {})).revision;
  }

  /** Deletes a key; with `revision` only where it stands there. @returns false where it stands at another one */
  async delete(key: string, revision?: number): Promise<boolean> {
    const expected = revision !== undefined && { [EXPECTED]: String(revision) };
    const { repeated, revision: done } = await this.#publish(key, '', { [OPERATION]: 'DEL', ...expected });
    if (done > 0) return true;
    return repeated && ((await this.#read(key))?.deleted ?? true);
  }

  /** The keys that hold a value, in no order. */
  async keys(): Promise<string[]> {
    const keys = new Set<string>();
    let finish: () => void = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const consumer = await OrderedConsumer.open(this.bus, {
      stream: this.streamName,
      filter: this.subject('>'),
      headersOnly: true,
      start: () => 'last-per-subject',
      onOpen: () => keys.clear(),
      onMessage: ({ subject, header }) => {
        const key = this.key(subject);
        if (isDeleteMarker(header(OPERATION))) keys.delete(key);
        else keys.add(key);
      },
      onCaughtUp: finish,
    });
    await finished;
    consumer.stop();
    return [...keys];
  }

  async #write(key: string, value: T, expected: number): Promise<number | undefined> {
    const text = JSON.stringify(value);
    const { repeated, revision } = await this.#publish(key, text, { [EXPECTED]: String(expected) });
    if (revision > 0) return revision;
    // The first attempt may have been carried out after all: then its value stands, and made the second one fail.
    const stored = repeated ? await this.#read(key) : undefined;
    return stored && !stored.deleted && stored.revision > expected && stored.text === text
      ? stored.revision
      : undefined;
  }

  /**
   * Publishes; where the outcome is unknown, again: the server takes the messages of a connection in order, so that the
   * answer to the second tells of the first. The revision is 0 where the expected one was wrong.
   */
  async #publish(key: string, text: string, headers: HeaderMap): Promise<{ revision: number; repeated: boolean }> {
    const subject = this.#checked(key);
    const data = toUtf8.encode(text);
    const attempt = async (): Promise<number> => {
      try {
        return (await publishStored(this.bus, subject, data, { headers, timeoutMs: this.#timeoutMs })).seq;
      } catch (error) {
        if (isJetStreamError(error, JS_ERROR.wrongLastSequence)) return 0;
        throw error;
      }
    };
    try {
      return { revision: await attempt(), repeated: false };
    } catch (error) {
      if (!(error instanceof AttemptTimeoutError || (error instanceof DisconnectedError && error.sent))) throw error;
      const deadline = monotonicNow() + this.#timeoutMs;
      return { revision: await retrying(attempt, { deadline }), repeated: true };
    }
  }

  async #read(key: string): Promise<Stored | undefined> {
    try {
      const request = `STREAM.MSG.GET.${this.streamName}`;
      const body = { last_by_subj: this.#checked(key) };
      const { message } = await jetStreamApi<StoredMessage>(this.bus, request, body, this.#timeoutMs);
      const operation =
        /^KV-Operation: *(\w+)/m.exec(utf8.decode(Buffer.from(message.hdrs ?? '', 'base64')))?.[1] ?? '';
      return {
        revision: message.seq,
        deleted: isDeleteMarker(operation),
        text: utf8.decode(Buffer.from(message.data ?? '', 'base64')),
      };
    } catch (error) {
      if (isJetStreamError(error, JS_ERROR.noMessage)) return undefined;
      throw error;
    }
  }

  #checked(key: string): string {
    if (!KEY.test(key))
      throw new RangeError(`expected a key of dot-separated [A-Za-z0-9_=/-]+, got ${JSON.stringify(key)}`);
    return this.subject(key);
  }
}

/**
 * Opens a bucket, creating it where it is missing.
 *
 * @throws StorageFullError where the server has no room for its limit; UnavailableError
 */
export async function openBucket<T>(
  bus: Bus,
  bucket: Bucket,
  { replicas = 1 }: BucketOptions = {},
): Promise<KvBucket<T>> {
  const { name, ttlMs, maxBytes } = BUCKETS[bucket];
  const { config } = await ensureStreamConfig(bus, {
    name: `KV_${name}`,
    subjects: [`$KV.${name}.>`],
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    max_bytes: maxBytes,
    max_age: ttlMs * NANOSECONDS_PER_MS,
    num_replicas: replicas,
    allow_rollup_hdrs: true,
    deny_delete: true,
    allow_direct: true,
  });
  return new KvBucket<T>(bus, name, config.max_age / NANOSECONDS_PER_MS);
}
