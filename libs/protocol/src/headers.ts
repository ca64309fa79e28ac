/** Header names of the wire contract. They are case-sensitive. */
export const HEADERS = {
  variable: 'Tide-Variable',
  step: 'Tide-Step',
  box: 'Tide-Box',
  run: 'Tide-Run',
  id: 'Tide-Id',
  wait: 'Tide-Wait',
  annotation: 'Tide-Annotation',
  derivedFrom: 'Tide-Derived-From',
  activity: 'Tide-Activity',
  digest: 'Tide-Digest',
  stream: 'Tide-Stream',
  offset: 'Tide-Offset',
  commit: 'Tide-Commit',
  totalBytes: 'Tide-Total-Bytes',
  dtype: 'Tide-Dtype',
  shape: 'Tide-Shape',
  epoch: 'Tide-Epoch',
  index: 'Tide-Index',
  count: 'Tide-Count',
  quarantined: 'Tide-Quarantined',
  accept: 'Accept',
  decision: 'Tide-Decision',
  verdict: 'Tide-Verdict',
  ceSpecVersion: 'ce-specversion',
  ceId: 'ce-id',
  ceSource: 'ce-source',
  ceType: 'ce-type',
  ceSubject: 'ce-subject',
  ceTime: 'ce-time',
  ceDataContentType: 'ce-datacontenttype',
  errorCode: 'Nats-Service-Error-Code',
  error: 'Nats-Service-Error',
} as const;

/** Reads one header: the empty string where it is absent, as NATS clients do. */
export type HeaderReader = (name: string) => string;

/** Value of `Accept` that asks for MessagePack in the control part of a data reply. */
export const ACCEPT_MSGPACK = 'application/msgpack';
