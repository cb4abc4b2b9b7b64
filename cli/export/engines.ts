// Engines that serve at scale, and how each is told to draft, as their documentation had it in 2026.
import type { Portable, Way } from "./portable.ts";

export interface Target {
  readonly title: string;
  readonly ways: readonly Way[];
  /** What a model is to it. */
  readonly models: "folder" | "gguf";
  /** A command or a configuration. `model`: as it would be written; "#" begins a comment in all of them. */
  write(model: string, setting: Portable): string[];
}

export const TARGETS: Readonly<Record<string, Target>> = {
  vllm: {
    title: "vLLM",
    ways: ["none", "ngram", "suffix", "model"],
    models: "folder",
    write(model, { way, tokens, longest, draft }) {
      const serve = `vllm serve ${quoted(model)}`;
      if (way === "none") return [serve];
      const config = {
        ngram: { method: "ngram", num_speculative_tokens: tokens, prompt_lookup_max: longest, prompt_lookup_min: 1 },
        suffix: { method: "suffix", num_speculative_tokens: tokens },
        model: { method: "draft_model", model: draft, num_speculative_tokens: tokens },
      }[way];
      return [`${serve} --speculative-config ${quoted(JSON.stringify(config))}`];
    },
  },
  sglang: {
    title: "SGLang",
    ways: ["none", "ngram", "model"],
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
    ways: ["none", "ngram", "model"],
    models: "gguf",
    write(model, { way, tokens, draft }) {
      const server = `llama-server -m ${quoted(model)}`;
      if (way === "none") return [server];
      return way === "model"
        ? [`${server} -md ${quoted(draft!)} --draft-max ${tokens} --draft-min 0`]
        : [`${server} --spec-type ngram-simple --draft-max ${tokens}`];
    },
  },
  "tensorrt-llm": {
    title: "TensorRT-LLM",
    ways: ["none", "ngram", "model"],
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
        "speculative_config:",
        ...config,
      ];
    },
  },
  transformers: {
    title: "transformers",
    ways: ["none", "ngram", "model"],
    models: "folder",
    write(model, { way, tokens, longest, draft }) {
      const load = [
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        `tokenizer = AutoTokenizer.from_pretrained(${JSON.stringify(model)})`,
        `model = AutoModelForCausalLM.from_pretrained(${JSON.stringify(model)})`,
      ];
      const ask = 'inputs = tokenizer("…", return_tensors="pt")';
      if (way === "none") return [...load, ask, "model.generate(**inputs)"];
      if (way === "ngram") {
        return [
          ...load,
          ask,
          `model.generate(**inputs, prompt_lookup_num_tokens=${tokens}, max_matching_ngram_size=${longest})`,
        ];
      }
      return [
        ...load,
        `assistant = AutoModelForCausalLM.from_pretrained(${JSON.stringify(draft)})`,
        `assistant.generation_config.num_assistant_tokens = ${tokens}`,
        'assistant.generation_config.num_assistant_tokens_schedule = "constant"',
        ask,
        "model.generate(**inputs, assistant_model=assistant)",
      ];
    },
  },
};

/** A word of a POSIX shell. */
function quoted(word: string): string {
  return /^[\w.,:/=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
