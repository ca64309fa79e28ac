import type { StreamMessage } from './ordered-consumer.js';

/**
 * What a consumer delivers until an iteration takes it. The server holds back while the reader is behind, by `ready`, which
 * bounds the queue by the server's flow-control window.
 */
export class MessageQueue {
  readonly #messages: StreamMessage[] = [];
  #wake: () => void = () => {};
  #drained: () => void = () => {};

  /** Adds a copy of a message. */
  push(message: StreamMessage): void {
    this.#messages.push({ ...message, data: message.data.slice() });
    this.#wake();
  }

  take(): StreamMessage | undefined {
    return this.#messages.shift();
  }

  /** Settles when a message comes, or at `wake`. */
  more(): Promise<void> {
    this.#drained();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Ends a wait for more: there may be another reason to look. */
  wake(): void {
    this.#wake();
  }

  /** Settles when everything is taken: for the consumer's `ready`. */
  ready(): Promise<void> {
    if (this.#messages.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }
}
