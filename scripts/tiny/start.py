"""A structured start for attention.

Looking things up in the context takes two layers that fit each other: one that notes which tokens
came just before, one that matches those notes. From a random start a model of this size finds the
pair only after tens of millions of tokens, which two processor cores do not read in minutes. So the
first layer starts with heads that look 1 to 4 tokens back, and the others with heads that match and
copy; training does the rest. See Trockman and Kolter, "Mimetic Initialization of Self-Attention
Layers" (2023), for the idea.

The residual stream is divided at the start only: the first half holds the token, the second half
four notes of NOTE numbers, one for each distance back.
"""

from __future__ import annotations

from typing import Any

import torch

NOTE = 16
HEAD = 32
SPREAD = 0.2  # Standard deviation of the embeddings.
PEAK = 6.5  # Length of the constant queries and keys that pick a distance.
MATCH = 1.6  # Scale of the queries and keys that match tokens.
COPY = 0.5  # Scale of the values and outputs.
# Query, key and value sources of the heads of each later layer: 0 is the token, d the note of the
# token d back. One row is a group that shares keys and values: (key source, value source, query
# sources).
GROUPS = (
    ((1, 0, (0, 2)), (0, 1, (1, 0))),
    ((2, 0, (1, 0)), (0, 2, (1, 2))),
    ((3, 0, (2, 1)), (0, 3, (1, 0))),
)


def _reader(source: int, code: torch.Tensor) -> torch.Tensor:
    """The NOTE x width matrix that reads one source from the residual stream."""
    half = code.shape[1]
    matrix = torch.zeros(NOTE, 2 * half)
    if source == 0:
        matrix[:, :half] = code
    else:
        first = half + NOTE * (source - 1)
        matrix[:, first : first + NOTE] = torch.eye(NOTE)
    return matrix


def _look_back(layer: Any, code: torch.Tensor, theta: float) -> None:
    """Make head h of the layer note the token h + 1 back."""
    attention, pairs = layer.self_attn, torch.arange(6)
    speeds = theta ** (-pairs / (HEAD / 2))
    for projection in (attention.q_proj, attention.k_proj):
        projection.weight.normal_(0, 0.01)
        projection.bias.zero_()
    attention.v_proj.weight.normal_(0, 0.02)
    attention.o_proj.weight.normal_(0, 0.02)

    # Rotary positions turn this bias back by head + 1 tokens, where it meets the keys' bias.
    for head in range(4):
        at = head * HEAD + pairs
        attention.q_proj.bias[at] = PEAK * torch.cos((head + 1) * speeds)
        attention.q_proj.bias[at + HEAD // 2] = -PEAK * torch.sin((head + 1) * speeds)

        half, first = code.shape[1], head * HEAD
        attention.o_proj.weight[:, first : first + NOTE] = 0.0
        rows = half + NOTE * head
        attention.o_proj.weight[rows : rows + NOTE, first : first + NOTE] = COPY * torch.eye(NOTE)

    for group in range(2):
        attention.k_proj.bias[group * HEAD + pairs] = PEAK
        attention.v_proj.weight[group * HEAD : group * HEAD + NOTE] = COPY * _reader(0, code)


def _match_and_copy(
    layer: Any, code: torch.Tensor, groups: tuple[tuple[int, int, tuple[int, int]], ...]
) -> None:
    """Make the layer's heads attend where sources agree, and copy what stands there into the token
    half.
    """
    attention, half = layer.self_attn, code.shape[1]
    # Slow rotary pairs: they hardly turn within a prompt, so what they compare is content and not
    # distance.
    slow = torch.cat([torch.arange(8, 16), torch.arange(24, 32)])
    for projection in (attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj):
        projection.weight.normal_(0, 0.02)
    for number, (key, value, queries) in enumerate(groups):
        first = number * HEAD
        attention.k_proj.weight[first + slow] = MATCH * _reader(key, code)
        attention.v_proj.weight[first : first + NOTE] = COPY * _reader(value, code)
        for n, query in enumerate(queries):
            at = (2 * number + n) * HEAD
            attention.q_proj.weight[at + slow] = MATCH * _reader(query, code)
            attention.o_proj.weight[:half, at : at + NOTE] = COPY * code.T


@torch.no_grad()
def wire(model: Any) -> None:
    """Give a fresh model of four heads of 32 and hidden size 128 the structured start."""
    width = model.config.hidden_size
    code = torch.linalg.qr(torch.randn(width // 2, NOTE))[0].T
    table = model.get_input_embeddings().weight
    table.zero_()
    table[:, : width // 2].normal_(0, SPREAD)
    table[:, width // 2 :].normal_(0, 0.1 * SPREAD)
    model.model.norm.weight.fill_(0.15)
    layers = model.model.layers
    _look_back(layers[0], code, 10000.0)
    for layer, groups in zip(layers[1:], GROUPS, strict=True):
        _match_and_copy(layer, code, groups)
    for layer in layers:
        layer.mlp.gate_proj.weight.normal_(0, 0.06)
        layer.mlp.up_proj.weight.normal_(0, 0.06)
        layer.mlp.down_proj.weight.normal_(0, 0.02)
