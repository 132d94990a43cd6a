"""The log-probabilities of a prompt that the test server tells: the model's own, or falsified."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from support.endpoint import Server

# One for all servers: tests share a loaded model, and a request to the server before may still be
# at work when the next one starts.
MODEL_LOCK = threading.Lock()


def _logprobs(server: Server, ids: list[int]) -> torch.Tensor:
    """[tokens - 1, vocabulary]: of each next token.

    ``wrong`` shifts each token's figure by another amount, as a broken kernel would.
    """
    with MODEL_LOCK, torch.inference_mode():
        logits = server.engine._model(input_ids=torch.tensor([ids])).logits[0, :-1].float()
        if server.behaviour.wrong:
            logits = logits + server.behaviour.wrong * torch.sin(torch.arange(logits.shape[-1]))
        return torch.log_softmax(logits, dim=-1)


def prompt_logprobs(server: Server, ids: list[int]) -> list[dict[str, Any] | None]:
    """vLLM's: of each token its own and the likeliest."""
    if server.behaviour.padding:
        return [
            None,
            *(
                {str(token): {"logprob": value, "rank": 1}}
                for token, value in zip(ids[1:], _padded(server, ids), strict=True)
            ),
        ]
    rows: list[dict[str, Any] | None] = [None]
    for token, row in zip(ids[1:], _logprobs(server, ids), strict=True):
        best = int(row.argmax())
        rank = int((row > row[token]).sum()) + 1
        entry = {
            str(token): {
                "logprob": float(row[token]),
                "rank": rank,
                "decoded_token": server.engine.encoder.decode([token], False),
            }
        }
        entry.setdefault(
            str(best),
            {
                "logprob": float(row[best]),
                "rank": 1,
                "decoded_token": server.engine.encoder.decode([best], False),
            },
        )
        rows.append(entry)
    return rows


def echo(server: Server, ids: list[int]) -> dict[str, Any]:
    """The prompt's tokens, and one more for the generated token."""
    if server.behaviour.padding:
        padded = _padded(server, ids)
        return {
            "token_logprobs": [None, *padded, -1.0],
            "top_logprobs": [None, *({"x": value} for value in padded), {"x": -1.0}],
        }
    values: list[float | None] = [None]
    tops: list[dict[str, float] | None] = [None]
    for token, row in zip(ids[1:], _logprobs(server, ids), strict=True):
        values.append(float(row[token]))
        tops.append({server.engine.encoder.decode([int(row.argmax())], False): float(row.max())})
    return {
        "tokens": [""] * (len(ids) + 1),
        "token_logprobs": [*values, -1.0],
        "top_logprobs": [*tops, {"x": -1.0}],
    }


def _padded(server: Server, ids: list[int]) -> list[float]:
    """Figures for all tokens but the first that are not the model's, or not of these tokens."""
    right = [float(row[token]) for token, row in zip(ids[1:], _logprobs(server, ids), strict=True)]
    kind, count = server.behaviour.padding, len(ids) - 1
    if kind == "noise":
        return [float(value) for value in -10 * torch.rand(count)]
    if kind == "shifted left":
        return [*right[1:], -1.0]
    if kind == "shifted right":
        return [-1.0, *right[:-1]]
    if kind == "by token":
        return [-float(token % 97) / 9 - 0.1 for token in ids[1:]]
    if kind == "last only":
        return [*[0.0] * (count - 1), right[-1]]
    if kind == "index":
        return [-0.1 * place for place in range(count)]
    return [{"zeros": 0.0, "ones": -1.0, "tiny": -1e-9, "vocabulary": -11.93}[str(kind)]] * count
