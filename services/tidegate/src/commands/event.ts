import { type StreamMessage, tail } from '@tidegate/bus';
import { EVENTS_ALL, STREAMS } from '@tidegate/protocol';
import type { Command } from 'commander';
import { addCommonOptions, addExamples } from '../common-options.js';
import { untilInterrupted } from '../interrupt.js';
import { addOption } from '../option.js';
import { type CommonOptions, terminalFor, withBus } from '../session.js';

interface TailOptions extends CommonOptions {
  readonly from: 'all' | 'new';
  readonly subject: string;
}

const PREFIX = EVENTS_ALL.slice(0, -1);
const utf8 = new TextDecoder();

/** `tidegate event tail` */
export function addEvent(program: Command): void {
  const event = program
    .command('event')
    .helpCommand(false)
    .summary('follow events')
    .description('Works with events: what happens in the cluster.');
  addExamples(event, ['tidegate event tail', 'tidegate event tail --from all --subject "storage.>"']);
  const command = event
    .command('tail')
    .summary('print events as they come')
    .description('Prints events as they come, until interrupted: state changes of the storage, rollbacks of runs.');
  addOption(command, '--from <where>', 'begin with all that are kept, or with new ones', {
    choices: ['all', 'new'],
    default: 'new',
  });
  addOption(
    command,
    '--subject <filter>',
    `only events of this subject, ${PREFIX} may be left out; * and > as in NATS`,
    {
      default: '>',
    },
  );
  addCommonOptions(command);
  addExamples(command, ['tidegate event tail --from all', 'tidegate event tail --subject "run.*" --json']);
  command.action(follow);
}

async function follow({ from, subject, ...options }: TailOptions): Promise<void> {
  const terminal = terminalFor(options);
  const { signal, dispose } = untilInterrupted();
  try {
    await withBus(options, async (bus) => {
      for await (const message of tail(bus, STREAMS.events.name, { from, subject: eventSubject(subject), signal })) {
        terminal.value(eventRecord(message), ({ time, subject, data }) => [
          `${time}  ${subject}  ${JSON.stringify(data)}`,
        ]);
      }
    });
  } finally {
    dispose();
  }
}

/** The whole subject of a filter that may leave out what all events have. */
export function eventSubject(filter: string): string {
  return filter.startsWith(PREFIX) ? filter : `${PREFIX}${filter}`;
}

function eventRecord({ subject, sequence, storedAt, data }: StreamMessage) {
  return { time: new Date(storedAt).toISOString(), subject, sequence, data: parsed(data) };
}

/** The body's JSON, or its text where somebody else published something else. */
function parsed(data: Uint8Array): unknown {
  const text = utf8.decode(data);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
