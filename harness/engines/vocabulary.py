"""Token ids that a prompt may be made of without saying anything: no special tokens, none without
an embedding.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.engines.protocol import Engine

_ANY = range(1000)


def plain_ids(engine: Engine) -> Sequence[int]:
    """The ids of the engine's tokenizer apart from its special and added tokens, sorted.

    The first thousand where an engine has no tokenizer (the mock).
    """
    encoder, text = getattr(engine, "encoder", None), getattr(engine, "_text", None)
    if encoder is None:
        return _ANY
    raw = encoder.raw
    special = set(getattr(raw, "all_special_ids", ())) | set(getattr(raw, "added_tokens_decoder", {}))
    rows = getattr(text, "rows", None)
    return sorted(index for index in set(raw.get_vocab().values()) - special if rows is None or index < rows)
