import { createHash } from 'node:crypto';
import { type Bus, inParallel, type KvBucket, openBucket } from '@tidegate/bus';
import { inspectKernel } from '@tidegate/kernels';
import {
  KERNEL_MAX_BYTES,
  type KernelListReply,
  type KernelRecord,
  type KernelReply,
  kernelKey,
  TooLargeError,
} from '@tidegate/protocol';

type Described = KernelListReply['kernels'][number];

const PREFIX = 'sha256:';
const READS = 8;
/** Descriptions that are remembered: a digest always means the same module. */
const REMEMBERED = 4096;

/** The WebAssembly modules that checks and transforms may call. */
export class KernelStore {
  readonly #bucket: KvBucket<KernelRecord>;
  readonly #known = new Map<string, Described>();

  /** @throws UnavailableError, StorageFullError */
  static async open(bus: Bus): Promise<KernelStore> {
    return new KernelStore(await openBucket<KernelRecord>(bus, 'kernels'));
  }

  constructor(bucket: KvBucket<KernelRecord>) {
    this.#bucket = bucket;
  }

  /** Stores a module; the same one again changes nothing. @throws BadRequestError, TooLargeError, StorageFullError */
  async put(wasm: Uint8Array): Promise<KernelReply> {
    if (wasm.length > KERNEL_MAX_BYTES) {
      throw new TooLargeError(
        `expected a module of at most ${KERNEL_MAX_BYTES} bytes, got ${wasm.length}`,
        KERNEL_MAX_BYTES,
      );
    }
    const { exports } = inspectKernel(wasm);
    const hex = createHash('sha256').update(wasm).digest('hex');
    await this.#bucket.create(hex, { wasm: Buffer.from(wasm).toString('base64'), exports, bytes: wasm.length });
    return { digest: `${PREFIX}${hex}`, exports };
  }

  /** What a digest stands for; undefined where no such module is stored. @throws UnavailableError */
  async describe(digest: string): Promise<Described | undefined> {
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const entry = await this.#bucket.get(kernelKey(digest));
    if (entry === undefined) return undefined;
    const { exports, bytes } = entry.value;
    const described = { digest, exports, bytes };
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(digest, described);
    return described;
  }

  /** All modules, by their digest. @throws UnavailableError */
  async list(): Promise<readonly Described[]> {
    const keys = (await this.#bucket.keys()).sort();
    const found: Described[] = [];
    await inParallel(keys, READS, async (key) => {
      const described = await this.describe(`${PREFIX}${key}`);
      if (described !== undefined) found.push(described);
    });
    return found.sort((a, b) => (a.digest < b.digest ? -1 : 1));
  }
}
