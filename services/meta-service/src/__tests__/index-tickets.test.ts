import { expect, test } from '@jest/globals';
import type { PartitionId, RawId } from '@tidegate/protocol';
import { IndexTickets } from '../index-tickets.js';

test('a removal withdraws what waits of the same partition at the same raw-service', async () => {
  const tickets = new IndexTickets();
  const go = Promise.withResolvers<void>();
  const hold = (raw: string, id: string) =>
    tickets.hold(raw as RawId, id as PartitionId, async (ticket) => {
      await go.promise;
      return ticket.withdrawn;
    });
  const held = [hold('a', '1'), hold('a', '2'), hold('b', '1')];
  tickets.withdraw('a' as RawId, ['1', '9'] as PartitionId[]);
  const after = hold('a', '1');
  go.resolve();
  expect(await Promise.all([...held, after])).toEqual([true, false, false, false]);
});
