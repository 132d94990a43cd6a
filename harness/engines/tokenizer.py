"""Text to token ids and back, by the same rules as lm-eval 0.4.13's HFLM, but each distinct line
encoded once and in batches.

Sources: lm_eval ``models/huggingface.py`` (tok_encode, tok_batch_encode, apply_chat_template),
``api/model.py`` (_encode_pair, loglikelihood) and ``models/utils.py`` (has_bos_prefix).
transformers is imported when a tokenizer is loaded.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.fidelity import load_faithfully
from harness.engines.files import ModelFiles
from harness.engines.folding import FoldedMessages, adapt
from harness.engines.pieces import PieceEncoder
from harness.engines.protocol import Message
from harness.engines.seams import OptionPairs, Split, settle
from harness.engines.seams import Pair as Pair  # also found here
from harness.engines.template import thinking_options
from harness.errors import ModelError
from harness.sanity import Finding


def load_tokenizer(spec: ModelSpec, files: ModelFiles) -> TextEncoder:
    """The model's tokenizer from its local files.

    Raises ModelError, one line, when it is missing or cannot be read.
    """
    return read_tokenizer(spec, files.tokenizer)


def read_tokenizer(spec: ModelSpec, folder: Path) -> TextEncoder:
    """The tokenizer in a folder, which need not hold a model.

    Raises ModelError, one line, when it is missing or cannot be read.
    """
    from transformers.utils import logging as transformers_logging

    loudness = transformers_logging.get_verbosity()
    # it warns of another family's wrong pattern at every tokenizer in a local folder
    transformers_logging.set_verbosity_error()
    try:
        loaded = load_faithfully(folder, spec.label, spec.trust_remote_code)
    finally:
        transformers_logging.set_verbosity(loudness)
    return TextEncoder(loaded.raw, spec.label, loaded.findings, loaded.rebuilt)


class TextEncoder:
    """Encodes and decodes text.

    ``raw`` is the transformers tokenizer; ``prefix_id`` (BOS, else EOS) stands for an empty
    context. ``findings``: what loading it showed; ``rebuilt``: others who load its folder may get
    another tokenizer (see `fidelity`).
    """

    def __init__(
        self, raw: Any, name: str = "model", findings: tuple[Finding, ...] = (), rebuilt: bool = False
    ) -> None:
        self.raw = raw
        self.name = name
        self.findings = findings
        self.rebuilt = rebuilt

        self.bos_id: int | None = raw.bos_token_id
        self.eos_id: int | None = raw.eos_token_id
        prefix: int | None = raw.eos_token_id if raw.bos_token_id is None else raw.bos_token_id
        self._prefix_id = prefix
        self._prefix_text: str | None = None if prefix is None else raw.decode(prefix)
        self._pieces = PieceEncoder(raw)
        self._holding: dict[frozenset[str], dict[int, bool]] = {}
        self._markers: dict[tuple[str, ...], frozenset[int]] = {}

        added = getattr(raw, "added_tokens_decoder", {})
        # What decoding drops: more than `all_special_ids`, which names only the tokens that have a
        # part (BOS, EOS …).
        self.special_ids: frozenset[int] = frozenset(
            {*raw.all_special_ids, *(token for token, one in added.items() if one.special)}
        )

    @property
    def prefix_id(self) -> int:
        """The token that an empty text is conditioned on.

        Raises ModelError when the tokenizer has neither BOS nor EOS.
        """
        if self._prefix_id is None:
            raise ModelError(
                f"{self.name}: the tokenizer has neither a BOS nor an EOS token, so an empty "
                "context cannot be scored"
            )
        return self._prefix_id

    @property
    def eos_text(self) -> str:
        """The EOS token as text, "" when there is none: lm-eval ends a generation on it too."""
        return "" if self.eos_id is None else str(self.raw.decode(self.eos_id, skip_special_tokens=False))

    def encode(self, texts: Iterable[str]) -> dict[str, list[int]]:
        """Token ids by text, each distinct text once.

        The tokenizer adds its special tokens unless the text begins with BOS itself.
        """
        distinct = list(dict.fromkeys(texts))
        begun = [
            text for text in distinct if self._prefix_text is not None and text.startswith(self._prefix_text)
        ]

        skip = set(begun)
        return self._batch([text for text in distinct if text not in skip], special=True) | self._batch(
            begun, special=False
        )

    def encode_plain(self, texts: Iterable[str]) -> dict[str, list[int]]:
        """Token ids by text, without special tokens."""
        return self._batch(list(dict.fromkeys(texts)), special=False)

    def _batch(self, texts: list[str], special: bool) -> dict[str, list[int]]:
        if not texts:
            return {}
        if self._pieces.usable and len(texts) > 1:
            return self._pieces.encode(texts, special)

        encoded = self.raw(
            texts,
            add_special_tokens=special,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        return dict(zip(texts, encoded["input_ids"], strict=True))

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> list[Pair]:
        """Token ids of (context, continuation) pairs, each as a document of its own.

        Raises ModelError as `options` does.
        """
        return [options.pairs[0] for options in self.options([[pair] for pair in pairs])]

    def options(self, documents: Sequence[Sequence[tuple[str, str]]]) -> list[OptionPairs]:
        """Token ids of documents' (context, continuation) pairs.

        Spaces that end a context belong to its continuation; the whole is encoded and split at the
        context's length. An empty context is the prefix token, which the continuation itself may
        begin with. Where an option would have no token of its own, the rules of `seams` hold.
        Raises ModelError where they need a token that the tokenizer does not have.
        """
        pairs = [pair for document in documents for pair in document]
        shifted = [_shift_spaces(context, continuation) for context, continuation in pairs]
        texts = [
            text for context, continuation in shifted if context for text in (context, context + continuation)
        ]
        texts += [
            context + continuation
            for (written, _), (context, continuation) in zip(pairs, shifted, strict=True)
            if written and not context
        ]

        # One call for all texts: equal ones are encoded once, the others in one batch.
        encoded = self.encode(texts)
        plain = self.encode_plain(continuation for context, continuation in pairs if not context)
        splits = iter(
            self._split(context, continuation, encoded) if written else self._split_alone(plain[continuation])
            for (written, _), (context, continuation) in zip(pairs, shifted, strict=True)
        )
        contexts = iter(context for context, _ in shifted)

        try:
            return [
                settle(
                    [next(splits) for _ in document],
                    [next(contexts) for _ in document],
                    self._prefix_id,
                    self.eos_id,
                )
                for document in documents
            ]
        except ValueError as error:
            raise ModelError(f"{self.name}: {error}") from error

    def _split(self, context: str, continuation: str, encoded: dict[str, list[int]]) -> Split:
        whole = encoded[context + continuation]
        if context and (head := encoded[context]):
            return Split(
                head, whole
            )  # the head as encoded alone, even where the whole merges across the seam: lm-eval's way
        # A context of spaces only, on which lm-eval fails: condition on the prefix token.
        return Split([self.prefix_id], whole if whole[:1] == [self.prefix_id] else [self.prefix_id, *whole])

    def _split_alone(self, ids: list[int]) -> Split:
        """An option after an empty context, encoded without special tokens.

        It may begin with the prefix token, not be it.
        """
        begun = len(ids) > 1 and ids[0] == self.prefix_id
        return Split([self.prefix_id], ids if begun else [self.prefix_id, *ids])

    def may_hold(self, token: int, characters: frozenset[str]) -> bool:
        """Whether a token, somewhere in a text, may write or complete one of the characters."""
        answers = self._holding.setdefault(characters, {})
        if token not in answers:
            text = self.decode([token], skip_special=False)
            # A part of a character, or nothing by itself: what it writes depends on its neighbours,
            # as spaces do in some vocabularies.
            answers[token] = (
                not text or "\ufffd" in text or " " in characters or any(sign in text for sign in characters)
            )
        return answers[token]

    def marker_ids(self, markers: tuple[str, ...]) -> frozenset[int]:
        """The special tokens of which the markers of a thought are made."""
        if markers not in self._markers:
            written = {token: self.decode([token], skip_special=False) for token in self.special_ids}
            self._markers[markers] = frozenset(
                token
                for token, text in written.items()
                if text.strip() and any(text in marker for marker in markers)
            )
        return self._markers[markers]

    def decode(self, ids: Sequence[int], skip_special: bool = True) -> str:
        """Text of token ids."""
        return str(self.raw.decode(list(ids), skip_special_tokens=skip_special))


def _shift_spaces(context: str, continuation: str) -> tuple[str, str]:
    """Moves white space from the context's end to the continuation's start.

    lm-eval's ``_encode_pair`` does the same.
    """
    stripped = context.rstrip()
    return stripped, context[len(stripped) :] + continuation


class ChatTemplate:
    """Renders messages by the tokenizer's own template, as HFLM.apply_chat_template does.

    Raises ModelError when there is none.
    """

    def __init__(
        self, encoder: TextEncoder, thinking: bool | None = None, date: datetime.date | None = None
    ) -> None:
        self._raw = encoder.raw
        # Without a pinned date a template that asks for today's would ask something else every day.
        self._clock: dict[str, Any] = {}
        if date is not None:  # Llama's templates take a date_string, others ask the clock
            self._clock = {"strftime_now": date.strftime, "date_string": date.strftime("%d %b %Y")}
        self._date = date

        template = getattr(self._raw, "chat_template", None)
        if not template:
            raise ModelError(
                f"{encoder.name}: its tokenizer has no chat template; say chat_template: false, "
                "or name an instruct model"
            )
        self.source: str = template if isinstance(template, str) else str(template.get("default", template))
        self._options = thinking_options(self.source, thinking)
        self.adapted = FoldedMessages()
        """What was done to the messages of the prompt rendered last."""

    def __call__(self, messages: Sequence[Message], add_generation_prompt: bool = True) -> str:
        """The prompt as text.

        Without ``add_generation_prompt`` the last message is left open, to be continued. What a
        template refuses or leaves out is brought in by `harness.engines.folding`; ``adapted`` says
        how. Raises ModelError when it refuses every form.
        """
        prompt, self.adapted = adapt(messages, lambda tried: self._render(tried, add_generation_prompt))
        return prompt

    def _render(self, messages: list[Message], add_generation_prompt: bool) -> str:
        return str(
            self._raw.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=not add_generation_prompt,
                **self._options,
                **self._clock,
            )
        )
