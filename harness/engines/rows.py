"""Which inputs answer which continuations: the same windows for every engine that scores token ids."""

from __future__ import annotations

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
