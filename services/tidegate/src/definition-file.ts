import { BadRequestError } from '@tidegate/protocol';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  Scalar,
  visit,
} from 'yaml';
import { readInput } from './npy-file.js';
import { UsageError } from './usage-error.js';

/** A place in a text, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One document of a YAML or JSON file, with the way back from a key path to the place in the file. */
export interface SourceDocument {
  /** As it is shown: `-` is standard input. */
  readonly file: string;
  readonly value: unknown;
  /**
   * The place of a key path such as `action.2.task.name`: of the key, or of the last one on the path that there is. With
   * an expression's own place, as a message ends with it, the place in the expression.
   */
  locate(path: string, message?: string): Place;
  /** The line with a mark under the place. */
  excerpt(place: Place): readonly string[];
}

const STANDARD_INPUT = 'standard input';

/**
 * Reads a file of YAML documents, or of JSON, which is YAML as well; `-` is standard input.
 *
 * @throws BadRequestError with the place of what is not well formed; UsageError for a file without a document
 */
export async function readDocuments(path: string): Promise<readonly SourceDocument[]> {
  const text = new TextDecoder().decode(await readInput(path));
  return parseDocuments(path === '-' ? STANDARD_INPUT : path, text);
}

/** As `readDocuments`, for a file that must hold one document. @throws UsageError where there are several */
export async function readDocument(path: string): Promise<SourceDocument> {
  const [only, ...more] = await readDocuments(path);
  if (!only || more.length > 0) {
    throw new UsageError('file', `expected one definition in ${path}, got ${1 + more.length}: one file for each`);
  }
  return only;
}

/** The documents of a text. `file` is what messages call it. @throws as `readDocuments` */
export function parseDocuments(file: string, text: string): readonly SourceDocument[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(parsed) || parsed.length === 0)
    throw new UsageError('file', `expected a definition in ${file}, got nothing`);
  return parsed.map((document) => {
    const source = new ParsedDocument({ file, text, lines, document });
    const refuse = (offset: number, message: string): DefinitionError =>
      new DefinitionError(source, linePlace(lines.linePos(offset)), new BadRequestError('file', message));
    const [fault] = document.errors;
    if (fault) throw refuse(fault.pos[0], fault.message);
    try {
      source.read();
    } catch (error) {
      // An alias without its anchor, or aliases that would grow beyond all bounds.
      if (!(error instanceof ReferenceError)) throw error;
      throw refuse(unresolvedAlias(document) ?? 0, error.message);
    }
    return source;
  });
}

function unresolvedAlias(document: Document): number | undefined {
  let found: number | undefined;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document)) return undefined;
      found = alias.range?.[0];
      return visit.BREAK;
    },
  });
  return found;
}

function linePlace({ line, col }: { readonly line: number; readonly col: number }): Place {
  return { line, column: col };
}

interface Parsed {
  readonly file: string;
  readonly text: string;
  readonly lines: LineCounter;
  readonly document: Document;
}

class ParsedDocument implements SourceDocument {
  readonly file: string;
  readonly #text: string;
  readonly #lines: LineCounter;
  readonly #document: Document;
  #value: unknown;

  constructor({ file, text, lines, document }: Parsed) {
    this.file = file;
    this.#text = text;
    this.#lines = lines;
    this.#document = document;
  }

  get value(): unknown {
    return this.#value;
  }

  /** @throws ReferenceError for an alias that cannot be resolved */
  read(): void {
    this.#value = this.#document.toJS();
  }

  locate(path: string, message = ''): Place {
    const { offset, value } = this.#walk(path);
    const inside = isScalar(value) ? this.#insideExpression(value, message) : undefined;
    return linePlace(this.#lines.linePos(inside ?? offset));
  }

  excerpt({ line, column }: Place): readonly string[] {
    const text = this.#text.split(/\r?\n/)[line - 1] ?? '';
    const margin = `${line} | `;
    return [`${margin}${text}`, `${' '.repeat(margin.length + column - 1)}^`];
  }

  #walk(path: string): { readonly offset: number; readonly value: Node | undefined } {
    let value = this.#resolved(this.#document.contents);
    let offset = value?.range?.[0] ?? 0;
    for (const key of path.split('.')) {
      if (isMap(value)) {
        const pair = value.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
        if (!pair) return { offset, value: undefined };
        offset = (pair.key as Scalar).range?.[0] ?? offset;
        value = this.#resolved(pair.value as Node | null);
      } else if (isSeq(value)) {
        const item = value.items[Number(key)] as Node | undefined;
        if (!item) return { offset, value: undefined };
        offset = item.range?.[0] ?? offset;
        value = this.#resolved(item);
      } else return { offset, value: undefined };
    }
    return { offset, value };
  }

  #resolved(node: Node | null): Node | undefined {
    return (isAlias(node) ? node.resolve(this.#document) : node) ?? undefined;
  }

  /** The offset that the end of a message, `(column 7)`, points at, where the expression stands in the file as it is. */
  #insideExpression({ value, type, range }: Scalar, message: string): number | undefined {
    const column = Number(/\(column (\d+)\)/.exec(message)?.[1]);
    if (typeof value !== 'string' || !range || !(column >= 1)) return undefined;
    const start = range[0] + (type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE ? 1 : 0);
    return this.#text.startsWith(value, start) ? start + column - 1 : undefined;
  }
}

/** 400: a definition is refused, with the place in its file before the message. */
export class DefinitionError extends BadRequestError {
  /** The line of the file with a mark under the place. */
  readonly excerpt: readonly string[];

  constructor(source: SourceDocument, place: Place, cause: BadRequestError) {
    super(cause.field, `${source.file}:${place.line}:${place.column}: ${cause.message}`, { cause });
    this.excerpt = source.excerpt(place);
  }
}

/** A refusal of what stands in a document, with its place there; any other error is passed through. */
export function located(source: SourceDocument, error: unknown): unknown {
  if (!(error instanceof BadRequestError) || error instanceof DefinitionError) return error;
  return new DefinitionError(source, source.locate(error.field.replace(/^definition\./, ''), error.message), error);
}
