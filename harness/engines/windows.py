"""What of a text goes into a model's window: rules of lm-eval 0.4.13 that every engine shares. Token ids in, token ids out."""

from __future__ import annotations

from collections.abc import Sequence

from harness.engines.tokenizer import Pair


def rolling_windows(tokens: list[int], prefix: int, window: int) -> list[Pair]:
    """Disjoint windows that predict every token once: lm-eval's ``get_rolling_token_windows`` (context 1) with ``make_disjoint_window``.

    The first window predicts its tokens from ``prefix``; each later one is as full as the model's window and predicts only what is new.
    """
    pairs: list[Pair] = []
    if tokens:
        pairs.append(([prefix], tokens[:window]))
    done = window
    while done < len(tokens):
        size = min(len(tokens) - done, window)
        end = done + size
        start = end - window - 1
        pairs.append((tokens[start : end - size], tokens[end - size : end]))
        done = end
    return pairs


def fit_prompt(prompt: Sequence[int], max_tokens: int, window: int) -> tuple[Sequence[int], int]:
    """(the prompt cut from the left, how many tokens may be generated): lm-eval keeps ``window - max_tokens``.

    A budget as large as the window, on which lm-eval fails, reserves half of it and may use what the prompt leaves.
    """
    reserve = max_tokens if max_tokens < window else max(1, window // 2)
    kept = prompt[-max(1, window - reserve) :]
    return kept, max(1, min(max_tokens, window - len(kept)))
