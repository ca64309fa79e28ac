import type { PutReply, UploadTicket } from '@tidegate/protocol';
import type { PlainClient } from './plain-client.js';

/** Descriptor of a put in chunks. */
export interface UploadDescriptor {
  readonly variable: string;
  readonly step: number;
  readonly bytes: number;
  readonly box?: string;
  readonly run?: string;
  readonly id?: string;
  readonly wait?: number;
}

/** Reserves the room of a put in chunks. */
export async function openUpload(client: PlainClient, descriptor: UploadDescriptor): Promise<UploadTicket> {
  const reply = await client.control('tide.v1.put.open', descriptor);
  if (reply.status !== 0) throw new Error(`put.open was refused: ${new TextDecoder().decode(reply.data)}`);
  return reply.json<UploadTicket>();
}

/** Sends chunks up to `length` bytes, no more at a time than the ticket allows. */
export async function sendChunks(
  client: PlainClient,
  { subject, chunkBytes, window }: UploadTicket,
  data: Uint8Array,
  length = data.length,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < length) {
      const offset = next;
      next = Math.min(length, offset + chunkBytes);
      const reply = await client.request(subject, data.subarray(offset, next), { 'Tide-Offset': offset });
      if (reply.status !== 0) throw new Error(`a chunk was refused: ${new TextDecoder().decode(reply.data)}`);
    }
  };
  await Promise.all(Array.from({ length: window }, lane));
}

/** Makes an upload visible. */
export async function commitUpload(client: PlainClient, { subject }: UploadTicket): Promise<PutReply> {
  const reply = await client.request(subject, '', { 'Tide-Commit': 'true' });
  if (reply.status !== 0) throw new Error(`the commit was refused: ${new TextDecoder().decode(reply.data)}`);
  return reply.json<PutReply>();
}

/** Puts a partition in chunks as the wire contract tells. */
export async function plainUpload(
  client: PlainClient,
  descriptor: Omit<UploadDescriptor, 'bytes'>,
  data: Uint8Array,
): Promise<PutReply> {
  const ticket = await openUpload(client, { ...descriptor, bytes: data.length });
  await sendChunks(client, ticket, data);
  return commitUpload(client, ticket);
}

/** Gets an array that comes in several messages, checking their order and their headers. */
export async function plainStreamedGet(
  client: PlainClient,
  headers: Readonly<Record<string, string | number>>,
): Promise<{ readonly bytes: Uint8Array; readonly messages: number }> {
  let bytes = new Uint8Array();
  let received = 0;
  let messages = 0;
  await client.stream('tide.v1.get', { ...headers, 'Tide-Stream': 'true' }, (reply) => {
    if (reply.status !== 0) throw new Error(`the get was refused: ${new TextDecoder().decode(reply.data)}`);
    const total = Number(reply.header('Tide-Total-Bytes'));
    if (messages === 0) bytes = new Uint8Array(total);
    const offset = Number(reply.header('Tide-Offset'));
    if (reply.header('Tide-Offset') === '' || offset !== received || total !== bytes.length) {
      throw new Error(`expected offset ${received} of ${bytes.length}, got ${offset} of ${total}`);
    }
    bytes.set(reply.data, offset);
    received += reply.data.length;
    messages++;
    return received < total ? 'more' : 'done';
  });
  return { bytes, messages };
}
