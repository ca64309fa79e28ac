import { type FileHandle, open } from 'node:fs/promises';

interface Entry {
  readonly handle: Promise<FileHandle>;
  users: number;
}

/**
 * Files that are open for reading, the least recently used closed first. A file that is being read is never closed,
 * since its number could name another file a moment later: so the limit may be passed by as many files as are in use.
 */
export class FileCache {
  readonly #limit: number;
  readonly #entries = new Map<string, Entry>();
  readonly #onCloseError: (error: unknown) => void;

  constructor(limit: number, onCloseError: (error: unknown) => void) {
    this.#limit = limit;
    this.#onCloseError = onCloseError;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Runs a task with the file open. @throws NodeJS.ErrnoException if it cannot be opened */
  async use<T>(path: string, task: (file: FileHandle) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(path) ?? { handle: open(path, 'r'), users: 0 };
    this.#entries.delete(path);
    this.#entries.set(path, entry);
    entry.users++;
    try {
      const handle = await entry.handle;
      return await task(handle);
    } catch (error) {
      // A file that failed to open or to be read is opened anew next time.
      if (this.#entries.get(path) === entry) this.#entries.delete(path);
      throw error;
    } finally {
      entry.users--;
      this.#closeUnused(path, entry);
      this.#trim();
    }
  }

  /** Forgets a file, which is closed once nobody reads it any more. */
  drop(path: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    this.#entries.delete(path);
    this.#closeUnused(path, entry);
  }

  /** Forgets all files. */
  clear(): void {
    for (const path of [...this.#entries.keys()]) this.drop(path);
  }

  #trim(): void {
    if (this.#entries.size <= this.#limit) return;
    for (const [path, { users }] of this.#entries) {
      if (users === 0) this.drop(path);
      if (this.#entries.size <= this.#limit) return;
    }
  }

  #closeUnused(path: string, entry: Entry): void {
    if (entry.users > 0 || this.#entries.get(path) === entry) return;
    entry.handle
      .then((handle) => handle.close())
      .catch((error: NodeJS.ErrnoException) => {
        // One that never opened has told its user so.
        if (error.syscall !== 'open') this.#onCloseError(error);
      });
  }
}
