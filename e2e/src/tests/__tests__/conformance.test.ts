import { existsSync } from 'node:fs';
import { describe, test } from '@jest/globals';
import { conformance } from '../conformance.js';

const OLD = process.env['TIDEGATE_NATS_OLD'] ?? '';

conformance({ title: 'on the newest nats-server', version: /^2\.(1[0-9]|[2-9][0-9])\./ });

if (existsSync(OLD)) {
  conformance({ title: 'on nats-server 2.9.10, the oldest supported', natsServer: OLD, version: /^2\.9\.10$/ });
} else {
  describe('on nats-server 2.9.10, the oldest supported', () => {
    test.skip(`TIDEGATE_NATS_OLD names no nats-server (${OLD === '' ? 'not set' : OLD})`, () => {});
  });
}
