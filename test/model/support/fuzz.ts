// Mutations of real model files, each with the classes of outcome that are right for it.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HunchError } from "../../../src/errors.ts";
import { openModel } from "../../../src/model/open.ts";

/** `opened`: every tensor was read, tokenizer and template were built or refused; `refused`: one line about the file. */
export type Outcome = "opened" | "refused";

export interface Case {
  readonly what: string;
  /** The outcomes that are right. */
  readonly allowed: readonly Outcome[];
  /** Writes the mutated file and returns the path to open. */
  write(folder: string): string;
}

/** xorshift32: cases are the same everywhere for a seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed + 1, 2654435761) >>> 0) || 1;
    for (let i = 0; i < 8; i++) this.below(2);
  }

  below(count: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return Math.floor(this.#state / 2 ** 32 * count);
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}

const EITHER: readonly Outcome[] = ["opened", "refused"];
const REFUSED: readonly Outcome[] = ["refused"];
const OPENED: readonly Outcome[] = ["opened"];

const TINY = "test/fixtures/tiny";
const GGUFS = ["llama", "llama-rope-scaled", "phi3", "gpt_neox", "gpt2", "gemma2", "gemma3", "olmo2", "granite"]
  .map((name) => `${TINY}/gguf/${name}-f32.gguf`);
const FOLDERS = ["llama", "llama-rope-scaled", "phi3", "gpt_neox", "gpt2", "gemma3", "smollm3", "qwen2"]
  .map((name) => `${TINY}/${name}`);
const CHECKPOINTS = ["stories260K.bin", "draft41K-tok512.bin"].map((name) => `test/fixtures/stories260k/${name}`);

/** Numbers that break arithmetic, as 8 bytes; their first 4, 2 or 1 are used as well. */
const EXTREMES = [0n, 1n, 2n, 7n, 255n, 65535n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 40n]
  .concat([2n ** 53n, 2n ** 60n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]);

const contents = new Map<string, Uint8Array>();

function content(path: string): Uint8Array {
  let bytes = contents.get(path);
  if (!bytes) contents.set(path, bytes = Uint8Array.from(readFileSync(path)));
  return bytes;
}

/** Case `number` of the endless list that `seed` stands for. */
export function makeCase(seed: number, number: number): Case {
  const dice = new Dice(seed * 1_000_003 + number);
  return dice.of([ggufCase, ggufCase, folderCase, configCase, checkpointCase])(dice);
}

function ggufCase(dice: Dice): Case {
  const path = dice.of(GGUFS);
  const bytes = content(path);
  // Headers end before the first tensor; the table of the fixtures lies in the last tenth of that.
  const header = headerEnd(path);
  const start = dice.below(4) === 0 ? Math.floor(header * 0.6) : dice.below(2) === 0 ? 0 : 24;
  return mutation(dice, path, bytes, "model.gguf", start, dice.below(3) === 0 ? Math.min(1500, header) : header);
}

function headerEnd(path: string): number {
  const needle = path.includes("gpt") ? "ffn" : "blk";
  const bytes = content(path);
  let last = 24;
  for (let i = 0; i < Math.min(bytes.length - 3, 30_000); i++) {
    if (bytes[i] === needle.charCodeAt(0) && bytes[i + 1] === needle.charCodeAt(1)) last = i;
  }
  return Math.min(bytes.length, last + 64);
}

function folderCase(dice: Dice): Case {
  const folder = dice.of(FOLDERS);
  const bytes = content(`${folder}/model.safetensors`);
  const header = 8 + new DataView(bytes.buffer).getUint32(0, true);
  const inner = mutation(dice, folder, bytes, "model.safetensors", 0, header);
  return { ...inner, write: (to) => (inner.write(copyOf(folder, to)), join(to, "folder")) };
}

function copyOf(folder: string, to: string): string {
  mkdirSync(join(to, "folder"), { recursive: true });
  cpSync(join(folder, "config.json"), join(to, "folder", "config.json"));
  cpSync(join(folder, "model.safetensors"), join(to, "folder", "model.safetensors"));
  return join(to, "folder");
}

function checkpointCase(dice: Dice): Case {
  const path = dice.of(CHECKPOINTS);
  return mutation(dice, path, content(path), "model.bin", 0, 28);
}

/** One mutation of the bytes between `from` and `to`. */
function mutation(dice: Dice, path: string, bytes: Uint8Array, name: string, from: number, to: number): Case {
  const done = (what: string, allowed: readonly Outcome[], changed: Uint8Array): Case => ({
    what: `${path}: ${what}`,
    allowed,
    write(folder) {
      writeFileSync(join(folder, name), changed);
      return join(folder, name);
    },
  });
  const at = from + dice.below(to - from);
  const copy = () => Uint8Array.from(bytes);
  switch (dice.below(8)) {
    case 0: {
      const length = dice.below(2) === 0 ? at : dice.below(bytes.length);
      return done(`cut to ${length} bytes`, REFUSED, bytes.subarray(0, length));
    }
    case 1: {
      const changed = copy();
      const inData = to + 64 + dice.below(bytes.length - to - 64);
      changed[inData] ^= 1 << dice.below(8);
      return done(`bit of byte ${inData} of the data`, path.endsWith(".bin") ? OPENED : EITHER, changed);
    }
    case 2: {
      const changed = copy();
      const size = dice.of([1, 2, 4, 8]);
      const extreme = new Uint8Array(BigUint64Array.of(dice.of(EXTREMES)).buffer, 0, size);
      changed.set(extreme, Math.min(at, bytes.length - size));
      return done(`${extreme.toHex?.() ?? [...extreme]} at ${at}`, EITHER, changed);
    }
    case 3: {
      const count = 1 + dice.below(16);
      const changed = new Uint8Array(bytes.length - count);
      changed.set(bytes.subarray(0, at));
      changed.set(bytes.subarray(at + count), at);
      return done(`${count} bytes left out at ${at}`, EITHER, changed);
    }
    case 4: {
      const changed = copy();
      const other = from + dice.below(to - from);
      changed.copyWithin(at, other, Math.min(other + 1 + dice.below(64), to));
      return done(`bytes of ${other} again at ${at}`, EITHER, changed);
    }
    case 5: {
      const changed = copy();
      for (let i = 0; i < 1 + dice.below(8); i++) changed[from + dice.below(to - from)] = dice.below(256);
      return done("some bytes by chance", EITHER, changed);
    }
    case 6: {
      const changed = copy();
      changed[dice.below(path.endsWith(".bin") ? 1 : 4)] ^= 0x20 << dice.below(2);
      return done("another beginning", path.includes("gguf") ? REFUSED : EITHER, changed);
    }
    default: {
      const changed = copy();
      changed[at] ^= 1 << dice.below(8);
      return done(`bit of byte ${at}`, EITHER, changed);
    }
  }
}

const HOSTILE_VALUES = [
  null,
  -1,
  0,
  1,
  3,
  1e308,
  -0.5,
  2 ** 31,
  2 ** 53,
  "",
  "x",
  "__proto__",
  [],
  [[]],
  {},
  true,
  false,
];

function configCase(dice: Dice): Case {
  const folder = dice.of(FOLDERS);
  const config = JSON.parse(new TextDecoder().decode(content(`${folder}/config.json`)));
  let target = config;
  let keys = Object.keys(target);
  let key = dice.of(keys);
  if (typeof target[key] === "object" && target[key] !== null && dice.below(2) === 0) {
    target = target[key];
    keys = Object.keys(target);
    if (keys.length > 0) key = dice.of(keys);
  }
  const how = dice.below(6);
  if (how === 0) delete target[key];
  else if (how === 1) {
    target[dice.of(["rope_scaling", "quantization_config", "head_dim", "layer_types", key])] = dice.of(HOSTILE_VALUES);
  } else target[key] = dice.of(HOSTILE_VALUES);
  let text = JSON.stringify(config);
  if (dice.below(10) === 0) text = text.replace(/[:,]/, () => dice.of(["", "[".repeat(100_000), "\u0000"]));
  return {
    what: `${folder}/config.json: ${key} ${how === 0 ? "left out" : "changed"}`,
    allowed: EITHER,
    write(to) {
      writeFileSync(join(copyOf(folder, to), "config.json"), text);
      return join(to, "folder");
    },
  };
}

/** Opens a file and uses everything of it. Throws what is not a proper refusal. */
export async function outcome(path: string): Promise<Outcome> {
  let source;
  try {
    source = await openModel(path);
  } catch (error) {
    return proper(error);
  }
  try {
    // What was opened holds together: every tensor can be read, in the shape that it says.
    for (const name of source.names) {
      const tensor = source.tensor(name);
      const length = tensor.shape.reduce((product, part) => product * part, 1);
      if (tensor.floats().length !== length) throw new Error(`${name} is not ${tensor.shape}`);
    }
    try {
      source.tokenizer.encode("Hello, world");
    } catch (error) {
      proper(error);
    }
    return "opened";
  } finally {
    source.close();
  }
}

function proper(error: unknown): "refused" {
  if (!(error instanceof HunchError)) throw error;
  const { file, offset, field } = error.place;
  if (error.kind !== "input" || !file) throw new Error(`not a proper refusal: ${error.line}`);
  if (offset === undefined && field === undefined && !/folder|JSON|exist|regular|tokenizer/.test(error.line)) {
    throw new Error(`the refusal tells neither offset nor field: ${error.line}`);
  }
  return "refused";
}
