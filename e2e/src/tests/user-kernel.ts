/** Instructions of kernels that the tests try. */
export const KERNEL_BODIES = {
  /** The first cell, as float64. */
  first: [0x20, 3, 0x20, 0, 0x2b, 3, 0, 0x39, 3, 0, 0x41, 1],
  /** Never ends. */
  loops: [0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 1],
  /** Asks for more memory for ever. */
  grows: [0x03, 0x40, 0x41, 0xe4, 0, 0x40, 0, 0x1a, 0x0c, 0, 0x0b, 0x41, 1],
  traps: [0x00],
  /** Claims a million results. */
  lies: [0x41, 0xc0, 0x84, 0x3d],
  /** Reports an error. */
  fails: [0x41, 0x7f],
} as const satisfies Readonly<Record<string, readonly number[]>>;

/** A module that imports a memory and exports each of the kernels by its name. */
export function kernelModule(): Uint8Array {
  const names = Object.keys(KERNEL_BODIES);
  const [i32, functionType, memory, end] = [0x7f, 0x60, 0x02, 0x0b];
  const section = (id: number, content: readonly number[]): number[] => [id, ...size(content.length), ...content];
  const text = (value: string): number[] => [value.length, ...new TextEncoder().encode(value)];
  const bodies = Object.values(KERNEL_BODIES).map((code) => [0, ...code, end]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, functionType, 5, i32, i32, i32, i32, i32, 1, i32]),
    ...section(2, [1, ...text('env'), ...text('memory'), memory, 1, 1, 64]),
    ...section(3, [names.length, ...names.map(() => 0)]),
    ...section(7, [names.length, ...names.flatMap((name, index) => [...text(name), 0, index])]),
    ...section(10, [bodies.length, ...bodies.flatMap((body) => [body.length, ...body])]),
  ]);
}

/** LEB128 of a number below 2^14. */
function size(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}
