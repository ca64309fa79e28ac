import { statfs } from 'node:fs/promises';

/** Use of a whole file system, by whomever. */
export interface FileSystemUse {
  /** Bytes that ordinary users can have in all, and those in use. */
  readonly totalBytes: number;
  readonly usedBytes: number;
  /** Share of the inodes in use; 0 where the file system has no fixed number of them. */
  readonly inodeShare: number;
}

/** Asks the file system that holds `directory`. */
export async function fileSystemUse(directory: string): Promise<FileSystemUse> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(directory);
  const usedBytes = (blocks - bfree) * bsize;
  return {
    usedBytes,
    // What root alone may use does not count.
    totalBytes: usedBytes + bavail * bsize,
    inodeShare: files === 0 ? 0 : (files - ffree) / files,
  };
}
