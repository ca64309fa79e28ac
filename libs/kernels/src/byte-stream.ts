/** A message that is not what its format says. */
export class ByteFormatError extends Error {
  override readonly name = 'ByteFormatError';
}

const INITIAL_BYTES = 256;
/** Bytes of a variable-length integer below 2^53. */
const VARINT_BYTES = 8;
const MAX_INTEGER_DIGITS = 80;

/** Appends numbers to a growing buffer: little-endian, integers in groups of seven bits (LEB128). */
export class ByteWriter {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** An integer of 0 … 2^53-1. */
  varint(value: number): void {
    this.#reserve(VARINT_BYTES);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** A signed integer of at most `MAX_INTEGER_DIGITS` hexadecimal digits. */
  bigint(value: bigint): void {
    this.text(value.toString(16));
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.varint(bytes.length);
    this.bytes(bytes);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** What was written, in a buffer of its own. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Reads what `ByteWriter` wrote; everything else is a `ByteFormatError`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (bytes > this.#bytes.length - at) {
      throw new ByteFormatError(`expected ${bytes} bytes at ${at}, ${this.#bytes.length - at} are left`);
    }
    this.#at = at + bytes;
    return at;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES; i++) {
      const byte = this.#bytes[this.#take(1)] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 128;
    }
    throw new ByteFormatError(`expected an integer below 2^53 before ${this.#at}`);
  }

  /** An integer of 0 … `limit`. */
  count(limit: number, what: string): number {
    const value = this.varint();
    if (value > limit) throw new ByteFormatError(`expected at most ${limit} ${what}, got ${value}`);
    return value;
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  bigint(): bigint {
    const text = this.text(MAX_INTEGER_DIGITS);
    const match = /^(-?)([0-9a-f]+)$/.exec(text);
    if (match === null) throw new ByteFormatError(`expected a hexadecimal integer, got ${JSON.stringify(text)}`);
    const magnitude = BigInt(`0x${match[2]}`);
    return match[1] === '-' ? -magnitude : magnitude;
  }

  text(limit: number): string {
    const length = this.count(limit, 'bytes of text');
    const at = this.#take(length);
    return new TextDecoder().decode(this.#bytes.subarray(at, this.#at));
  }

  end(): void {
    if (this.#at < this.#bytes.length) throw new ByteFormatError(`${this.#bytes.length - this.#at} bytes too many`);
  }
}
