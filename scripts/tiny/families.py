"""The three families: configuration, special tokens, chat layout and language mix of each tiny
model.
"""

from __future__ import annotations

from dataclasses import dataclass

QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] | trim "
    "}}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] "
    "}}<|end_header_id|>\n\n"
    "{{ message['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
# Like DeepSeek-R1's: earlier answers go back to the model without their thoughts.
DEEPSEEK_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}<｜User｜>{{ "
    "message['content'] | trim }}"
    "{% elif message['role'] == 'assistant' %}<｜Assistant｜>{{ message['content'].split('</think>')[-1] | "
    "trim }}<｜end▁of▁sentence｜>"
    "{% else %}{{ message['content'] | trim }}{% endif %}{% endfor %}{% if add_generation_prompt "
    "%}<｜Assistant｜>{% endif %}"
)


@dataclass(frozen=True)
class Family:
    """One model to train; `steps` counts optimizer steps and `chinese` is the share of Chinese
    documents.
    """

    name: str
    architecture: str
    chinese: float
    thinks: bool
    bos: str | None
    eos: str
    pad: str
    # Control tokens hidden when decoding, and tokens that stay visible.
    specials: tuple[str, ...]
    visible: tuple[str, ...]
    template: str
    chat_before: str
    chat_between: str
    chat_end: str
    chat_join: str
    vocab_size: int
    seed: int
    steps: int = 1400
    # How much more often than the others the family reads story sums.
    stories: float = 1.0
    # A distilled model starts from another family's weights and vocabulary, as DeepSeek's starts
    # from Qwen's.
    base: str | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """Tokens that end a generation."""
        return tuple(dict.fromkeys((self.chat_end, self.eos)))


FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="tiny-qwen",
            architecture="qwen2",
            chinese=0.5,
            thinks=False,
            bos=None,
            eos="<|endoftext|>",
            pad="<|endoftext|>",
            specials=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
            visible=(),
            template=QWEN_TEMPLATE,
            chat_before="<|im_start|>user\n",
            chat_between="<|im_end|>\n<|im_start|>assistant\n",
            chat_end="<|im_end|>",
            chat_join="\n",
            vocab_size=1536,
            seed=11,
        ),
        Family(
            name="tiny-llama",
            architecture="llama",
            chinese=0.12,
            thinks=False,
            bos="<|begin_of_text|>",
            eos="<|end_of_text|>",
            pad="<|end_of_text|>",
            specials=(
                "<|begin_of_text|>",
                "<|end_of_text|>",
                "<|start_header_id|>",
                "<|end_header_id|>",
                "<|eot_id|>",
            ),
            visible=(),
            template=LLAMA_TEMPLATE,
            chat_before="<|start_header_id|>user<|end_header_id|>\n\n",
            chat_between="<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
            chat_end="<|eot_id|>",
            chat_join="",
            vocab_size=1280,
            seed=22,
        ),
        Family(
            name="tiny-deepseek-distill",
            architecture="qwen2",
            chinese=0.5,
            thinks=True,
            bos="<｜begin▁of▁sentence｜>",
            eos="<｜end▁of▁sentence｜>",
            pad="<｜end▁of▁sentence｜>",
            specials=("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"),
            visible=("<think>", "</think>"),
            template=DEEPSEEK_TEMPLATE,
            chat_before="<｜User｜>",
            chat_between="<｜Assistant｜>",
            chat_end="<｜end▁of▁sentence｜>",
            chat_join="",
            vocab_size=1536,
            seed=33,
            steps=900,
            stories=2.5,
            base="tiny-qwen",
        ),
    )
}
