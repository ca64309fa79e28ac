import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { patternBytes } from '../cells.js';
import { type Cluster, startCluster } from '../cluster.js';
import { type CliOutcome, natsCliBinary, runNatsCli } from '../nats-cli.js';

const BINARY = natsCliBinary();

if (BINARY === undefined) {
  describe('the nats command line client', () => {
    test.skip('is not there: TIDEGATE_NATS_CLI names none', () => {});
  });
} else {
  suite(BINARY);
}

function suite(binary: string): void {
  describe('the nats command line client', () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster({ raw: 2 });
    });
    afterAll(() => cluster?.stop());

    function nats(args: readonly string[], input?: Uint8Array): Promise<CliOutcome> {
      return runNatsCli(binary, ['--server', cluster.url, ...args], input);
    }
    /** `nats req SUBJECT BODY --raw -H …`: the bytes of the reply. */
    async function request(subject: string, body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}) {
      const flags = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}:${value}`]);
      const common = ['req', subject, '--raw', '--no-templates', '--timeout', '10s', ...flags];
      const { code, output, errorOutput } =
        typeof body === 'string' && body !== ''
          ? await nats([...common, body])
          : await nats([...common, '--force-stdin'], typeof body === 'string' ? new Uint8Array() : body);
      expect({ code, errorOutput: code === 0 ? '' : errorOutput }).toEqual({ code: 0, errorOutput: '' });
      return output;
    }
    async function control(subject: string, body: object): Promise<Record<string, unknown>> {
      return JSON.parse((await request(subject, JSON.stringify(body))).toString());
    }
    const data = patternBytes(4 * 6 * 4, 8);

    test('declares, puts and gets', async () => {
      const record = await control('tide.v1.variable.declare', { name: 'T', dtype: 'float32', shape: [4, 6] });
      expect(record).toMatchObject({ name: 'T', dtype: 'float32', shape: [4, 6], window: 10 });
      const put = await request('tide.v1.put', data, { 'Tide-Variable': 'T', 'Tide-Step': '0', 'Tide-Box': '0:4,0:6' });
      expect(JSON.parse(put.toString())).toMatchObject({ variable: 'T', step: 0, bytes: 96, box: '0:4,0:6' });
      const got = await request('tide.v1.get', '{}', { 'Tide-Variable': 'T', 'Tide-Step': 'latest' });
      expect(Buffer.compare(got.subarray(0, data.length), data)).toBe(0);
      // The client ends its output with a line feed of its own, if anything.
      expect(got.subarray(data.length).toString().trim()).toBe('');
    });

    test('queries, lists steps, pins, tells the storage and deletes', async () => {
      expect(await control('tide.v1.query', { variable: 'T', step: 0 })).toMatchObject({ covered: true, missing: [] });
      expect((await control('tide.v1.pin', { variable: 'T', steps: 0 }))['code']).toBeUndefined();
      expect(await control('tide.v1.steps', { variable: 'T' })).toEqual({
        steps: [{ step: 0, covered: true, partitions: 1, bytes: 96, tier: 'memory', pinned: true }],
      });
      expect((await control('tide.v1.unpin', { variable: 'T', steps: 0 }))['code']).toBeUndefined();
      expect(await control('tide.v1.storage', {})).toMatchObject({ state: 'ok', services: [{}, {}] });
      expect(await control('tide.v1.delete', { variable: 'T', steps: 0 })).toEqual({ partitions: 1, bytes: 96 });
      expect(await control('tide.v1.steps', { variable: 'T' })).toEqual({ steps: [] });
    });

    test('shows errors with their headers', async () => {
      const { output, errorOutput } = await nats([
        'req',
        'tide.v1.get',
        '{}',
        '--no-templates',
        '-H',
        'Tide-Variable:T',
        '-H',
        'Tide-Step:5',
      ]);
      const shown = output.toString() + errorOutput;
      expect(shown).toContain('Nats-Service-Error-Code: 404');
      expect(shown).toMatch(/Nats-Service-Error: .+/);
      expect(shown).toContain('"code":"NOT_COVERED"');
    });

    test('`nats micro ls` shows the services', async () => {
      const { code, output } = await nats(['micro', 'ls']);
      expect(code).toBe(0);
      expect(output.toString()).toContain('tidegate-raw');
      expect(output.toString()).toContain('tidegate-meta');
      const info = await nats(['micro', 'info', 'tidegate-raw']);
      expect(info.output.toString()).toContain('tide.v1.put');
    });
  });
}
