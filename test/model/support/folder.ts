// Hugging Face folders made for a test.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Bytes } from "./gguf-writer.ts";
import { temporaryFolder } from "../../support/folder.ts";

export type Json = Record<string, unknown>;

export interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export function safetensors(tensors: Readonly<Record<string, Stored>>): Uint8Array {
  const header: Json = {};
  const data = new Bytes();
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    data.raw(bytes);
    at += bytes.length;
  }
  return rawSafetensors(JSON.stringify(header), data.done());
}

export function rawSafetensors(header: string, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(header);
  return new Bytes().u64(text.length).raw(text).raw(data).done();
}

export function readConfig(fixture: string): Json {
  return JSON.parse(readFileSync(join(fixture, "config.json"), "utf8"));
}

/** A new folder with this configuration and the weights of `fixture`. */
export function folderWith(config: Json, fixture: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  copyFileSync(join(fixture, "model.safetensors"), join(folder, "model.safetensors"));
  return folder;
}

/** A new folder with this configuration and these weights. */
export function folderOf(config: Json, tensors: Readonly<Record<string, Stored>>): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  writeFileSync(join(folder, "model.safetensors"), safetensors(tensors));
  return folder;
}

/** The configuration in the spelling before `rope_parameters`. */
export function oldSpelling(config: Json): Json {
  const { rope_parameters: rope, layer_types, ...old } = config as { rope_parameters?: Json; layer_types?: unknown[] };
  if (!rope) return old;
  const out: Json = { ...old };
  if (out.model_type === "granitemoehybrid") out.layer_types = layer_types?.map(() => "attention");
  const { full_attention: full, sliding_attention: sliding } = rope as {
    full_attention?: Json;
    sliding_attention?: Json;
  };
  const { rope_theta, partial_rotary_factor, rope_type, ...scaling } = full ?? rope;
  if (out.model_type === "gpt_neox") {
    out.rotary_emb_base = rope_theta;
    out.rotary_pct = partial_rotary_factor;
  } else {
    out.rope_theta = rope_theta;
    if (partial_rotary_factor !== undefined) out.partial_rotary_factor = partial_rotary_factor;
  }
  out.rope_scaling = rope_type === "default" ? null : { type: rope_type, ...scaling };
  if (sliding) {
    out.rope_local_base_freq = sliding.rope_theta;
    out.sliding_window_pattern = out._sliding_window_pattern;
    delete out._sliding_window_pattern;
  }
  return out;
}
