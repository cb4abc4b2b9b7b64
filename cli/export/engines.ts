// Engines that serve at scale, and how each is told to draft, by their documentation of the versions named.
import type { Able, Portable } from "./portable.ts";

export interface Target extends Able {
  /** What the options below were written for. */
  readonly version: string;
  /** What a model is to it. */
  readonly models: "folder" | "gguf";
  /** A command or a configuration. `model`: as it would be written; "#" begins a comment in all of them. */
  write(model: string, setting: Portable, temperature: number): string[];
}

export const TARGETS: Readonly<Record<string, Target>> = {
  vllm: {
    title: "vLLM",
    version: "vLLM of 2026",
    ways: ["none", "ngram", "suffix", "model"],
    matches: ["longest", "shortest"],
    models: "folder",
    write(model, { way, tokens, longest, shortest, draft }) {
      const serve = `vllm serve ${quoted(model)}`;
      if (way === "none") return [serve];
      const config = {
        ngram: {
          method: "ngram",
          num_speculative_tokens: tokens,
          prompt_lookup_max: longest,
          prompt_lookup_min: shortest,
        },
        suffix: { method: "suffix", num_speculative_tokens: tokens },
        model: { method: "draft_model", model: draft, num_speculative_tokens: tokens },
      }[way];
      return [`${serve} --speculative-config ${quoted(JSON.stringify(config))}`];
    },
  },
  sglang: {
    title: "SGLang",
    version: "SGLang of 2026",
    ways: ["none", "ngram", "model"],
    matches: [],
    models: "folder",
    write(model, { way, tokens, draft }) {
      const launch = `python -m sglang.launch_server --model-path ${quoted(model)}`;
      if (way === "none") return [launch];
      return way === "model"
        ? [
          `${launch} --speculative-algorithm STANDALONE --speculative-draft-model-path ${quoted(draft!)} ` +
          `--speculative-num-steps ${tokens} --speculative-eagle-topk 1 --speculative-num-draft-tokens ${tokens + 1}`,
        ]
        : [`${launch} --speculative-algorithm NGRAM --speculative-num-draft-tokens ${tokens}`];
    },
  },
  "llama.cpp": {
    title: "llama.cpp",
    version: "llama.cpp b9235 (May 2026) and later: earlier ones call the options --draft-max and --draft-min",
    ways: ["none", "ngram", "model"],
    matches: ["longest"],
    models: "gguf",
    write(model, { way, tokens, longest, draft }) {
      const server = `llama-server -m ${quoted(model)}`;
      if (way === "none") return [server];
      return way === "model"
        ? [
          `${server} --spec-type draft-simple -md ${quoted(draft!)} ` +
          `--spec-draft-n-max ${tokens} --spec-draft-n-min 0`,
        ]
        : [
          `# matches have exactly ${longest} tokens there, not up to ${longest}: with fewer it drafts more often`,
          `${server} --spec-type ngram-simple --spec-ngram-simple-size-n ${longest} ` +
          `--spec-ngram-simple-size-m ${tokens}`,
        ];
    },
  },
  "tensorrt-llm": {
    title: "TensorRT-LLM",
    version: "TensorRT-LLM 1.3: before, a draft model may have to be given as speculative_model_dir",
    ways: ["none", "ngram", "model"],
    matches: ["longest"],
    models: "folder",
    write(model, { way, tokens, longest, draft }) {
      const serve = `trtllm-serve ${quoted(model)}`;
      if (way === "none") return [serve];
      const config = way === "model"
        ? [
          "  decoding_type: Draft_Target",
          `  max_draft_len: ${tokens}`,
          `  speculative_model: ${JSON.stringify(draft)}`,
        ]
        : ["  decoding_type: NGram", `  max_draft_len: ${tokens}`, `  max_matching_ngram_size: ${longest}`];
      return [
        `# speculative.yaml, for ${serve} --extra_llm_api_options speculative.yaml`,
        ...way === "model" ? ["disable_overlap_scheduler: true"] : [],
        "speculative_config:",
        ...config,
      ];
    },
  },
  transformers: {
    title: "transformers",
    version: "transformers 4.46 and later",
    ways: ["none", "ngram", "model"],
    matches: ["longest"],
    models: "folder",
    write(model, { way, tokens, longest, draft }, temperature) {
      const sampling = temperature === 0 ? "do_sample=False" : `do_sample=True, temperature=${temperature}`;
      const load = [
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        `tokenizer = AutoTokenizer.from_pretrained(${JSON.stringify(model)})`,
        `model = AutoModelForCausalLM.from_pretrained(${JSON.stringify(model)})`,
      ];
      const ask = 'inputs = tokenizer("…", return_tensors="pt")';
      if (way === "none") return [...load, ask, `model.generate(**inputs, ${sampling})`];
      if (way === "ngram") {
        return [
          ...load,
          ask,
          `model.generate(**inputs, prompt_lookup_num_tokens=${tokens}, max_matching_ngram_size=${longest}, ${sampling})`,
        ];
      }
      return [
        ...load,
        `assistant = AutoModelForCausalLM.from_pretrained(${JSON.stringify(draft)})`,
        `assistant.generation_config.num_assistant_tokens = ${tokens}`,
        'assistant.generation_config.num_assistant_tokens_schedule = "constant"',
        "assistant.generation_config.assistant_confidence_threshold = 0  # else drafts end where it is unsure",
        ask,
        `model.generate(**inputs, assistant_model=assistant, ${sampling})`,
      ];
    },
  },
};

/** A word of a POSIX shell. */
function quoted(word: string): string {
  return /^[\w.,:/=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
