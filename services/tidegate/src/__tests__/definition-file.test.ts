import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BadRequestError, NotFoundError } from '@tidegate/protocol';
import { type TemporaryDirectory, temporaryDirectory } from '@tidegate/testing';
import { DefinitionError, located, parseDocuments, readDocument, type SourceDocument } from '../definition-file.js';
import { UsageError } from '../usage-error.js';

const TEXT = `# a definition
name: hot
on: {variable: T, every: 2}
base: &base
  iso: 0.5
compare:
  condition: "mx > 1.0 && foo"
  recovery: mx < foo
  block: |
    mx > foo
  escaped: "mx > \\"a\\""
action:
  - emit: {}
  - task:
      name: render
      args: *base
`;

function only(text: string): SourceDocument {
  const [source] = parseDocuments('hot.yaml', text);
  if (!source) throw new Error('no document');
  return source;
}

const place = (path: string, message?: string): string => {
  const { line, column } = only(TEXT).locate(path, message);
  return `${line}:${column}`;
};

describe('a key path', () => {
  test('leads to its key, or to the last key on it that there is', () => {
    expect({
      name: place('name'),
      nested: place('on.every'),
      item: place('action.1.task.name'),
      alias: place('action.1.task.args.iso'),
      missing: place('on.box'),
      deepMissing: place('action.1.task.nme.x'),
      noItem: place('action.7.task'),
      nothing: place('check.mx'),
    }).toEqual({
      name: '2:1',
      nested: '3:19',
      item: '15:7',
      alias: '5:3',
      missing: '3:1',
      deepMissing: '14:5',
      noItem: '12:1',
      nothing: '2:1',
    });
  });

  test('leads into an expression that stands in the file as it is', () => {
    const message = (column: number): string => `compare.condition: unknown variable foo (column ${column})`;
    expect([
      place('compare.condition', message(13)),
      place('compare.recovery', message(6)),
      place('compare.block', message(6)),
      place('compare.escaped', message(6)),
      place('compare.condition', 'compare.condition: expected bool'),
    ]).toEqual(['7:27', '8:18', '9:3', '11:3', '7:3']);
  });

  test('is the same in JSON', () => {
    const source = only('{\n  "name": "hot",\n  "action": [{"task": {"name": 3}}]\n}');
    expect(source.value).toEqual({ name: 'hot', action: [{ task: { name: 3 } }] });
    expect(source.locate('action.0.task.name')).toEqual({ line: 3, column: 24 });
  });
});

describe('a refusal', () => {
  test('gets the place before its message, once, and shows the line', () => {
    const source = only(TEXT);
    const error = new BadRequestError('action.1.task.name', 'action.1.task.name: expected a name, got "a b"');
    const told = located(source, error) as DefinitionError;
    expect(told).toBeInstanceOf(DefinitionError);
    expect(told.message).toBe('hot.yaml:15:7: action.1.task.name: expected a name, got "a b"');
    expect(told.toBody()).toMatchObject({ code: 'BAD_REQUEST', field: 'action.1.task.name' });
    expect(told.excerpt).toEqual(['15 |       name: render', '           ^']);
    expect(located(source, told)).toBe(told);
    const inside = located(source, new BadRequestError('definition.on.every', 'm')) as DefinitionError;
    expect(inside.message).toBe('hot.yaml:3:19: m');
    const other = new NotFoundError('gone');
    expect(located(source, other)).toBe(other);
  });
});

describe('files', () => {
  let folder: TemporaryDirectory;
  beforeAll(async () => {
    folder = await temporaryDirectory();
  });
  afterAll(() => folder.remove());

  test('hold one definition or several documents', async () => {
    const file = join(folder.path, 'one.yaml');
    await writeFile(file, 'name: hot\non: {variable: T}\n');
    expect(await readDocument(file)).toMatchObject({ file, value: { name: 'hot', on: { variable: 'T' } } });
    await writeFile(file, 'name: a\n---\nname: b\n');
    await expect(readDocument(file)).rejects.toThrow(UsageError);
    expect(parseDocuments('f', 'name: a\n---\nname: b\n').map(({ value }) => value)).toEqual([
      { name: 'a' },
      { name: 'b' },
    ]);
    expect(() => parseDocuments('f', '')).toThrow(UsageError);
  });

  test.each([
    ['name: [1', '1:9'],
    ['name: a\nname: b', '2:1'],
    ['a: *nowhere', '1:4'],
    ['a:\n\t- b', '2:1'],
  ])('that are not well formed are refused with the place: %j', (text, at) => {
    const read = (): unknown => parseDocuments('bad.yaml', text);
    expect(read).toThrow(DefinitionError);
    expect(read).toThrow(new RegExp(`^bad\\.yaml:${at}: `));
  });
});
