"""Counts a model's parameters and bytes from the few numbers of its config.json: pure arithmetic,
exact to the unit, no torch.

The formulas follow the modules of transformers' own implementations (one
``modeling_<model_type>.py`` each); a test compares every preset's count with the model built on the
meta device. A linear layer n -> m holds n·m weights, and m more with a bias.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Torch = Literal["float32", "bfloat16", "float16"]

REMOTE = {"qwen", "baichuan", "chatglm", "minicpm", "minicpmv", "zhinao", "iflytekspark"}
"""Architectures whose code is in their repositories or in MindFormers: nothing of transformers to
compare with, so the formula is all.
"""
QKV_BIAS = {"qwen2", "qwen2_moe", "qwen", "chatglm", "zhinao"}
QK_NORM = {"qwen3", "qwen3_moe", "gemma3_text"}
FOUR_NORMS = {"gemma2", "gemma3_text", "glm4"}
LAYER_NORM = {"iflytekspark"}
"""Norms with a bias beside their weight."""
OUTPUT_BIAS = {"llama", "gpt_oss", "iflytekspark"}
"""Where ``attention_bias`` reaches the output projection too."""
ATTENTION_BIAS = OUTPUT_BIAS | {
    "qwen3",
    "qwen3_moe",
    "gemma2",
    "gemma3_text",
    "glm",
    "glm4",
    "glm4_moe",
    "seed_oss",
    "hunyuan_v1_dense",
}
PLAIN = {
    "mistral",
    "mixtral",
    "phi3",
    "deepseek_v2",
    "deepseek_v3",
    "gemma",
    "ernie4_5",
    "ernie4_5_moe",
    "cohere",
    "hunyuan_v1_moe",
}
PLAIN |= {"llama4_text", "kimi_k2"}
HUNYUAN = {"hunyuan_v1_dense", "hunyuan_v1_moe"}
SCORE_BIAS = {"gpt_oss", "deepseek_v3", "kimi_k2", "glm4_moe", "ernie4_5_moe"}
"""A number an expert beside the router's matrix: its bias in gpt_oss, the correction of its scores
elsewhere (part of every checkpoint).
"""
MIXTURES = {"mixtral", "gpt_oss", "qwen2_moe", "qwen3_moe", "deepseek_v2", "deepseek_v3", "kimi_k2"}
MIXTURES |= {"glm4_moe", "ernie4_5_moe", "hunyuan_v1_moe", "llama4_text"}
MXFP4_BITS = 4.25
"""Four bits a weight and one 8-bit scale for every 32 (Open Compute Project, Microscaling Formats
v1.0).
"""


class Architecture(BaseModel):
    """The numbers that decide a decoder's size.

    Names are config.json's; where families differ, Mixtral's and Qwen's names are taken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model_type: str = Field(description="transformers' name of the architecture.")
    num_hidden_layers: int = Field(gt=0)
    hidden_size: int = Field(gt=0)
    intermediate_size: int = Field(
        gt=0, description="Width of the dense feed-forward layers (of one expert in mixtral and gpt_oss)."
    )
    num_attention_heads: int = Field(gt=0)
    num_key_value_heads: int = Field(gt=0)
    head_dim: int = Field(gt=0)
    vocab_size: int = Field(gt=0)
    tie_word_embeddings: bool = False
    max_position_embeddings: int = Field(gt=0)
    torch_dtype: Torch = "bfloat16"
    attention_bias: bool = False
    attention_out_bias: bool = False
    mlp_bias: bool = False
    qk_norm: bool = False
    sliding_window: int | None = Field(None, description="Tokens that a sliding layer looks back on.")
    sliding_layers: int = Field(0, description="How many layers slide; the others see the whole context.")
    num_experts: int = Field(0, description="Routed experts a layer; 0 is a dense model.")
    num_experts_per_tok: int = 0
    moe_intermediate_size: int = 0
    dense_layers: int = Field(0, description="Layers at the bottom that have no experts in a MoE model.")
    shared_expert_size: int = Field(0, description="Width of all shared experts of a layer together.")
    kv_lora_rank: int = Field(
        0, description="Width of the latent that multi-head latent attention caches; 0 is ordinary attention."
    )
    q_lora_rank: int = 0
    qk_nope_head_dim: int = 0
    qk_rope_head_dim: int = 0
    v_head_dim: int = 0
    other_parameters: int = Field(
        0, ge=0, description="Parameters outside the language model: vision tower, projector."
    )
    expert_bits: float | None = Field(
        None, description="Bits a routed expert's weight takes in the checkpoint, where not torch_dtype's."
    )

    @property
    def parameters(self) -> int:
        """All parameters; tied embeddings count once."""
        return (
            self._embeddings() + self._all_layers(self.num_experts) + self._norms(1) + self.other_parameters
        )

    @property
    def active_parameters(self) -> int:
        """Parameters that one token passes through: everything but the experts that its router
        leaves out.

        Embeddings are counted.
        """
        return self._embeddings() + self._all_layers(self.num_experts_per_tok) + self._norms(1)

    @property
    def expert_parameters(self) -> int:
        """Parameters in routed experts, all of them."""
        return self._moe_layers * self.num_experts * self._one_expert()

    @property
    def layer_matrices(self) -> int:
        """Weights of all layers' matrices that one token is multiplied by: attention, feed-forward,
        router and the experts it is sent to.

        Norms, biases, embeddings and the head are no part of it; docs/meter.md calls it N_body.
        """
        attention = self._latent_matrices() if self.kv_lora_rank else self._attention_matrices()
        gate = self.hidden_size if self.model_type == "qwen2_moe" else 0

        width = self.num_experts_per_tok * self.moe_intermediate_size + self.shared_expert_size
        sparse = self.hidden_size * self.num_experts + 3 * self.hidden_size * width + gate
        dense = (self.num_hidden_layers - self._moe_layers) * 3 * self.hidden_size * self.intermediate_size
        return self.num_hidden_layers * attention + dense + self._moe_layers * sparse

    @property
    def head_matrix(self) -> int:
        """Weights of the language-model head, tied or not."""
        return self.vocab_size * self.hidden_size

    def attention_width(self, latent: bool = False) -> int:
        """Multiply-adds of one layer's attention for one query token and one key token: all heads'
        scores and weighted values.

        2·H·d in ordinary attention. In multi-head latent attention H·(d_qk + d_v), or with
        ``latent`` (queries and values absorbed into the latent space, as engines that cache the
        latent decode) H·(2·rank + d_rope): DeepSeek-V2, arXiv 2405.04434, section 2.1.
        """
        heads = self.num_attention_heads
        if self.kv_lora_rank and latent:
            return heads * (2 * self.kv_lora_rank + self.qk_rope_head_dim)
        if self.kv_lora_rank:
            return heads * (self.qk_nope_head_dim + self.qk_rope_head_dim + self.v_head_dim)
        return 2 * heads * self.head_dim

    def layer_tokens(self, context: int) -> int:
        """Tokens that the last of ``context`` tokens looks at, itself included, summed over layers;
        a sliding layer sees its window.
        """
        window = min(context, self.sliding_window or context)
        return (self.num_hidden_layers - self.sliding_layers) * context + self.sliding_layers * window

    def weight_bytes(self, bytes_each: float = 2, checkpoint: bool = False) -> int:
        """Bytes of all weights at ``bytes_each`` a parameter.

        ``checkpoint`` keeps experts in their own format (gpt-oss: MXFP4).
        """
        experts = self.expert_parameters if checkpoint and self.expert_bits else 0
        return round((self.parameters - experts) * bytes_each + experts * (self.expert_bits or 0) / 8)

    def kv_bytes_per_token(self, bytes_each: float = 2, latent: bool = False) -> int:
        """Bytes that one more token adds to the cache: keys and values of every key-value head in
        every layer.

        ``latent`` is for engines that cache multi-head latent attention's latent (vLLM) and not
        full keys and values (transformers).
        """
        return round(self.num_hidden_layers * self.kv_numbers(latent) * bytes_each)

    def kv_bytes(self, context: int, bytes_each: float = 2, latent: bool = False) -> int:
        """Bytes of the cache of one sequence of ``context`` tokens; a sliding layer keeps no more
        than its window.
        """
        return round(self.layer_tokens(context) * self.kv_numbers(latent) * bytes_each)

    @property
    def _moe_layers(self) -> int:
        return self.num_hidden_layers - self.dense_layers if self.num_experts else 0

    def kv_numbers(self, latent: bool = False) -> int:
        """Numbers that one token adds to one layer's cache."""
        if self.kv_lora_rank and latent:
            return self.kv_lora_rank + self.qk_rope_head_dim
        if self.kv_lora_rank:
            return self.num_attention_heads * (
                self.qk_nope_head_dim + self.qk_rope_head_dim + self.v_head_dim
            )
        return 2 * self.num_key_value_heads * self.head_dim

    def _embeddings(self) -> int:
        return self.vocab_size * self.hidden_size * (1 if self.tie_word_embeddings else 2)

    def _all_layers(self, experts: int) -> int:
        every = self._latent_attention() if self.kv_lora_rank else self._attention()
        every += self._norms(4 if self.model_type in FOUR_NORMS else 1 if self.model_type == "cohere" else 2)
        dense = self.num_hidden_layers - self._moe_layers
        return (
            self.num_hidden_layers * every
            + dense * self._mlp(self.intermediate_size)
            + self._moe_layers * self._experts(experts)
        )

    def _norms(self, number: int) -> int:
        return number * self.hidden_size * (2 if self.model_type in LAYER_NORM else 1)

    def _attention(self) -> int:
        hidden, queries = self.hidden_size, self.num_attention_heads * self.head_dim
        keys = self.num_key_value_heads * self.head_dim
        count = self._attention_matrices()
        count += queries + 2 * keys if self.attention_bias else 0
        count += hidden if self.attention_out_bias else 0
        if self.qk_norm:  # one norm for all heads, but in cohere one for each
            count += queries + keys if self.model_type == "cohere" else 2 * self.head_dim
        return count + (
            self.num_attention_heads if self.model_type == "gpt_oss" else 0
        )  # gpt-oss: a sink a head

    def _attention_matrices(self) -> int:
        return 2 * self.hidden_size * (self.num_attention_heads + self.num_key_value_heads) * self.head_dim

    def _latent_attention(self) -> int:
        # a norm on each latent
        return self._latent_matrices() + self.q_lora_rank + self.kv_lora_rank

    def _latent_matrices(self) -> int:
        hidden, heads, rank = self.hidden_size, self.num_attention_heads, self.kv_lora_rank
        query = heads * (self.qk_nope_head_dim + self.qk_rope_head_dim)
        down = hidden * self.q_lora_rank + self.q_lora_rank * query if self.q_lora_rank else hidden * query
        return (
            down
            + hidden * (rank + self.qk_rope_head_dim)
            + rank * heads * (self.qk_nope_head_dim + self.v_head_dim)
            + heads * self.v_head_dim * hidden
        )

    def _mlp(self, width: int) -> int:
        return 3 * self.hidden_size * width + (2 * width + self.hidden_size if self.mlp_bias else 0)

    def _one_expert(self) -> int:
        bias = 2 * self.moe_intermediate_size + self.hidden_size if self.model_type == "gpt_oss" else 0
        return 3 * self.hidden_size * self.moe_intermediate_size + bias

    def _experts(self, counted: int) -> int:
        router = self.hidden_size * self.num_experts + (
            self.num_experts if self.model_type in SCORE_BIAS else 0
        )
        shared = 3 * self.hidden_size * self.shared_expert_size
        gate = self.hidden_size if self.model_type == "qwen2_moe" else 0
        return router + counted * self._one_expert() + shared + gate
