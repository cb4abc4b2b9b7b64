// All logits of a text as a safetensors file, written row by row: `input_ids` int64 [rows], `logits` float32
// [rows, vocab]. Row i is what follows token i. The file has its name when it is whole.
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { HunchError } from "../src/errors.ts";

export class LogitsFile {
  readonly #temporary: string;
  readonly #file: number;
  #open = true;

  /** Throws HunchError where the file cannot be made. */
  constructor(readonly path: string, tokens: Int32Array, vocab: number) {
    this.#temporary = `${path}.${process.pid}.tmp`;
    try {
      this.#file = openSync(this.#temporary, "w");
    } catch (error) {
      const { code } = error as { code?: string };
      const why = code === "ENOENT" ? "there is no such folder" : code ?? String(error);
      throw new HunchError("usage", `the logits cannot be written: ${why}`, { file: path }, "name another file");
    }
    const ids = 8 * tokens.length;
    const header = JSON.stringify({
      input_ids: { dtype: "I64", shape: [tokens.length], data_offsets: [0, ids] },
      logits: { dtype: "F32", shape: [tokens.length, vocab], data_offsets: [ids, ids + 4 * tokens.length * vocab] },
    });
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8); // the format's own advice: numbers stay aligned
    this.#write(new Uint8Array(BigUint64Array.of(BigInt(padded.length)).buffer));
    this.#write(new TextEncoder().encode(padded));
    this.#write(new Uint8Array(BigInt64Array.from(tokens, BigInt).buffer));
  }

  /** The next row. */
  add(logits: Float32Array | Float64Array): void {
    const row = logits instanceof Float32Array ? logits : Float32Array.from(logits);
    this.#write(new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
  }

  /** Gives the file its name. */
  finish(): void {
    this.#close();
    renameSync(this.#temporary, this.path);
  }

  /** Leaves nothing behind, unless it was finished. */
  discard(): void {
    if (!this.#open) return;
    this.#close();
    rmSync(this.#temporary, { force: true });
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#file, bytes, done);
  }

  #close(): void {
    this.#open = false;
    closeSync(this.#file);
  }
}
