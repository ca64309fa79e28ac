import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NpyFormatError } from '../array-error.js';
import { DTYPES, type DType, itemSize } from '../dtype.js';
import { decodeNpy, encodeNpy, encodeNpyHeader, parseNpyHeader } from '../npy.js';

/** A file with the given header text; the prefix is written byte by byte, apart from the encoder under test. */
function npyFile(dict: string, data: Uint8Array = new Uint8Array(0), version: 1 | 2 | 3 = 1): Uint8Array {
  const header = new TextEncoder().encode(`${dict}\n`);
  const length = [header.length & 0xff, header.length >>> 8, ...(version === 1 ? [] : [0, 0])];
  return Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY'), version, 0, ...length, ...header, ...data);
}

function faultOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof NpyFormatError) return error.fault;
    throw error;
  }
  return 'none';
}

/** `numpy.save` of `numpy.arange(6, dtype='<f8').reshape(2, 3)` by NumPy 2.4. */
const GOLDEN = Uint8Array.of(
  ...Buffer.from('934e554d505901007600', 'hex'),
  ...Buffer.from(`${"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117)}\n`),
  ...Buffer.from(
    '0000000000000000000000000000f03f0000000000000040000000000000084000000000000010400000000000001440',
    'hex',
  ),
);

describe('encodeNpy', () => {
  test('writes what NumPy writes', () => {
    const data = new Uint8Array(Float64Array.of(0, 1, 2, 3, 4, 5).buffer);
    expect(encodeNpy(data, 'float64', [2, 3])).toEqual(GOLDEN);
  });

  test('headers are aligned to 64 bytes and end in a new line', () => {
    const extent = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    const dtypes = fc.constantFrom(...DTYPES.filter((dtype) => dtype !== 'bytes'));
    fc.assert(
      fc.property(dtypes, fc.array(extent, { maxLength: 32 }), (dtype, shape) => {
        const header = encodeNpyHeader(dtype, shape);
        expect(header.length % 64).toBe(0);
        expect(header.at(-1)).toBe(10);
        expect(parseNpyHeader(header)).toEqual({ dtype, shape, fortranOrder: false, dataOffset: header.length });
      }),
    );
  });

  test('refuses what has no .npy form', () => {
    expect(faultOf(() => encodeNpyHeader('bytes', [2]))).toBe('opaque');
    expect(faultOf(() => encodeNpyHeader('int8', [-1]))).toBe('header');
    expect(faultOf(() => encodeNpyHeader('int8', [1.5]))).toBe('header');
    expect(faultOf(() => encodeNpyHeader('int8', new Array(40_000).fill(1)))).toBe('header');
    expect(faultOf(() => encodeNpy(new Uint8Array(7), 'int16', [4]))).toBe('size');
  });
});

describe('parseNpyHeader', () => {
  test.each([1, 2, 3] as const)('reads version %i.0', (version) => {
    const file = npyFile("{'descr': '<i2', 'fortran_order': False, 'shape': (3,), }", new Uint8Array(6), version);
    expect(parseNpyHeader(file)).toEqual({
      dtype: 'int16',
      shape: [3],
      fortranOrder: false,
      dataOffset: file.length - 6,
    });
  });

  test.each([
    ['scalar', "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", []],
    ['other order of keys', "{'shape': (2, 3), 'fortran_order': False, 'descr': '<f4'}", [2, 3]],
    ['double quotes, no spaces', '{"descr":"<f4","fortran_order":False,"shape":(2,3,)}', [2, 3]],
    ['long integers of Python 2', "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }", [2, 3]],
  ])('reads a header with %s', (_, dict, shape) => {
    expect(parseNpyHeader(npyFile(dict))).toMatchObject({ dtype: 'float32', shape, fortranOrder: false });
  });

  test('says that an array is in Fortran order', () => {
    const dict = "{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }";
    expect(parseNpyHeader(npyFile(dict)).fortranOrder).toBe(true);
  });

  test('any byte order does for a single byte', () => {
    for (const order of '<>|=') {
      const dict = `{'descr': '${order}u1', 'fortran_order': False, 'shape': (2,), }`;
      expect(parseNpyHeader(npyFile(dict)).dtype).toBe('uint8');
    }
  });

  test('every file that is cut short is told as such', () => {
    for (let length = 0; length < 128; length++) {
      expect(faultOf(() => parseNpyHeader(GOLDEN.subarray(0, length)))).toBe('truncated');
    }
    expect(faultOf(() => parseNpyHeader(GOLDEN.subarray(0, 128)))).toBe('none');
    for (let length = 128; length < GOLDEN.length; length++) {
      expect(faultOf(() => decodeNpy(GOLDEN.subarray(0, length)))).toBe('truncated');
    }
  });

  test.each([
    ['magic', new TextEncoder().encode('CDF\x01 and more of something else')],
    ['version', Uint8Array.of(...GOLDEN.subarray(0, 6), 4, 0, ...GOLDEN.subarray(8))],
    ['version', Uint8Array.of(...GOLDEN.subarray(0, 6), 1, 1, ...GOLDEN.subarray(8))],
    ['header', Uint8Array.of(...GOLDEN.subarray(0, 6), 2, 0, 0xff, 0xff, 0xff, 0xff)],
    ['big-endian', npyFile("{'descr': '>f8', 'fortran_order': False, 'shape': (2,), }")],
    ['dtype', npyFile("{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }")],
    ['dtype', npyFile("{'descr': '<U8', 'fortran_order': False, 'shape': (2,), }")],
    ['dtype', npyFile("{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (2,), }")],
    ['dtype', npyFile("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }")],
    ['header', npyFile('')],
    ['header', npyFile('{}')],
    ['header', npyFile("{'descr': '<f8', 'shape': (2,), }")],
    ['header', npyFile("{'descr': '<f8', 'fortran_order': 0, 'shape': (2,), }")],
    ['header', npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2), }")],
    ['header', npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (-2,), }")],
    ['header', npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2,,3), }")],
    ['header', npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }")],
    ['header', npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'more': True, }")],
    ['header', npyFile("{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }")],
    ['header', npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), } x")],
    ['header', npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), ")],
  ])('refuses bad files: %s (%#)', (fault, file) => {
    expect(faultOf(() => parseNpyHeader(file))).toBe(fault);
  });

  test('any damage to a header is refused with a typed error or read as a header', () => {
    fc.assert(
      fc.property(fc.nat(127), fc.nat(255), (at, value) => {
        const damaged = GOLDEN.slice();
        damaged[at] = value;
        expect(['none', 'magic', 'version', 'truncated', 'header', 'dtype', 'big-endian']).toContain(
          faultOf(() => parseNpyHeader(damaged)),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe('decodeNpy', () => {
  test('returns a view of the data', () => {
    const { bytes, dtype, shape } = decodeNpy(GOLDEN);
    expect({ dtype, shape }).toEqual({ dtype: 'float64', shape: [2, 3] });
    expect(bytes.buffer).toBe(GOLDEN.buffer);
    expect([...new Float64Array(bytes.slice().buffer)]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('refuses Fortran order and says what to do', () => {
    const dict = "{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }";
    expect(faultOf(() => decodeNpy(npyFile(dict, new Uint8Array(24))))).toBe('fortran-order');
    expect(() => decodeNpy(npyFile(dict, new Uint8Array(24)))).toThrow('ascontiguousarray');
  });

  test('takes Fortran order where it is the same as row-major', () => {
    const dict = "{'descr': '|i1', 'fortran_order': True, 'shape': (1, 3), }";
    expect([...decodeNpy(npyFile(dict, Uint8Array.of(7, 8, 9))).bytes]).toEqual([7, 8, 9]);
  });

  test('refuses bytes behind the data', () => {
    expect(faultOf(() => decodeNpy(Uint8Array.of(...GOLDEN, 0)))).toBe('size');
  });
});

const python = (script: string, directory: string) => spawnSync('python3', ['-c', script, directory]);
const hasNumpy = python('import numpy', '').status === 0;

(hasNumpy ? test : test.skip)('NumPy reads and writes the same bytes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-npy-'));
  try {
    const dtypes = DTYPES.filter((dtype): dtype is Exclude<DType, 'bytes'> => dtype !== 'bytes');
    for (const dtype of dtypes) {
      const cells = new Uint8Array(24 * itemSize(dtype)).map((_, i) => (dtype === 'bool' ? i & 1 : i));
      writeFileSync(join(directory, `${dtype}.npy`), encodeNpy(cells, dtype, [2, 3, 4]));
    }
    const script = [
      'import glob, numpy, os, sys',
      "for path in glob.glob(sys.argv[1] + '/*.npy'):",
      '    a = numpy.load(path)',
      '    assert a.shape == (2, 3, 4) and a.dtype.name == os.path.basename(path)[:-4], (path, a.dtype)',
      "    numpy.save(path, a.astype(a.dtype.newbyteorder('<')))",
    ].join('\n');
    const { status, stderr } = python(script, directory);
    expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: '' });
    for (const dtype of dtypes) {
      const cells = new Uint8Array(24 * itemSize(dtype)).map((_, i) => (dtype === 'bool' ? i & 1 : i));
      const file = new Uint8Array(readFileSync(join(directory, `${dtype}.npy`)));
      expect(decodeNpy(file)).toEqual({ bytes: cells, dtype, shape: [2, 3, 4] });
      expect(file).toEqual(encodeNpy(cells, dtype, [2, 3, 4]));
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
