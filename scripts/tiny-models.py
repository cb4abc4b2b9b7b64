"""Tiny models with random weights for test/fixtures/tiny: a folder as transformers writes it, a GGUF file as llama.cpp's
converter does, and the logits that transformers computes from the folder. A lab instrument: nothing that is built or
tested runs it.

    pip install torch==2.13.0 transformers==5.24.0 gguf==0.19.0
    python scripts/tiny-models.py [NAME ...]

Weights are float16, so that a fixture is small and both files have the same numbers; transformers computes in float32.
"""
import json, pathlib, re, sys, zlib
import gguf, numpy, torch, transformers
from safetensors.torch import load_file, save_file

HERE = pathlib.Path(__file__).parent.parent / "test/fixtures/tiny"
VOCAB, TEXTS, LENGTH = 64, 2, 24
COMMON = dict(vocab_size=VOCAB, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=128, rms_norm_eps=1e-6, bos_token_id=1, eos_token_id=2,
              pad_token_id=0)
ROPE = {"rope_theta": 10000.0, "rope_type": "default"}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "beta_fast": 32.0, "beta_slow": 1.0}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}
SWA, FULL = "sliding_attention", "full_attention"


def seeded(name):
    torch.manual_seed(zlib.crc32(name.encode()))


def fill(model):
    """Weights that make every part count: gains around what they are at first, biases, matrices of unit gain."""
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape)
        if "norm" in name and name.endswith("weight"):
            value = weight.detach() + 0.2 * noise
        elif weight.dim() == 1 or name.endswith("bias"):
            value = 0.3 * noise
        else:
            value = noise / weight.shape[-1] ** 0.5
        weight.data.copy_(value.half().float())


def save(name, model):
    folder = HERE / name
    seeded(name + " text")
    ids = torch.randint(3, VOCAB - 4, (TEXTS, LENGTH))  # the last four stand for images
    with torch.no_grad():
        logits = model(ids).logits.float()
    model.half().save_pretrained(folder)
    for extra in ["generation_config.json"]:
        (folder / extra).unlink(missing_ok=True)
    save_file({"input_ids": ids, "logits": logits.contiguous()}, folder / "expected.safetensors")
    for path in folder.iterdir(): path.chmod(0o644)
    return load_file(folder / "model.safetensors"), json.loads((folder / "config.json").read_text())


class Gguf:
    """What the converter's base class writes, and the names that it gives to tensors."""

    def __init__(self, name, arch, config, rope=True):
        self.c = config
        self.arch = gguf.MODEL_ARCH_NAMES[arch]
        self.path = HERE / "gguf" / f"{name}-f16.gguf"
        self.names = gguf.get_tensor_name_map(arch, config["num_hidden_layers"])
        self.writer = w = gguf.GGUFWriter(None, self.arch)
        w.add_name(f"tiny-{name}")
        w.add_block_count(config["num_hidden_layers"])
        w.add_context_length(config["max_position_embeddings"])
        w.add_embedding_length(config["hidden_size"])
        w.add_feed_forward_length(config["intermediate_size"])
        w.add_head_count(config["num_attention_heads"])
        w.add_head_count_kv(config["num_key_value_heads"])
        rope = rope and config.get("rope_parameters") or {}
        full = rope.get("full_attention", rope)
        if full.get("rope_type") == "yarn":
            w.add_rope_scaling_type(gguf.RopeScalingType.YARN)
            w.add_rope_scaling_factor(full["factor"])
            w.add_rope_scaling_orig_ctx_len(full["original_max_position_embeddings"])
            if full.get("attention_factor") is not None: w.add_rope_scaling_yarn_attn_factor(full["attention_factor"])
            w.add_rope_scaling_yarn_beta_fast(full["beta_fast"])
            w.add_rope_scaling_yarn_beta_slow(full["beta_slow"])
        if "mrope_section" in rope:
            w.add_rope_dimension_sections((list(rope["mrope_section"]) + [0])[:4])
        if "rope_theta" in full: w.add_rope_freq_base(full["rope_theta"])
        if (swa := rope.get("sliding_attention", {}).get("rope_theta")) is not None:
            w.add_rope_freq_base_swa(swa)
        if "rms_norm_eps" in config: w.add_layer_norm_rms_eps(config["rms_norm_eps"])
        if "layer_norm_eps" in config: w.add_layer_norm_eps(config["layer_norm_eps"])
        experts = config.get("num_local_experts", config.get("num_experts"))
        if experts is not None: w.add_expert_count(experts)
        if config.get("num_experts_per_tok") is not None: w.add_expert_used_count(config["num_experts_per_tok"])
        if config.get("head_dim") is not None:
            w.add_key_length(config["head_dim"])
            w.add_value_length(config["head_dim"])
        w.add_file_type(gguf.LlamaFileType.MOSTLY_F16)

    def head(self):
        return self.c.get("head_dim") or self.c["hidden_size"] // self.c["num_attention_heads"]

    def windows(self):
        self.writer.add_sliding_window(self.c["sliding_window"])
        self.writer.add_sliding_window_pattern([kind == SWA for kind in self.c["layer_types"]])

    def llama3_factors(self):
        """The converter's tensor of divisors."""
        rope = self.c["rope_parameters"]
        rope = rope.get("full_attention", rope)
        dim, old = self.head(), rope["original_max_position_embeddings"]
        out = []
        for freq in 1.0 / rope["rope_theta"] ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim):
            length = 2 * numpy.pi / float(freq)
            smooth = (old / length - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"])
            far, near = old / rope["low_freq_factor"], old / rope["high_freq_factor"]
            out.append(1 if length < near else rope["factor"] if length > far
                       else 1 / ((1 - smooth) / rope["factor"] + smooth))
        self.tensor("rope_freqs.weight", torch.tensor(out))

    def tensor(self, name, value):
        small = value.dim() <= 1 or name.endswith(("_norm.weight", "ffn_gate_inp.weight", ".bias"))
        self.writer.add_tensor(name, value.float().numpy() if small else value.half().numpy())

    def mapped(self, name):
        found = self.names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert found, name
        return found

    def tensors(self, tensors, change=lambda name, value: [(name, value)]):
        for source, value in tensors.items():
            for name, part in change(source, value):
                self.tensor(self.mapped(name), part)

    def done(self):
        w = self.writer
        letters = "▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,!?:;'\"-"
        tokens = ["<unk>", "<s>", "</s>", *letters][:VOCAB]
        w.add_vocab_size(VOCAB)
        w.add_tokenizer_model("llama")
        w.add_token_list(tokens + [f"<{n}>" for n in range(VOCAB - len(tokens))])
        w.add_token_scores([0.0] * VOCAB)
        w.add_token_types([2, 3, 3] + [1] * (VOCAB - 3))
        w.add_bos_token_id(1)
        w.add_eos_token_id(2)
        self.path.parent.mkdir(exist_ok=True)
        w.write_header_to_file(self.path)
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()


def permute(value, heads):
    """llama.cpp's order of the rows of q and k, for a rotation of neighbouring pairs."""
    return value.reshape(heads, 2, value.shape[0] // heads // 2, *value.shape[1:]).swapaxes(1, 2).reshape(value.shape)


def llama_rows(config):
    def change(name, value):
        heads = {"q": config["num_attention_heads"], "k": config["num_key_value_heads"]}
        match = re.search(r"\.(q|k)_proj\.(weight|bias)$", name)
        return [(name, permute(value, heads[match[1]]) if match else value)]
    return change


def plus_one(name, value):
    return [(name, value.float() + 1 if name.endswith("norm.weight") else value)]


def make(name, config_class, model_class, arch, keys=lambda file: None, change=lambda config: lambda n, v: [(n, v)],
         rope=True, **config):
    """`keys` writes what the architecture's converter adds, `change` is what it does to tensors."""
    seeded(name)
    model = getattr(transformers, model_class)._from_config(
        getattr(transformers, config_class)(**config), attn_implementation="eager", dtype=torch.float32).eval()
    fill(model)
    tensors, written = save(name, model)
    if "text_config" in written:
        written = written | written["text_config"]
        tensors = {name.replace("language_model.", ""): value for name, value in tensors.items()
                   if not re.match(r"(model\.)?(visual|vision_tower|multi_modal_projector)\.", name)}
    file = Gguf(name, arch, written, rope)
    keys(file)
    file.tensors(tensors, change(written))
    file.done()


A = gguf.MODEL_ARCH
MODELS = {}


def model(function):
    MODELS[re.sub("_(images)", r"-\1", function.__name__)] = function
    return function


@model
def olmo3(name):
    make(name, "Olmo3Config", "Olmo3ForCausalLM", A.OLMO2, keys=Gguf.windows, **COMMON | dict(
        num_hidden_layers=4, intermediate_size=32, sliding_window=8,
        rope_parameters={FULL: YARN | {"rope_theta": 10000.0}, SWA: ROPE}))


@model
def gemma(name):
    make(name, "GemmaConfig", "GemmaForCausalLM", A.GEMMA, change=lambda config: plus_one, rope=False,
         **COMMON | dict(head_dim=16, num_key_value_heads=1))


@model
def seed_oss(name):
    make(name, "SeedOssConfig", "SeedOssForCausalLM", A.SEED_OSS, **COMMON | dict(head_dim=16))


@model
def ernie4_5(name):
    make(name, "Ernie4_5Config", "Ernie4_5ForCausalLM", A.ERNIE4_5, **COMMON | dict(head_dim=8))


@model
def exaone4(name):
    def keys(file):
        file.windows()
        file.llama3_factors()
    make(name, "Exaone4Config", "Exaone4ForCausalLM", A.EXAONE4, keys=keys, **COMMON | dict(
        num_hidden_layers=4, intermediate_size=32, sliding_window=8, layer_types=[SWA, SWA, SWA, FULL],
        rope_parameters=LLAMA3))


@model
def glm4(name):
    def keys(file):
        file.writer.add_rope_dimension_count(file.head() // 2)
    make(name, "Glm4Config", "Glm4ForCausalLM", A.GLM4, keys=keys, **COMMON | dict(head_dim=16))


@model
def granite4(name):
    def keys(file):
        c, w = file.c, file.writer
        w.add_rope_dimension_count(file.head())
        w.add_attention_scale(c["attention_multiplier"])
        w.add_embedding_scale(c["embedding_multiplier"])
        w.add_residual_scale(c["residual_multiplier"])
        w.add_logit_scale(c["logits_scaling"])
        w.add_expert_shared_feed_forward_length(c["shared_intermediate_size"])
        w.add_ssm_conv_kernel(4)
        w.add_ssm_state_size(256)
        w.add_ssm_group_count(1)
        w.add_ssm_inner_size(64)
        w.add_ssm_time_step_rank(8)
        w.add_rope_scaling_finetuned(True)
    def change(config):
        rows = llama_rows(config)
        def split(name, value):
            if name.endswith("shared_mlp.input_linear.weight"):
                gate, up = value.chunk(2)
                return [(name.replace("shared_mlp.input_linear", "mlp.gate_proj"), gate),
                        (name.replace("shared_mlp.input_linear", "mlp.up_proj"), up)]
            return rows(name.replace("shared_mlp.output_linear", "mlp.down_proj"), value)
        return split
    make(name, "GraniteMoeHybridConfig", "GraniteMoeHybridForCausalLM", A.GRANITE, keys=keys, change=change,
         **COMMON | dict(layer_types=["full_attention"] * 2, num_local_experts=0, num_experts_per_tok=0,
                         shared_intermediate_size=48, position_embedding_type="rope", embedding_multiplier=6.0,
                         attention_multiplier=0.125, residual_multiplier=0.3, logits_scaling=4.0,
                         mamba_n_heads=8, tie_word_embeddings=True))


@model
def cohere2(name):
    def keys(file):
        w = file.writer
        w.add_logit_scale(file.c["logit_scale"])
        w.add_sliding_window(file.c["sliding_window"])
        w.add_rope_dimension_count(file.head())
        w.add_rope_scaling_type(gguf.RopeScalingType.NONE)
    common = {key: value for key, value in COMMON.items() if key != "rms_norm_eps"}
    make(name, "Cohere2Config", "Cohere2ForCausalLM", A.COHERE2, keys=keys, **common | dict(
        num_hidden_layers=4, intermediate_size=32, sliding_window=8, layer_norm_eps=1e-5, logit_scale=0.25))


PIXTRAL = dict(model_type="pixtral", hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
               head_dim=8, image_size=16, patch_size=8)
MISTRAL = dict(vision_config=PIXTRAL, image_token_index=VOCAB - 1)
MINISTRAL = COMMON | dict(model_type="ministral3", head_dim=16, rope_parameters=YARN | dict(
    rope_theta=10000.0, original_max_position_embeddings=16, mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.3))


def mistral3_keys(file):
    w, rope = file.writer, file.c["rope_parameters"]
    w.add_rope_dimension_count(file.head())
    if file.c["model_type"] == "ministral3":
        w.add_rope_scaling_yarn_log_mul(rope["mscale_all_dim"])
        w.add_attn_temperature_scale(rope["llama_4_scaling_beta"])


@model
def mistral_images(name):
    make(name, "Mistral3Config", "Mistral3ForConditionalGeneration", A.MISTRAL3, keys=mistral3_keys, change=llama_rows,
         text_config=COMMON | dict(model_type="mistral", head_dim=16), tie_word_embeddings=False, **MISTRAL)


@model
def ministral3(name):
    make(name, "Mistral3Config", "Mistral3ForConditionalGeneration", A.MISTRAL3, keys=mistral3_keys, change=llama_rows,
         text_config=MINISTRAL, tie_word_embeddings=False, **MISTRAL)


@model
def gemma3_images(name):
    vision = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=16,
                  patch_size=8)
    text = {key: value for key, value in COMMON.items() if key not in ("rms_norm_eps",)}
    def keys(file): file.writer.add_sliding_window(file.c["sliding_window"])
    make(name, "Gemma3Config", "Gemma3ForConditionalGeneration", A.GEMMA3, keys=keys, change=lambda config: plus_one,
         vision_config=vision, image_token_index=VOCAB - 1, boi_token_index=VOCAB - 2, eoi_token_index=VOCAB - 3,
         mm_tokens_per_image=4, text_config=text | dict(
             head_dim=16, num_key_value_heads=1, num_hidden_layers=6, intermediate_size=16, sliding_window=8,
             query_pre_attn_scalar=16))


QWEN_VISION = dict(depth=1, hidden_size=16, intermediate_size=16, num_heads=2, patch_size=4, spatial_merge_size=2,
                   out_hidden_size=32, fullatt_block_indexes=[0], window_size=16)


@model
def qwen2_vl(name):
    make(name, "Qwen2_5_VLConfig", "Qwen2_5_VLForConditionalGeneration", A.QWEN2VL, vision_config=QWEN_VISION,
         tie_word_embeddings=False, image_token_id=VOCAB - 1, video_token_id=VOCAB - 2, vision_start_token_id=VOCAB - 3,
         vision_end_token_id=VOCAB - 4,
         text_config=COMMON | dict(rope_parameters=ROPE | {"mrope_section": [1, 1, 2]}))


@model
def qwen3_vl(name):
    vision = {key: QWEN_VISION[key] for key in QWEN_VISION if key not in ("fullatt_block_indexes", "window_size")}
    def keys(file): file.writer.add_num_deepstack_layers(1)
    make(name, "Qwen3VLConfig", "Qwen3VLForConditionalGeneration", A.QWEN3VL, keys=keys,
         vision_config=vision | dict(num_position_embeddings=16, deepstack_visual_indexes=[0]),
         tie_word_embeddings=False, image_token_id=VOCAB - 1, video_token_id=VOCAB - 2, vision_start_token_id=VOCAB - 3,
         vision_end_token_id=VOCAB - 4,
         text_config=COMMON | dict(head_dim=16, rope_parameters=ROPE | {"mrope_section": [2, 3, 3],
                                                                        "mrope_interleaved": True}))


def stacked(config):
    """Experts that the folder has one by one, in one tensor."""
    rows, seen = llama_rows(config) if config["model_type"] == "mixtral" else (lambda n, v: [(n, v)]), {}
    count = config.get("num_local_experts", config.get("num_experts"))
    def change(name, value):
        match = re.match(r"(.*\.experts)\.(\d+)\.(\w+)\.weight$", name)
        if not match: return rows(name, value)
        module, expert, part = match.groups()
        all = seen.setdefault((module, part), {})
        all[int(expert)] = value
        if len(all) < count: return []
        if part in ("w1", "w2", "w3"): module = module.replace("model.layers", "layers").replace(
            "block_sparse_moe", "feed_forward")
        return [(f"{module}.{part}.weight", torch.stack([all[e] for e in range(count)]))]
    return change


EXPERTS = dict(num_experts_per_tok=2, output_router_logits=False)


@model
def qwen3_moe(name):
    def keys(file): file.writer.add_expert_feed_forward_length(file.c["moe_intermediate_size"])
    make(name, "Qwen3MoeConfig", "Qwen3MoeForCausalLM", A.QWEN3MOE, keys=keys, change=stacked, **COMMON | EXPERTS | dict(
        head_dim=16, num_experts=5, moe_intermediate_size=16, norm_topk_prob=True, decoder_sparse_step=1))


@model
def olmoe(name):
    make(name, "OlmoeConfig", "OlmoeForCausalLM", A.OLMOE, change=stacked, **COMMON | EXPERTS | dict(
        num_experts=5, intermediate_size=16, num_key_value_heads=4))


@model
def mixtral(name):
    def keys(file): file.writer.add_rope_dimension_count(file.head())
    make(name, "MixtralConfig", "MixtralForCausalLM", A.LLAMA, keys=keys, change=stacked, **COMMON | EXPERTS | dict(
        num_local_experts=4, intermediate_size=16, sliding_window=None))


FP4 = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6])


def mxfp4(rows, columns):
    """Random codes and scales, [rows, blocks, 32] and [rows, blocks], and the numbers that they stand for."""
    codes = torch.randint(0, 16, (rows, columns // 32, 32), dtype=torch.uint8)
    scales = torch.randint(121, 125, (rows, columns // 32), dtype=torch.uint8)
    return codes, scales, (FP4[codes.long()] * 2.0 ** (scales.float() - 127)[..., None]).reshape(rows, columns)


@model
def gpt_oss(name):
    seeded(name)
    config = transformers.GptOssConfig(**COMMON | EXPERTS | dict(
        hidden_size=32, intermediate_size=32, head_dim=16, num_local_experts=4, sliding_window=8,
        layer_types=[SWA, FULL], rope_parameters=YARN | dict(rope_theta=150000.0, truncate=False)))
    model = transformers.GptOssForCausalLM._from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    fill(model)
    packed = {}
    for n, layer in enumerate(model.model.layers):
        layer.self_attn.sinks.data.copy_(torch.randn(4).half().float())
        layer.mlp.router.bias.data.copy_((0.3 * torch.randn(4)).half().float())
        for part, rows in [("gate_up_proj", 64), ("down_proj", 32)]:
            all = [mxfp4(rows, 32) for _ in range(4)]
            getattr(layer.mlp.experts, part).data.copy_(torch.stack([values.T for _, _, values in all]))
            packed[f"model.layers.{n}.mlp.experts.{part}"] = [torch.stack([one[i] for one in all]) for i in (0, 1)]
    tensors, written = save(name, model)
    file = Gguf(name, A.GPT_OSS, written)
    file.writer.add_sliding_window(written["sliding_window"])
    file.writer.add_expert_feed_forward_length(written["intermediate_size"])
    def quantised(name, codes, scales):
        halves = codes[..., :16] | codes[..., 16:] << 4
        blocks = torch.cat([scales[..., None], halves], -1)
        file.writer.add_tensor(file.mapped(name), blocks.reshape(*blocks.shape[:2], -1).numpy(),
                               raw_dtype=gguf.GGMLQuantizationType.MXFP4)
    for source, value in list(tensors.items()):
        if source in packed:
            del tensors[source]
            codes, scales = packed[source]
            tensors[f"{source}_blocks"] = codes[..., ::2] | codes[..., 1::2] << 4
            tensors[f"{source}_scales"] = scales
            if source.endswith("down_proj"): quantised(f"{source}.weight", codes, scales)
            else:
                quantised(source.replace("gate_up", "gate") + ".weight", codes[:, ::2], scales[:, ::2])
                quantised(source.replace("gate_up", "up") + ".weight", codes[:, 1::2], scales[:, 1::2])
        elif source.endswith("gate_up_proj_bias"):
            for part, first in [("gate", 0), ("up", 1)]:
                file.tensor(file.mapped(source.replace("gate_up_proj_bias", f"{part}_proj.bias")), value[:, first::2])
        elif source.endswith("sinks"):
            file.tensor(file.mapped(source + ".weight"), value)
        else: file.tensor(file.mapped(source.replace("down_proj_bias", "down_proj.bias")), value)
    file.done()
    save_file({key: value.contiguous() for key, value in tensors.items()}, HERE / name / "model.safetensors")
    written["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}
    (HERE / name / "config.json").write_text(json.dumps(written, indent=2) + "\n")
    for path in (HERE / name).iterdir(): path.chmod(0o644)


if __name__ == "__main__":
    for name in sys.argv[1:] or MODELS:
        MODELS[name](name)
        sizes = [path.stat().st_size for path in [*(HERE / name).iterdir(), *(HERE / "gguf").glob(f"{name}-f16.gguf")]]
        print(name, sizes)
