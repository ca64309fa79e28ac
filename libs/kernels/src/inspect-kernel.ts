import { BadRequestError } from '@tidegate/protocol';

/** What has to be known of a user's module to run it. */
export interface KernelInfo {
  /** Functions with the signature of a kernel. */
  readonly exports: readonly string[];
  /** Pages of the imported memory, as declared. */
  readonly memory: { readonly initial: number; readonly maximum: number };
}

/** Sections of a module's binary form that are looked at (WebAssembly Core Specification 2.0, 5.5). */
const SECTION = { type: 1, import: 2, function: 3, memory: 5, export: 7, start: 8 } as const;
const FUNCTION = 0;
const MEMORY = 2;
const I32 = 0x7f;
const FUNCTION_TYPE = 0x60;
/** data, dims, shape, out, outCapacity -> number of results */
const ABI_PARAMETERS = 5;

function refuse(problem: string): BadRequestError {
  return new BadRequestError('body', problem);
}

/** Reads a module that the engine has found valid, so its numbers are where they should be. */
class ModuleReader {
  readonly #bytes: Uint8Array;
  at = 8;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.at++] ?? 0;
  }

  number(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = this.byte();
      value += (byte & 127) * shift;
      if (byte < 128 || this.isAtEnd) return value;
    }
  }

  text(): string {
    const length = this.number();
    this.at += length;
    return new TextDecoder().decode(this.#bytes.subarray(this.at - length, this.at));
  }

  list<T>(item: () => T): T[] {
    return Array.from({ length: this.number() }, item);
  }
}

/**
 * Reads what a module of a user declares.
 * @throws BadRequestError on `body`: not a module, an import besides one memory `env.memory`, a memory of its own,
 * without a declared maximum, shared or of 64 bits, a start function, or no export with the signature of a kernel
 */
export function inspectModule(wasm: Uint8Array): KernelInfo {
  if (!WebAssembly.validate(wasm)) throw refuse('expected a valid WebAssembly module');
  const reader = new ModuleReader(wasm);
  let kernelTypes: boolean[] = [];
  let functions: number[] = [];
  let memory: KernelInfo['memory'] | undefined;
  const exports: { name: string; index: number }[] = [];
  while (!reader.isAtEnd) {
    const section = reader.byte();
    const length = reader.number();
    const end = reader.at + length;
    if (section === SECTION.type) kernelTypes = readTypes(reader);
    else if (section === SECTION.import) memory = readImports(reader, memory);
    else if (section === SECTION.function) functions = reader.list(() => reader.number());
    else if (section === SECTION.start) throw refuse('a kernel must not have a start function');
    else if (section === SECTION.memory && reader.number() > 0) {
      throw refuse('a kernel must import its memory as env.memory, it declares one of its own');
    } else if (section === SECTION.export) {
      for (const { name, kind, index } of reader.list(() => readExport(reader))) {
        if (kind === FUNCTION) exports.push({ name, index });
      }
    }
    reader.at = end;
  }
  if (memory === undefined) throw refuse('a kernel must import one memory, env.memory');
  // Imports are refused but for the memory, so functions are numbered from the first of the module's own.
  const kernels = exports.filter(({ index }) => kernelTypes[functions[index] ?? -1]).map(({ name }) => name);
  if (kernels.length === 0) {
    throw refuse('expected an exported function (data: i32, dims: i32, shape: i32, out: i32, outCapacity: i32) -> i32');
  }
  return { exports: kernels, memory };
}

/**
 * The kernels of a user's module.
 * @throws BadRequestError on `body` if it may not be run: see `inspectModule`
 */
export function inspectKernel(wasm: Uint8Array): { exports: string[] } {
  return { exports: [...inspectModule(wasm).exports] };
}

/**
 * Which function types are those of a kernel. A type that is no plain function ends the list: those behind it are not.
 */
function readTypes(reader: ModuleReader): boolean[] {
  const kernelTypes: boolean[] = [];
  const count = reader.number();
  for (let i = 0; i < count; i++) {
    if (reader.byte() !== FUNCTION_TYPE) return kernelTypes;
    const parameters = reader.list(() => reader.byte());
    const results = reader.list(() => reader.byte());
    const isKernel = parameters.length === ABI_PARAMETERS && results.length === 1;
    kernelTypes.push(isKernel && [...parameters, ...results].every((type) => type === I32));
  }
  return kernelTypes;
}

function readImports(reader: ModuleReader, known: KernelInfo['memory'] | undefined): KernelInfo['memory'] | undefined {
  let memory = known;
  const count = reader.number();
  for (let i = 0; i < count; i++) {
    const name = `${reader.text()}.${reader.text()}`;
    const kind = reader.byte();
    if (kind !== MEMORY || name !== 'env.memory' || memory !== undefined) {
      throw refuse(`a kernel must import nothing but one memory, env.memory; it imports ${JSON.stringify(name)}`);
    }
    const flags = reader.byte();
    if (flags > 1) throw refuse('the memory of a kernel must be neither shared nor of 64 bits');
    const initial = reader.number();
    if (flags !== 1) throw refuse('the memory of a kernel must have a declared maximum');
    memory = { initial, maximum: reader.number() };
  }
  return memory;
}

function readExport(reader: ModuleReader): { name: string; kind: number; index: number } {
  return { name: reader.text(), kind: reader.byte(), index: reader.number() };
}
