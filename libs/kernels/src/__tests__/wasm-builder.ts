/** What a test module is made of; all of it may be wrong on purpose. */
export interface ModuleParts {
  /** Default: env.memory of 1 to 16 pages. */
  readonly imports?: readonly { readonly name: readonly [string, string]; readonly description: readonly number[] }[];
  readonly ownMemory?: readonly number[];
  /** Functions, all exported: opcodes without the closing `end`; default signature: that of a kernel. */
  readonly functions?: Readonly<
    Record<string, { readonly code: readonly number[]; readonly type?: readonly number[] }>
  >;
  readonly start?: number;
}

const I32 = 0x7f;
const F64 = 0x7c;
/** (data, dims, shape, out, outCapacity) -> i32 */
export const KERNEL_TYPE = [0x60, 5, I32, I32, I32, I32, I32, 1, I32];
export const OTHER_TYPE = [0x60, 1, F64, 1, F64];
export const START_TYPE = [0x60, 0, 0];
export const memoryImport = (...limits: number[]) => ({
  name: ['env', 'memory'] as const,
  description: [2, ...limits],
});

const GET = (local: number) => [0x20, local];
const I32_CONST = (...leb: number[]) => [0x41, ...leb];
const F64_STORE = [0x39, 3, 0];
const F64_LOAD = [0x2b, 3, 0];
const RETURN_ONE = I32_CONST(1);

function f64(value: number): number[] {
  return [0x44, ...new Uint8Array(Float64Array.of(value).buffer)];
}

/** Bodies of kernels. */
export const CODE = {
  /** The first cell. */
  first: [...GET(3), ...GET(0), ...F64_LOAD, ...F64_STORE, ...RETURN_ONE],
  constant: (value: number) => [...GET(3), ...f64(value), ...F64_STORE, ...RETURN_ONE],
  /** The extents of the first two dimensions, and the number of dimensions. */
  shape: [
    ...[0, 4].flatMap((offset) => [...GET(3), ...GET(2), 0x28, 2, offset, 0xb8, 0x39, 3, offset * 2]),
    ...[...GET(3), ...GET(1), 0xb8, 0x39, 3, 16],
    ...I32_CONST(3),
  ],
  loop: [0x03, 0x40, 0x0c, 0, 0x0b, ...I32_CONST(0)],
  trap: [0x00],
  /** memory.grow by 1000 pages: what that answers. */
  grow: [...I32_CONST(0xe8, 0x07), 0x40, 0],
  tooMany: I32_CONST(0xff, 0xff, 0x00),
  none: I32_CONST(0),
  error: I32_CONST(0x7b),
  /** As many cells as there is room for: the cells themselves. */
  copy: [...GET(3), ...GET(0), ...GET(4), ...I32_CONST(3), 0x74, 0xfc, 0x0a, 0, 0, ...GET(4)],
} as const;

function section(id: number, bytes: readonly number[]): number[] {
  return [id, ...leb(bytes.length), ...bytes];
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)];
}

function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [...leb(bytes.length), ...bytes];
}

/** A module in its binary form. */
export function buildModule(parts: ModuleParts = {}): Uint8Array {
  const { imports = [memoryImport(1, 1, 16)], functions = { run: { code: CODE.first } } } = parts;
  const all = Object.entries(functions);
  const bytes = [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [...leb(all.length), ...all.flatMap(([, { type = KERNEL_TYPE }]) => type)]),
    ...section(2, [
      ...leb(imports.length),
      ...imports.flatMap(({ name, description }) => [...name.flatMap(text), ...description]),
    ]),
    ...section(3, [...leb(all.length), ...all.map((_, at) => at)]),
    ...(parts.ownMemory === undefined ? [] : section(5, [1, ...parts.ownMemory])),
    ...section(7, [...leb(all.length), ...all.flatMap(([name], at) => [...text(name), 0, at])]),
    ...(parts.start === undefined ? [] : section(8, leb(parts.start))),
    ...section(10, [...leb(all.length), ...all.flatMap(([, { code }]) => [...leb(code.length + 2), 0, ...code, 0x0b])]),
  ];
  return Uint8Array.from(bytes);
}
