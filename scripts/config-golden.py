"""What transformers computes when one field of a tiny model's config.json is another. A lab instrument: nothing that is
built or tested runs it.

    pip install torch==2.13.0 transformers==5.24
    python scripts/config-golden.py test/fixtures/tiny test/fixtures/config-fields.json

For each folder with a config.json, and each field of its architecture's configuration, a value that differs. "logits":
some of the last row's; none where they do not change. What transformers refuses is left out.
"""
import copy, json, os, sys, tempfile, warnings
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText, logging

logging.set_verbosity_error()
logging.disable_progress_bar()
warnings.simplefilter("ignore")
TOKENS = [1, 17, 240, 9, 33, 33, 101, 7, 64, 201, 5, 90, 12, 250, 3, 77, 150, 41, 8, 19]
COLUMNS = 8 # of the last row, the first of each eighth

# Values that say something for fields whose default says nothing, and for those whose type does not tell.
VALUES = {
    "hidden_act": ["gelu", "gelu_pytorch_tanh", "relu2"], "hidden_activation": ["silu", "gelu"],
    "activation_function": ["gelu", "relu"],
    "rope_scaling": [{"type": "linear", "factor": 2.0}],
    "sliding_window": [6], "head_dim": [None], "num_key_value_heads": [None, 1],
    "attn_logit_softcapping": [2.0], "final_logit_softcapping": [0.5],
    "n_inner": [64], "is_causal": [False], "use_bidirectional_attention": [True],
    "attention_multiplier": [0.5], "no_rope_layers": [[0, 1, 1, 1]],
    "rope_theta": [500.0], "partial_rotary_factor": [0.5], "rotary_pct": [0.5], "rotary_emb_base": [500.0],
    "layer_types": "types", "attention_bias": [True], "original_max_position_embeddings": [16],
    "tie_word_embeddings": "flip", "num_attention_heads": [6], "query_pre_attn_scalar": [64],
}
# Fields that programs and people write into config.json beside those that transformers' classes name.
EXTRA = ["is_causal", "use_bidirectional_attention", "rope_theta", "rope_scaling", "sliding_window", "use_sliding_window",
         "max_window_layers", "head_dim", "hidden_act", "hidden_activation", "attn_logit_softcapping",
         "final_logit_softcapping", "query_pre_attn_scalar", "logits_scaling", "embedding_multiplier",
         "residual_multiplier", "attention_multiplier", "no_rope_layers", "layer_types", "partial_rotary_factor",
         "attention_bias", "mlp_bias", "use_parallel_residual", "logit_scale", "clip_qkv", "use_qk_norm",
         "original_max_position_embeddings", "num_local_experts", "scale_attn_weights", "use_mrope", "qk_layernorm"]
ROPES = [
    {"rope_type": "linear", "factor": 4.0}, {"rope_type": "dynamic", "factor": 4.0},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "attention_factor": 1.5},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 8.0, "beta_slow": 0.5},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "mscale": 0.7, "mscale_all_dim": 0.5},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "truncate": False},
    {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
     "original_max_position_embeddings": 64},
    {"rope_type": "default", "factor": 4.0},
]

# What all configurations have is tried with one model; all scalings with those that read them in their own ways.
FIRST = "llama"
COMMON = ["chunk_size_feed_forward", "is_encoder_decoder", "output_attentions", "output_hidden_states", "problem_type",
          "return_dict", "use_cache", "pad_token_id", "bos_token_id", "eos_token_id", "initializer_range", "vocab_size",
          "attention_dropout", "use_mrope", "clip_qkv", "use_qk_norm", "qk_layernorm", "logit_scale", "max_position_embeddings"]
SCALED = [FIRST, "llama-rope-scaled", "gemma3", "gpt_neox", "phi3", "olmo3", "glm4", "cohere2", "exaone4"]

def is_tried(model, change):
    [(field, value)] = change.items()
    # Transformers' class for images leaves it out, its class for text does not; published files have none.
    if (model, field) == ("gemma3-images", "final_logit_softcapping"): return False
    if field in COMMON: return model == FIRST
    return model in SCALED or not isinstance(value, dict) or value.get("rope_type") not in ("yarn", "llama3", "dynamic") \
        or list(value)[-1] == "original_max_position_embeddings" and value["rope_type"] == "yarn"

def logits(config, folder):
    with tempfile.TemporaryDirectory() as out:
        json.dump(config, open(os.path.join(out, "config.json"), "w"))
        os.symlink(os.path.abspath(os.path.join(folder, "model.safetensors")), os.path.join(out, "model.safetensors"))
        torch.manual_seed(1)
        kind = AutoModelForImageTextToText if "text_config" in config else AutoModelForCausalLM
        model, info = kind.from_pretrained(
            out, attn_implementation="eager", dtype=torch.float32, output_loading_info=True)
        own = lambda keys: [k for k in keys if not any(part in str(k) for part in ("vision", "visual", "projector"))]
        if own(info["unexpected_keys"]) or own(info["mismatched_keys"]):
            raise ValueError("tensors and configuration do not fit")
        if [k for k in own(info["missing_keys"]) if not k.endswith(".bias")]:
            raise ValueError("a tensor is missing")
        with torch.no_grad():
            return model.eval()(torch.tensor([[t % part(config)["vocab_size"] for t in TOKENS]])).logits[0, -1]

def part(config): return config.get("text_config", config)

def changed(config, change):
    config = copy.deepcopy(config)
    part(config).update(change)
    return config

def values(name, value, config):
    if name in VALUES:
        known = VALUES[name]
        if known == "types":
            return [(["sliding_attention", "full_attention"] * 8)[:layers(config)]]
        if known == "flip":
            return [not value]
        return [v for v in known if v != value]
    if isinstance(value, bool): return [not value]
    if isinstance(value, int): return [value + 1]
    if isinstance(value, float): return [value * 4 if value else 0.5]
    if isinstance(value, str) or isinstance(value, (list, dict)): return []
    return [2]

def layers(config): return config.get("num_hidden_layers", config.get("n_layer"))

def fields(config):
    own = type(AutoConfig.for_model(config["model_type"]))().to_dict()
    own.pop("text_config", None)
    skip = {"model_type", "architectures", "rope_parameters", "dtype", "transformers_version", "_name_or_path",
            "id2label", "label2id", "quantization_config", "pruned_heads", "task_specific_params"}
    out = []
    for name in [*own, *[n for n in EXTRA if n not in own]]:
        if name in skip: continue
        for value in values(name, config.get(name, own.get(name)), config): out.append((name, value))
    return out

def cases(name, folder):
    config = json.load(open(os.path.join(folder, "config.json")))
    base = logits(config, folder)
    unit = float(base.abs().max())
    text = part(config)
    changes = [{k: v} for k, v in fields(text)]
    rope = text.get("rope_parameters")
    if rope and "rope_theta" in rope:
        changes += [{"rope_parameters": {"rope_theta": rope["rope_theta"], **r}} for r in ROPES]
        changes += [{"rope_parameters": {**rope, "partial_rotary_factor": 0.5}}]
    elif rope:
        changes += [{"rope_parameters": {**rope, "full_attention": {**rope["full_attention"], **r}}} for r in ROPES]
        changes += [{"rope_parameters": {**rope, "sliding_attention": {**rope["sliding_attention"], **ROPES[0]}}}]
    for change in filter(lambda change: is_tried(name, change), changes):
        case = {"model": name, "change": change}
        try:
            row = logits(changed(config, change), folder)
            if not torch.isfinite(row).all(): raise ValueError("not finite")
        except Exception as error:
            print(name, change, type(error).__name__, str(error)[:100].replace("\n", " "), file=sys.stderr)
            continue
        if float((row - base).abs().max()) >= 1e-6 * unit: case["logits"] = [round(float(v), 6) for v in row[::len(row) // COLUMNS][:COLUMNS]]
        yield case

if __name__ == "__main__":
    root, out = sys.argv[1:3]
    names = sys.argv[3:] or sorted(n for n in os.listdir(root) if os.path.exists(os.path.join(root, n, "config.json")))
    found = [case for name in names for case in cases(name, os.path.join(root, name))]
    with open(out, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in found) + "\n]\n")
    print(f"{len(found)} cases, {sum('logits' in case for case in found)} of other logits")
