import { createHash } from 'node:crypto';
import type { KvBucket, Logger } from '@tidegate/bus';
import { type KernelRecord, kernelKey } from '@tidegate/protocol';

/** Bytes of modules that are kept at hand. */
const MAX_BYTES = 64 << 20;

export interface UserKernelsOptions {
  /** Opened when the first module is asked for. */
  readonly bucket: () => Promise<Pick<KvBucket<KernelRecord>, 'get'>>;
  readonly logger: Pick<Logger, 'error'>;
  readonly maxBytes?: number;
}

/** The modules of users: read from their bucket, checked against their digest, the last used kept at hand. */
export class UserKernels {
  readonly #options: UserKernelsOptions;
  readonly #maxBytes: number;
  readonly #modules = new Map<string, Uint8Array>();
  readonly #loading = new Map<string, Promise<Uint8Array | undefined>>();
  #bytes = 0;

  constructor(options: UserKernelsOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
  }

  /** Modules by digest, without those that are not stored, or whose bytes have another digest. @throws UnavailableError */
  async find(digests: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>();
    for (const digest of digests) {
      const module = this.#modules.get(digest) ?? (await this.#load(digest));
      if (module !== undefined) found.set(digest, module);
    }
    for (const [digest, module] of found) this.#keep(digest, module);
    return found;
  }

  #load(digest: string): Promise<Uint8Array | undefined> {
    const standing = this.#loading.get(digest);
    if (standing !== undefined) return standing;
    const loading = this.#read(digest).finally(() => this.#loading.delete(digest));
    this.#loading.set(digest, loading);
    return loading;
  }

  async #read(digest: string): Promise<Uint8Array | undefined> {
    const bucket = await this.#options.bucket();
    const entry = await bucket.get(kernelKey(digest));
    if (entry === undefined) return undefined;
    const module = Uint8Array.from(Buffer.from(entry.value.wasm, 'base64'));
    const actual = `sha256:${createHash('sha256').update(module).digest('hex')}`;
    if (actual === digest) return module;
    this.#options.logger.error(
      { digest, actual },
      'a stored kernel has not the bytes of its digest: checks fail that use it',
    );
    return undefined;
  }

  #keep(digest: string, module: Uint8Array): void {
    if (!this.#modules.delete(digest)) this.#bytes += module.length;
    this.#modules.set(digest, module);
    for (const [oldest, { length }] of this.#modules) {
      if (this.#bytes <= this.#maxBytes || oldest === digest) break;
      this.#modules.delete(oldest);
      this.#bytes -= length;
    }
  }
}
