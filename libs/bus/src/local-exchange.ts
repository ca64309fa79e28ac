import type { Carried } from './message.js';

type Receiver = (message: Carried) => void;

/**
 * Carries messages between connections of one process without the detour over the server: the services of
 * `tidegate up`, say. It knows the plain endpoints and the inboxes of the connections that share it, and whatever is
 * not for one of those goes over NATS. Subjects, bodies, handlers and errors are the same on either way.
 *
 * A message that is delivered here does not reach subscribers of other processes. So it serves only subjects that one
 * process at a time answers, as those of a raw-service and of a shard by its owner's lease.
 */
export class LocalExchange {
  readonly #receivers = new Map<string, Set<Receiver>>();

  /**
   * Takes the messages of a subject, of which the last token may be `*`.
   *
   * @returns the way to leave
   */
  join(subject: string, receive: Receiver): () => void {
    const receivers = this.#receivers.get(subject) ?? new Set();
    receivers.add(receive);
    this.#receivers.set(subject, receivers);
    return () => {
      receivers.delete(receive);
      if (receivers.size === 0 && this.#receivers.get(subject) === receivers) this.#receivers.delete(subject);
    };
  }

  /** Delivers a message, after the caller's own turn. False where nobody here takes it. */
  deliver(message: Carried): boolean {
    const { subject } = message;
    const receivers =
      this.#receivers.get(subject) ?? this.#receivers.get(`${subject.slice(0, subject.lastIndexOf('.') + 1)}*`);
    if (!receivers) return false;
    for (const receive of receivers) queueMicrotask(() => receive(message));
    return true;
  }
}
