// All logits of a text as a safetensors file, written row by row: `input_ids` int64 [rows], `logits` float32
// [rows, vocab]. Row i is what follows token i. The file has its name when it is whole.
import { OutputFile } from "../../src/output-file.ts";

export class LogitsFile {
  readonly #file: OutputFile;

  /** Throws WriteError where the file cannot be made. */
  constructor(path: string, tokens: Int32Array, vocab: number) {
    this.#file = new OutputFile(path);
    const ids = 8 * tokens.length;
    const header = JSON.stringify({
      input_ids: { dtype: "I64", shape: [tokens.length], data_offsets: [0, ids] },
      logits: { dtype: "F32", shape: [tokens.length, vocab], data_offsets: [ids, ids + 4 * tokens.length * vocab] },
    });
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8); // the format's own advice: numbers stay aligned
    this.#file.write(new Uint8Array(BigUint64Array.of(BigInt(padded.length)).buffer));
    this.#file.write(new TextEncoder().encode(padded));
    this.#file.write(new Uint8Array(BigInt64Array.from(tokens, BigInt).buffer));
  }

  /** The next row. */
  add(logits: Float32Array | Float64Array): void {
    const row = logits instanceof Float32Array ? logits : Float32Array.from(logits);
    this.#file.write(new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
  }

  /** Gives the file its name. */
  finish(): void {
    this.#file.finish();
  }

  /** Leaves nothing behind, unless it was finished. */
  discard(): void {
    this.#file.discard();
  }
}
