import { ForbiddenError, type TidegateError, TimeoutError, TooLargeError, UnavailableError } from '@tidegate/protocol';
import { ErrorCode, type NatsConnection, NatsError } from 'nats';

/** 503: nobody listens on the subject now: the service is not running, or its shard has no owner at the moment. */
export class NoResponderError extends UnavailableError {
  readonly subject: string;

  constructor(subject: string) {
    super(`nobody answers on ${subject}`, 0);
    this.subject = subject;
  }
}

/** 504: no reply came within the time of one attempt. Whether the request was carried out is unknown. */
export class AttemptTimeoutError extends TimeoutError {
  readonly subject: string;

  constructor(subject: string, timeoutMs: number) {
    super(`no reply on ${subject} within ${Math.round(timeoutMs)} ms`);
    this.subject = subject;
  }
}

/** 503: there is no connection now. */
export class DisconnectedError extends UnavailableError {
  /** The request was sent before the connection was lost: whether it was carried out is unknown. */
  readonly sent: boolean;

  constructor(what: string, { sent }: { readonly sent: boolean }) {
    super(`${what}: not connected to the NATS server`, 0);
    this.sent = sent;
  }
}

/** The typed error of a publish that the client refused. */
export function publishError(error: unknown, subject: string, bytes: number, connection: NatsConnection): unknown {
  if (error instanceof NatsError && error.code === ErrorCode.MaxPayloadExceeded) {
    const limit = connection.info?.max_payload ?? 0;
    return new TooLargeError(
      `expected a message of at most ${limit} bytes with its headers, got ${bytes} without`,
      limit,
    );
  }
  return fromNatsError(error, `publish to ${subject}`);
}

/** The typed error of what the NATS client throws or rejects with; anything else is passed through. */
export function fromNatsError(error: unknown, doing: string): unknown {
  if (!(error instanceof NatsError)) return error;
  return typedError(error, doing);
}

function typedError(error: NatsError, doing: string): TidegateError {
  const text = `${doing}: ${error.message}`;
  switch (error.code) {
    case ErrorCode.PermissionsViolation:
    case ErrorCode.AuthorizationViolation:
    case ErrorCode.AuthenticationExpired:
    case ErrorCode.AccountExpired:
      return new ForbiddenError(text, { cause: error });
    case ErrorCode.Timeout:
      return new TimeoutError(text, undefined, { cause: error });
    default:
      return new UnavailableError(text, 0, { cause: error });
  }
}
