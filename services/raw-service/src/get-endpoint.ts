import { isOpaque } from '@tidegate/array';
import type { ShardRouter } from '@tidegate/bus';
import { type Bus, type Handler, type HeaderMap, type Incoming, monotonicNow, type Outgoing } from '@tidegate/bus';
import {
  boxBytes,
  boxWithin,
  namedStep,
  type PieceSource,
  type Region,
  RegionReader,
  RegionWaits,
  stepSearch,
  type WaitOptions,
} from '@tidegate/client/region';
import { formatBox, shapeOf, splitBox } from '@tidegate/geometry';
import {
  BadRequestError,
  boxHeader,
  DEFAULT_RUN,
  HEADERS,
  integerHeader,
  nameHeader,
  TooLargeError,
  waitHeader,
} from '@tidegate/protocol';
import type { Catalog } from './catalog.js';

export interface GetEndpointOptions {
  readonly bus: Bus;
  readonly router: ShardRouter;
  readonly source: PieceSource;
  readonly catalog: Catalog;
}

/** How long a get looks for owners and raw-services, its wait not counted. */
const GET_MS = 15_000;
const STREAM_BYTES = 1 << 20;
/** Sent between two waits for the server, the only backpressure that there is. */
const FLUSH_BYTES = 4 << 20;
const HEADER_ROOM = 4096;

interface Asked {
  readonly region: Region;
  readonly options: WaitOptions;
  readonly stream: boolean;
}

/** `tide.v1.get`: a region for a client that has no more than NATS. */
export function getHandler(options: GetEndpointOptions): Handler {
  const { bus } = options;
  const reader = new RegionReader(options);
  let unflushed = 0;
  const waits = new RegionWaits({
    read: (region: Region, wait: WaitOptions) => readWhole(reader, region, wait),
    pace: ({ data }) => {
      unflushed += data.length;
      if (unflushed < FLUSH_BYTES) return undefined;
      unflushed = 0;
      return bus.flush();
    },
  });
  return async (request) => {
    const asked = await parse(options, request);
    const { region, stream } = asked;
    if (isOpaque(region.variable.record.dtype)) return sendObjects(reader, asked, request);
    const total = boxBytes(region.variable, region.box);
    const largest = bus.maxPayload - HEADER_ROOM;
    if (total <= largest) {
      const reply =
        asked.options.waitMs > 0
          ? await waits.get(region, asked.options)
          : await readWhole(reader, region, asked.options);
      const place = { [HEADERS.offset]: '0', [HEADERS.totalBytes]: String(total) };
      return stream ? { data: reply.data, headers: { ...reply.headers, ...place } } : reply;
    }
    if (stream) return streamArray(reader, asked, request, largest);
    throw new TooLargeError(
      `the box has ${total} bytes, which do not fit one message of ${largest}: ask with ${HEADERS.stream}: true, or for a smaller box`,
      largest,
    );
  };
}

async function parse({ catalog, router }: GetEndpointOptions, request: Incoming): Promise<Asked> {
  const read = (name: string) => request.header(name);
  const name = nameHeader(read, HEADERS.variable);
  const run = nameHeader(read, HEADERS.run, DEFAULT_RUN);
  const waitMs = waitHeader(read);
  const stream = read(HEADERS.stream);
  if (stream !== '' && stream !== 'true' && stream !== 'false') {
    throw new BadRequestError(HEADERS.stream, `expected "true" or "false", got ${JSON.stringify(stream.slice(0, 80))}`);
  }
  const wanted = read(HEADERS.step);
  const asked = /^\d/.test(wanted) || wanted === '' ? integerHeader(read, HEADERS.step) : headerSearch(wanted);
  const given = boxHeader(read);
  const variable = await catalog.variable(name);
  const box = boxWithin(variable, given, HEADERS.box);
  const waitUntil = monotonicNow() + waitMs;
  const deadline = waitUntil + GET_MS;
  const step =
    typeof asked === 'number'
      ? asked
      : await namedStep(
          router,
          { variable, run, box, wanted, search: asked },
          { waitUntil, deadline, waited: waitMs > 0 },
        );
  const region = { variable, run, step, box };
  return {
    region,
    options: { waitMs: Math.max(0, Math.round(waitUntil - monotonicNow())), deadline },
    stream: stream === 'true',
  };
}

function headerSearch(wanted: string) {
  try {
    return stepSearch(wanted);
  } catch (error) {
    if (error instanceof BadRequestError) throw new BadRequestError(HEADERS.step, error.message);
    throw error;
  }
}

function regionHeaders({ variable, step, box }: Region, epoch: number): HeaderMap {
  return {
    [HEADERS.dtype]: variable.record.dtype,
    [HEADERS.shape]: JSON.stringify(shapeOf(box)),
    [HEADERS.step]: String(step),
    [HEADERS.epoch]: String(epoch),
    [HEADERS.box]: formatBox(box),
  };
}

async function readWhole(reader: RegionReader, region: Region, options: WaitOptions): Promise<Outgoing> {
  const data = new Uint8Array(boxBytes(region.variable, region.box));
  const { epoch } = await reader.readAlone(region, data, options);
  return { data, headers: regionHeaders(region, epoch) };
}

async function streamArray(
  reader: RegionReader,
  { region, options }: Asked,
  request: Incoming,
  largest: number,
): Promise<undefined> {
  const total = boxBytes(region.variable, region.box);
  // The first plan waits for the whole region; each part is then planned again, since pieces may move meanwhile.
  const waitUntil = monotonicNow() + options.waitMs;
  const { epoch } = await reader.plan(region, options);
  let offset = 0;
  let unflushed = 0;
  for (const box of splitBox(
    region.box,
    Math.max(1, Math.floor(Math.min(STREAM_BYTES, largest) / region.variable.itemSize)),
  )) {
    const data = new Uint8Array(boxBytes(region.variable, box));
    const now = monotonicNow();
    const waitMs = Math.max(0, Math.round(waitUntil - now));
    await reader.readAlone({ ...region, box }, data, { waitMs, deadline: now + waitMs + GET_MS });
    request.send(data, {
      ...regionHeaders(region, epoch),
      [HEADERS.offset]: String(offset),
      [HEADERS.totalBytes]: String(total),
    });
    offset += data.length;
    unflushed += data.length;
    if (unflushed >= FLUSH_BYTES) {
      unflushed = 0;
      await request.flush();
    }
  }
  return undefined;
}

async function sendObjects(reader: RegionReader, { region, options }: Asked, request: Incoming): Promise<undefined> {
  const { epoch, objects } = await reader.readObjects(region, options);
  for (const [at, { box, bytes }] of objects.entries()) {
    request.send(bytes, {
      ...regionHeaders({ ...region, box }, epoch),
      [HEADERS.index]: String(at),
      [HEADERS.count]: String(objects.length),
    });
    await request.flush();
  }
  return undefined;
}
