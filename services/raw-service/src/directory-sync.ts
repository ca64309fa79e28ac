import { open } from 'node:fs/promises';

interface Sync {
  readonly running: Promise<void>;
  next?: Promise<void>;
}

/**
 * Makes names in directories durable. Callers that come while a sync of the same directory runs share the one after
 * it: the running one may have begun before their rename.
 */
export class DirectorySync {
  readonly #syncs = new Map<string, Sync>();

  /** Resolves once every name that the directory has now survives the loss of the host. */
  sync(directory: string): Promise<void> {
    const standing = this.#syncs.get(directory);
    if (standing === undefined) return this.#start(directory);
    standing.next ??= standing.running.then(
      () => this.#start(directory),
      () => this.#start(directory),
    );
    return standing.next;
  }

  #start(directory: string): Promise<void> {
    const running = syncDirectory(directory).finally(() => {
      if (this.#syncs.get(directory) === sync && sync.next === undefined) this.#syncs.delete(directory);
    });
    const sync: Sync = { running };
    this.#syncs.set(directory, sync);
    return running;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems cannot sync a directory and need not.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}
