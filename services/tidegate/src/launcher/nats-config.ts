/** What a local nats-server is configured with. */
export interface NatsConfig {
  /** TCP port of the loopback interface; -1 takes a free one. */
  readonly port: number;
  readonly storeDir: string;
  readonly pidFile: string;
  /** Most bytes of JetStream's files. */
  readonly maxFileStoreBytes: number;
}

/** Consumers keep their state in memory; there is no more than that. */
const MAX_MEMORY_STORE_BYTES = 256 << 20;

/**
 * The configuration of the nats-server beside the services. Bounded on every side: a peer that does not read is dropped
 * after `max_pending` bytes or the write deadline, JetStream never fills the disk.
 */
export function natsConfig({ port, storeDir, pidFile, maxFileStoreBytes }: NatsConfig): string {
  return [
    `server_name: tidegate`,
    `listen: "127.0.0.1:${port}"`,
    `max_payload: 8MB`,
    `max_pending: 512MB`,
    `write_deadline: "30s"`,
    `pid_file: ${quoted(pidFile)}`,
    `jetstream {`,
    `  store_dir: ${quoted(storeDir)}`,
    `  max_file_store: ${maxFileStoreBytes}`,
    `  max_memory_store: ${MAX_MEMORY_STORE_BYTES}`,
    `}`,
    ``,
  ].join('\n');
}

/** A string of nats-server's configuration language, which has the escapes of JSON for what paths hold. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
