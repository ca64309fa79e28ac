/** A module whose export `score` answers the piece's first cell, as float64. */
export function tinyKernel(): Uint8Array {
  const section = (id: number, ...content: readonly number[]): number[] => [id, content.length, ...content];
  const text = (value: string): number[] => [value.length, ...new TextEncoder().encode(value)];
  const [i32, functionType, memory] = [0x7f, 0x60, 0x02];
  // out, data, f64.load, f64.store, i32.const 1, end
  const body = [0, 0x20, 3, 0x20, 0, 0x2b, 3, 0, 0x39, 3, 0, 0x41, 1, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, functionType, 5, i32, i32, i32, i32, i32, 1, i32),
    ...section(2, 1, ...text('env'), ...text('memory'), memory, 1, 1, 16),
    ...section(3, 1, 0),
    ...section(7, 1, ...text('score'), 0, 0),
    ...section(10, 1, body.length, ...body),
  ]);
}
