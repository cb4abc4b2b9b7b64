// Hyper-parameters that a file has and nobody asked for. Those that are known to change no number are passed over; the
// rest is named, so that nothing a file asks for is left out in silence.

/**
 * Full names, in the file's order. `all` is what the file has, `read` what was asked for (see Hyper), `own` what is
 * harmless besides.
 */
export function unread(
  kind: "gguf" | "huggingFace",
  all: Iterable<readonly [string, unknown]>,
  read: ReadonlySet<string>,
  own: readonly RegExp[] = [],
): string[] {
  const harmless = [...kind === "gguf" ? HARMLESS_KEYS : HARMLESS_FIELDS, ...own.map((names): Harmless => ({ names }))];
  return leaves(all, "", read).filter(([full, value]) => {
    const name = full.replace(/^text_config\./, "");
    return !harmless.some(({ names, values }) => names.test(name) && (values === undefined || values.includes(value)));
  }).map(([name]) => name);
}

/** What has a value and was not read; objects that were opened are looked into. */
function leaves(all: Iterable<readonly [string, unknown]>, prefix: string, read: ReadonlySet<string>) {
  const out: [name: string, value: unknown][] = [];
  for (const [key, value] of all) {
    const name = prefix + key;
    if (value === null || value === undefined) continue;
    if (read.has(`${name}.`)) out.push(...leaves(Object.entries(value), `${name}.`, read));
    else if (!read.has(name)) out.push([name, value]);
  }
  return out;
}

interface Harmless {
  readonly names: RegExp;
  /** With which values; any where absent. */
  readonly values?: readonly unknown[];
}

/** One of these names, whatever its value. */
function any(...names: string[]): Harmless {
  return { names: new RegExp(`^(${names.join("|")})$`) };
}

/** One of these names, with the value that says that there is nothing to compute. */
function neutral(value: unknown, ...names: string[]): Harmless {
  return { ...any(...names), values: [value] };
}

const HARMLESS_KEYS: readonly Harmless[] = [
  // What the file is, where it comes from, how it was made; tokenizer and template are read elsewhere.
  any("(general|split|quantize|tokenizer|imatrix|mradermacher|prismml)\\..*"),
  // The embedding's rows are counted; the layout is that of the writer's source.
  any("[^.]+\\.(vocab_size|tensor_data_layout)"),
  // Only said for people.
  any("[^.]+\\.rope\\.scaling\\.finetuned"),
  neutral(true, "[^.]+\\.attention\\.causal"),
  neutral(0, "[^.]+\\.expert_((used|shared)_)?count", "[^.]+\\.expert_shared_feed_forward_length"),
  neutral(0, "[^.]+\\.(pooling_type|nextn_predict_layers)"),
];

const HARMLESS_FIELDS: readonly Harmless[] = [
  // What the folder is and where it comes from.
  any("architectures", "model_type", "transformers_version", "(_name_or|name_or)_path", "_commit_hash", "auto_map"),
  any("(torch_)?dtype", "model_name", "unsloth_(fixed|version)", "is_llama_config", "transformers\\.js_config"),
  any("quantization_config\\..*", "_attn_implementation(_autoset)?", "_flash_attn_2_enabled"),
  // The embedding's rows are counted; biases are computed where there are any, and refused where they are not expected.
  any("vocab_size", "(attention|mlp)_bias"),
  // Training.
  any("attention_dropout", "(attn|embd|resid)_pdrop", "(hidden|classifier|embedding|summary_first)_dropout"),
  any("initializer_range", "init_method", "classifier_bias", "summary_.*", "gradient_checkpointing", "problem_type"),
  any("id2label", "label2id", "num_labels", "finetuning_task", "task_specific_params"),
  // How a program runs the model; the numbers are the same.
  any(
    "use_cache",
    "cache_implementation",
    "n_ctx",
    "pretraining_tp",
    "reorder_and_upcast_attn",
    "chunk_size_feed_forward",
  ),
  any("output_(attentions|hidden_states|scores)", "(use_)?return_dict(_in_generate)?", "torchscript", "use_bfloat16"),
  any("tf_legacy_loss", "tie_encoder_decoder"),
  // Tokens and the choice of them are not the model's arithmetic.
  any(
    "(bos|eos|pad|sep|unk|cls|mask|decoder_start|forced_bos|forced_eos|image|video|audio)_token_id",
    "tokenizer_class",
  ),
  any("prefix", "(max|min)_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty"),
  any("temperature", "top_[kp]", "typical_p", "(length|repetition|encoder_repetition)_penalty", "no_repeat_ngram_size"),
  any("encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences", "remove_invalid_values"),
  any("exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens"),
  neutral(
    false,
    "is_encoder_decoder",
    "is_decoder",
    "add_cross_attention",
    "use_mrope",
    "rope_interleaved",
    "lm_head_bias",
    "qkv_bias",
  ),
  neutral(0, "shared_expert_intermediate_size"),
  neutral("rmsnorm", "normalization_function"),
  neutral(1, "full_attn_mod", "interpolate_factor"),
];
