// Compiles assembly/ to WebAssembly and writes it as base64 into src/kernel-code.ts, so that neither the TypeScript
// build nor a bundler needs the compiler or the file. Usage: node scripts/build-wasm.js [--check]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'src', 'kernel-code.ts');

/** One instance of every pass for each element type; `bool` is read as uint8. */
const TYPES = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f32', 'f64'];
const PASSES = [
  ['stats', 'data: usize, cells: i32, out: usize, withSum: i32', 'void'],
  ['moments', 'data: usize, cells: i32, out: usize, pivot: f64', 'void'],
  ['countRange', 'data: usize, cells: i32, bounds: usize', 'i32'],
  ['maskRange', 'data: usize, cells: i32, bounds: usize, out: usize', 'void'],
  ['histogram', 'data: usize, cells: i32, lower: f64, upper: f64, bins: i32, out: usize', 'void'],
  ['countDigits', 'data: usize, cells: i32, bounds: usize, shift: i32, out: usize', 'void'],
  ['difference', 'data: usize, other: usize, cells: i32, out: usize, withSquares: i32', 'void'],
];

function entrySource() {
  const lines = [
    "import { countDigits, countRange, difference, histogram, maskRange } from './cells';",
    "import { moments, stats } from './stats';",
  ];
  for (const [pass, parameters, result] of PASSES) {
    const names = [...parameters.matchAll(/(\w+):/g)].map(([, name]) => name).join(', ');
    for (const type of TYPES) {
      lines.push(
        `export function ${pass}_${type}(${parameters}): ${result} { ${result === 'void' ? '' : 'return '}${pass}<${type}>(${names}); }`,
      );
    }
  }
  return lines.join('\n');
}

export async function compileKernels() {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-kernels-'));
  try {
    const output = join(folder, 'kernels.wasm');
    const { error, stderr } = await asc.main(
      [
        'entry.ts',
        '--outFile',
        output,
        '-O3',
        '--converge',
        '--noAssert',
        '--runtime',
        'stub',
        '--importMemory',
        '--initialMemory',
        '1',
        '--enable',
        'simd',
        '--use',
        'abort=',
        '--memoryBase',
        '0',
      ],
      {
        readFile(name, base) {
          if (name === 'entry.ts') return entrySource();
          try {
            const path = name.startsWith('/')
              ? name
              : join(base === '.' || base === '' ? join(root, 'assembly') : base, name);
            return readFileSync(path, 'utf8');
          } catch {
            return null;
          }
        },
      },
    );
    if (error !== null) throw new Error(`the compiler failed: ${error.message}\n${stderr.toString()}`);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function moduleSource(wasm) {
  return `// Written by scripts/build-wasm.js from assembly/. Not edited by hand.
/** The WebAssembly module of the built-in kernels, in base64. */
export const KERNEL_CODE =
  '${wasm.toString('base64')}';
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wasm = await compileKernels();
  const source = moduleSource(wasm);
  if (process.argv.includes('--check')) {
    if (readFileSync(target, 'utf8') !== source) {
      console.error('src/kernel-code.ts is not what assembly/ compiles to: npm run build:wasm -w libs/kernels');
      process.exit(1);
    }
  } else {
    writeFileSync(target, source);
    console.log(`${target}: ${wasm.length} bytes of WebAssembly`);
  }
}
