import { type StreamMessage, tail } from '@tidegate/bus';
import { firedEvent } from '@tidegate/client';
import { EVENTS_ALL, HEADERS, STREAMS, triggerEventSubject } from '@tidegate/protocol';
import type { Command } from 'commander';
import { fullName, name } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { valuesText } from '../format/decision.js';
import { untilInterrupted } from '../interrupt.js';
import { addOption } from '../option.js';
import { type CommonOptions, terminalFor, withBus } from '../session.js';
import { UsageError } from '../usage-error.js';

interface TailOptions extends CommonOptions {
  readonly from: 'all' | 'new';
  readonly subject?: string;
  readonly trigger?: string;
  readonly run?: string;
}

const PREFIX = EVENTS_ALL.slice(0, -1);
const utf8 = new TextDecoder();
/** Attributes of a CloudEvent, by the headers that carry them. */
const ATTRIBUTES = {
  id: HEADERS.ceId,
  source: HEADERS.ceSource,
  type: HEADERS.ceType,
  subject: HEADERS.ceSubject,
  time: HEADERS.ceTime,
} as const;

/** `tidegate event tail` */
export function addEvent(program: Command): void {
  const event = program
    .command('event')
    .helpCommand(false)
    .summary('follow events')
    .description('Works with events: what happens in the cluster.');
  addExamples(event, ['tidegate event tail --trigger hot', 'tidegate event tail --from all --subject "storage.>"']);
  const command = event
    .command('tail')
    .summary('print events as they come')
    .description(
      'Prints events as they come, until interrupted: triggers that fired, state changes of the storage, rollbacks of runs.',
    );
  addOption(command, '--from <where>', 'begin with all that are kept, or with new ones', {
    choices: ['all', 'new'],
    default: 'new',
  });
  addOption(command, '--trigger <name>', 'only fired events of this trigger; parent~child for a nested one', {
    parse: fullName,
  });
  addOption(command, '--run <name>', 'only fired events of this run', { parse: name });
  addOption(
    command,
    '--subject <filter>',
    `only events of this subject, ${PREFIX} may be left out; * and > as in NATS`,
  );
  addCommonOptions(command);
  addExamples(command, [
    'tidegate event tail --trigger hot --from all',
    'tidegate event tail --subject "run.*" --json',
  ]);
  command.action(follow);
}

async function follow({ from, subject, trigger, run, ...options }: TailOptions): Promise<void> {
  const filter = eventFilter({ subject, trigger, run });
  const terminal = terminalFor(options);
  const { signal, dispose } = untilInterrupted();
  try {
    await withBus(options, async (bus) => {
      for await (const message of tail(bus, STREAMS.events.name, { from, subject: filter, signal })) {
        terminal.value(eventRecord(message), () => [eventLine(message)]);
      }
    });
  } finally {
    dispose();
  }
}

/** The subject that the options ask for. @throws UsageError for options that do not go together */
export function eventFilter(options: {
  readonly subject?: string | undefined;
  readonly trigger?: string | undefined;
  readonly run?: string | undefined;
}): string {
  const { subject, trigger, run } = options;
  if (trigger === undefined && run === undefined) return eventSubject(subject ?? '>');
  if (subject !== undefined) {
    throw new UsageError('subject', 'expected either --subject or --trigger and --run, got both');
  }
  return triggerEventSubject({ run: run ?? '*', trigger: trigger ?? '*', epoch: '*', step: '*' });
}

/** The whole subject of a filter that may leave out what all events have. */
export function eventSubject(filter: string): string {
  return filter.startsWith(PREFIX) ? filter : `${PREFIX}${filter}`;
}

/** An event for people: a fired one in words, another with its body. */
export function eventLine(message: StreamMessage): string {
  const fired = firedEvent(message);
  const { time, subject, data } = eventRecord(message);
  if (!fired) return `${time}  ${subject}  ${JSON.stringify(data)}`;
  const { trigger, run, epoch, step, values, data: added } = fired.data;
  const more = Object.keys(added).length > 0 ? [JSON.stringify(added)] : [];
  const where = `run ${run}  step ${step}${epoch === 0 ? '' : ` of epoch ${epoch}`}`;
  return [time, 'fired', trigger, where, ...[valuesText(values)].filter((text) => text !== ''), ...more].join('  ');
}

function eventRecord({ subject, sequence, storedAt, data, header }: StreamMessage) {
  const attributes = Object.entries(ATTRIBUTES).map(([attribute, name]) => [attribute, header(name)] as const);
  const present = attributes.filter(([, value]) => value !== '');
  return {
    time: new Date(storedAt).toISOString(),
    subject,
    sequence,
    ...(present.length > 0 && { attributes: Object.fromEntries(present) }),
    data: parsed(data),
  };
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
