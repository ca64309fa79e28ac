import { expect } from '@jest/globals';
import { ERROR_TABLE, type ErrorCode } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { patternBytes } from './cells.js';
import { type Cluster, startCluster } from './cluster.js';
import { GRID, NOTED } from './malformed-request.js';
import type { PlainClient, PlainReply } from './plain-client.js';
import { stagedState } from './staged-state.js';

/** A cluster with data in memory and on disk that bad requests must not change. */
export interface GuardedCluster {
  readonly cluster: Cluster;
  readonly plain: PlainClient;
  /** Id of its one raw-service. */
  readonly raw: string;
  /** Compares everything that can be seen with what was there at the start. */
  expectUnchanged(): Promise<void>;
}

/** Starts it: 15 steps of `grid` through a window of 10, the variable `noted`, and an opaque one. */
export async function startGuardedCluster(): Promise<GuardedCluster> {
  const cluster = await startCluster({ raw: 1, meta: 1 });
  const plain = await cluster.plain();
  for (const declaration of [GRID, NOTED, { name: 'opaque', dtype: 'bytes', shape: [4] }]) {
    expect((await plain.control('tide.v1.variable.declare', declaration)).status).toBe(0);
  }
  for (let step = 0; step < 15; step++) {
    for (const [at, box] of ['0:8,0:7', '0:8,7:16'].entries()) {
      const bytes = patternBytes(8 * (at === 0 ? 7 : 9) * 8, step * 2 + at);
      const headers = { 'Tide-Variable': 'grid', 'Tide-Step': step, 'Tide-Box': box };
      expect((await plain.request('tide.v1.put', bytes, headers)).status).toBe(0);
    }
  }
  await until(
    async () => {
      const reply = await plain.control('tide.v1.steps', { variable: 'grid' });
      return reply.json<{ steps: { tier: string }[] }>().steps.filter(({ tier }) => tier === 'memory').length === 10;
    },
    { what: 'the window to be in memory and the rest on disk' },
  );
  const before = await stagedState(plain, cluster.dataDir);
  return {
    cluster,
    plain,
    raw: before.services[0]?.id ?? '',
    async expectUnchanged() {
      expect(cluster.process.errorOutput()).not.toMatch(/failed unexpectedly/);
      expect(await stagedState(plain, cluster.dataDir)).toEqual(before);
    },
  };
}

/** Checks that a reply is an error of the contract: status, headers and body agree. */
export function expectError(reply: PlainReply): Record<string, unknown> {
  expect(reply.status).toBeGreaterThanOrEqual(400);
  expect(reply.header('Nats-Service-Error')).not.toBe('');
  const body = reply.data[0] === 0x7b ? reply.json() : reply.msgpack();
  const { status, retryable } = ERROR_TABLE[body['code'] as ErrorCode];
  expect({ status: reply.status, retryable: body['retryable'] }).toEqual({ status, retryable });
  expect(typeof body['message']).toBe('string');
  return body;
}
