"""Byte-level BPE tokenizers for the families.

Digits and Chinese characters are split one by one before the byte-level step, so a word is cut the
same way in a passage and in an answer.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Tokenizer

from tiny.corpus import DRILLS, stream
from tiny.families import FAMILIES, Family

WINDOW = 4096  # Longest input in tokens, as in the models' configuration.
SAMPLE = 6000  # Documents a tokenizer is trained on.


def _text_only(family: Family) -> list[str]:
    """Sample documents without the control tokens; a distilled family cuts words as its base
    does.
    """
    family = FAMILIES[family.base] if family.base else family
    hidden = (*family.specials, *family.visible)
    texts = []
    for doc in islice(stream(family, seed=-1, start=DRILLS[1]), SAMPLE):
        text = doc.text
        for token in hidden:
            text = text.replace(token, "")
        texts.append(text)
    return texts


def train_tokenizer(family: Family) -> PreTrainedTokenizerFast:
    """Train the family's tokenizer on its own mix of languages."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )

    core.decoder = decoders.ByteLevel()

    trainer: Any = trainers.BpeTrainer(
        vocab_size=family.vocab_size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )

    # Special tokens are added after training, whose texts have none of them.
    core.train_from_iterator(_text_only(family), trainer)
    core.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in family.specials])
    core.add_tokens([AddedToken(token, special=False, normalized=False) for token in family.visible])
    if family.bos:
        bos_id = core.token_to_id(family.bos)
        core.post_processor = processors.TemplateProcessing(
            single=f"{family.bos} $A", pair=f"{family.bos} $A $B", special_tokens=[(family.bos, bos_id)]
        )

    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=family.bos,
        eos_token=family.eos,
        pad_token=family.pad,
        chat_template=family.template,
        model_max_length=WINDOW,
        clean_up_tokenization_spaces=False,
    )


def in_qwen2_layout(family: Family, tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """The tokenizer as every release of transformers and vLLM will apply it to a model of type
    qwen2.

    Transformers 5 gives such models Qwen2's own text splitting whatever tokenizer.json says, older
    releases and vLLM follow the file: so the file says Qwen2's. Items are cut as in training but
    for blank lines in English, which are one token here and two there.
    """
    layout = json.loads(tokenizer.backend_tokenizer.to_str())
    qwen2 = json.loads(Qwen2Tokenizer().backend_tokenizer.to_str())
    layout["pre_tokenizer"], layout["normalizer"] = qwen2["pre_tokenizer"], qwen2["normalizer"]
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(layout)),
        bos_token=family.bos,
        eos_token=family.eos,
        pad_token=family.pad,
        unk_token=family.eos,
        chat_template=family.template,
        model_max_length=WINDOW,
        clean_up_tokenization_spaces=False,
    )
