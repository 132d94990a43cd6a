"""Keys and values of a continuous batch: each row's own in a slot, shared prompts once for all.

A row's own keys stand in a rectangle [slots, length, KV heads, d] per layer, so one fused kernel
call serves many rows. What rows share (the few-shot examples before every question) is not copied
into their slots: they attend to it together, and the parts are merged by log-sums (`kernels`). A
row that leaves is replaced by the last one, so the rows in use are always the first slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from harness.engines.transformers.kernels import (
    KeysValues,
    fused_attention,
    grouped_attention,
    merge_parts,
)
from harness.engines.transformers.memory import unless_out_of_memory
from harness.engines.transformers.transfer import send

Segments = list[list[KeysValues]]
"""Consecutive stretches of a prompt, each a list with one entry per layer: keys and values [tokens,
KV heads, d].
"""

_GROWTH = 64  # tokens: slots grow by so many at least
_GROUP = 32  # rows per kernel call, which is as long as the longest of them


@dataclass(slots=True, eq=False)
class SharedSegment:
    """A stretch of prompt that several rows attend to: keys and values, one entry per layer."""

    layers: list[KeysValues]


@dataclass(slots=True)
class SlotRow:
    """One slot: tokens of its own so far, and what it shares with others."""

    length: int
    shared: list[SharedSegment]


@dataclass(slots=True)
class SlotCache:
    """The cache of a continuous batch; ``rows[i]`` is slot i.

    Memory grows with the rows and with the longest of them, and is given back with the object.
    """

    rows: list[SlotRow] = field(default_factory=list)
    _layers: list[KeysValues] = field(default_factory=list)

    @torch.inference_mode()
    def enter(self, own: Segments, shared: list[SharedSegment]) -> int:
        """Adds a row, in the slot after the last, which is returned."""
        length = sum(int(segment[0][0].shape[0]) for segment in own)
        row = len(self.rows)
        for layer in range(len(own[0]) if own else 0):
            keys, values = (
                torch.cat([segment[layer][side] for segment in own]) if len(own) > 1 else own[0][layer][side]
                for side in (0, 1)
            )
            store = self._reserve(layer, keys, values, row + 1, length)
            store[0][row, :length] = keys
            store[1][row, :length] = values

        # Last, so that memory that runs out above leaves no row behind.
        self.rows.append(SlotRow(length, shared))
        return row

    @torch.inference_mode()
    def leave(self, row: int, wipe: bool = False) -> None:
        """Frees a slot; the last row moves into it.

        ``wipe``: the row held NaN or infinity, which would spoil the slot's next row even where
        attention hides them from it (0 × NaN).
        """
        last = self.rows.pop()
        for keys, values in self._layers if wipe else ():
            keys[row] = 0
            values[row] = 0

        # Rows in use stay the first ones, so a kernel call takes a slice of the store and no list.
        if row < len(self.rows):
            for keys, values in self._layers:
                keys[row, : last.length] = keys[len(self.rows), : last.length]
                values[row, : last.length] = values[len(self.rows), : last.length]
            self.rows[row] = last

    def undo_step(self, lengths: Sequence[int]) -> None:
        """Takes back a step that failed; ``lengths`` are those of the rows before it."""
        for row, length in zip(self.rows, lengths, strict=True):
            row.length = length

    @torch.inference_mode()
    def shrink(self) -> None:
        """Gives back the memory of slots that no row uses, as far as there is room to copy."""
        count, length = len(self.rows), max((row.length for row in self.rows), default=0)
        # One layer at a time, since this is called when memory is short: old and new copies of all
        # layers together would not fit. Copies they must be: a slice would keep the whole store alive.
        for index, (keys, values) in enumerate(self._layers):
            if keys.shape[:2] == (count, length):
                continue
            smaller = unless_out_of_memory(_first, (keys, values), count, length)
            if smaller is None:
                return
            self._layers[index] = smaller

    def step(self) -> DecodeStep:
        """The attention of the next forward call, one token per row; it makes each row longer."""
        for row in self.rows:
            row.length += 1
        return DecodeStep(self, [row.length for row in self.rows], _sharers(self.rows))

    def _reserve(self, layer: int, keys: Tensor, values: Tensor, rows: int, length: int) -> KeysValues:
        """The store of a layer, with at least so many rows and tokens.

        ``keys``, ``values``: [..., KV heads, d], as they will be put in.
        """
        if layer == len(self._layers):
            empty = tuple(part.new_zeros(0, 0, *part.shape[-2:]) for part in (keys, values))
            self._layers.append((empty[0], empty[1]))

        old = self._layers[layer]
        if old[0].shape[0] < rows or old[0].shape[1] < length:
            # Rows double and tokens grow by a quarter, so that copying stays a constant share of
            # all writing, whatever the number of steps.
            slots = old[0].shape[0] if old[0].shape[0] >= rows else max(rows, 2 * old[0].shape[0])
            tokens = old[0].shape[1] if old[0].shape[1] >= length else max(length + _GROWTH, length * 5 // 4)
            self._layers[layer] = _enlarged(old[0], slots, tokens), _enlarged(old[1], slots, tokens)
        return self._layers[layer]


class DecodeStep:
    """One token for every row, as an `attention.AttentionPlan`.

    Each layer writes a row's key and value into its slot; then the row attends to it and to what it
    shares. ``sharers``: shared segments, each with the rows that attend to it (None: all).
    """

    def __init__(
        self, cache: SlotCache, lengths: list[int], sharers: list[tuple[SharedSegment, Tensor | None]]
    ) -> None:
        self._cache = cache
        self._lengths = torch.tensor(lengths)
        self._longest = max(lengths)
        self._sharers = sharers
        self._sharing: dict[tuple[int, torch.device], Tensor] = {}
        self._indices: dict[Any, tuple[Tensor, Tensor, Tensor]] = {}
        self._layer = 0

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        """See `attention.AttentionPlan`; T is the number of rows."""
        layer, self._layer = self._layer, self._layer + 1
        store = self._cache._reserve(layer, keys, values, len(queries), self._longest)
        rows, last, bias = self._row_indices(queries)
        store[0][rows, last] = keys
        store[1][rows, last] = values

        # The query heads of a KV head are the kernel's query length, so that grouped heads are
        # answered without repeating keys.
        out = queries.new_empty(*queries.shape[:-1], values.shape[-1])
        sums = torch.empty(queries.shape[:-1], device=queries.device, dtype=torch.float32)
        for group, length in self._groups(queries.device):
            own = store[0][group, :length].transpose(1, 2), store[1][group, :length].transpose(1, 2)
            out[group], sums[group] = fused_attention(queries[group], *own, scale, bias[group, ..., :length])

        for segment, sharing in self._sharers:
            there = None if sharing is None else self._index_on(sharing, queries.device)
            self._add_shared(out, sums, queries, segment.layers[layer], there, scale)
        return out

    def _groups(self, device: torch.device) -> list[tuple[slice, int]]:
        """Rows that are answered by one kernel call, with their longest text."""
        # On a GPU a call costs more than the products with keys that a mask hides.
        size = len(self._lengths) if device.type == "cuda" else _GROUP

        # Groups end at the last row, not at the last slot: CUDA's kernel needs as many keys as
        # queries, and slots may outnumber rows.
        count = len(self._lengths)
        return [
            (slice(low, min(low + size, count)), int(self._lengths[low : low + size].max()))
            for low in range(0, count, size)
        ]

    def _index_on(self, rows: Tensor, device: torch.device) -> Tensor:
        """The rows that share a segment, on the device of a layer: copied once, not once per layer."""
        key = id(rows), device
        if key not in self._sharing:
            self._sharing[key] = send(rows, device)
        return self._sharing[key]

    @staticmethod
    def _add_shared(
        out: Tensor, sums: Tensor, queries: Tensor, shared: KeysValues, rows: Tensor | None, scale: float
    ) -> None:
        """Merges a shared segment into the outputs of its rows, in place."""
        # All rows are the many queries of one call: the segment is read once, not once per row.
        chosen = queries if rows is None else queries[rows]
        part, part_sums = grouped_attention(chosen, *shared, scale, None, causal=False)
        part, part_sums = part.permute(2, 1, 0, 3), part_sums.permute(2, 1, 0)

        if rows is None:
            merge_parts(out, sums, part, part_sums)
        else:
            # Indexing by a list copies, so the merged rows are written back.
            some, some_sums = out[rows], sums[rows]
            merge_parts(some, some_sums, part, part_sums)
            out[rows], sums[rows] = some, some_sums

    def _row_indices(self, queries: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(slots in use, index of each row's last token, bias that hides what lies beyond it).

        The bias is [rows, KV heads, group, longest]. Made once per device, not once per layer.
        """
        device = queries.device
        if device not in self._indices:
            lengths = send(self._lengths, device)
            hidden = torch.arange(self._longest, device=device)[None, :] >= lengths[:, None]

            # CUDA's kernel needs rows of the bias aligned to 16 bytes.
            width = -(-self._longest // 8) * 8
            bias = torch.zeros(len(lengths), 1, 1, width, dtype=queries.dtype, device=device)
            bias = bias[..., : self._longest]
            bias[:, 0, 0].masked_fill_(hidden, float("-inf"))
            rows = torch.arange(len(lengths), device=device)
            bias = bias.expand(-1, queries.shape[1], queries.shape[2], -1)
            self._indices[device] = rows, lengths - 1, bias
        return self._indices[device]


def _sharers(rows: Sequence[SlotRow]) -> list[tuple[SharedSegment, Tensor | None]]:
    """Each shared segment with the rows that attend to it; None: all of them."""
    by_segment: dict[int, tuple[SharedSegment, list[int]]] = {}
    for index, row in enumerate(rows):
        for segment in row.shared:
            by_segment.setdefault(id(segment), (segment, []))[1].append(index)
    return [
        (segment, None if len(users) == len(rows) else torch.tensor(users))
        for segment, users in by_segment.values()
    ]


def _first(layer: KeysValues, slots: int, tokens: int) -> KeysValues:
    """A copy of a layer's first slots and tokens."""
    keys, values = layer
    return keys[:slots, :tokens].clone(), values[:slots, :tokens].clone()


def _enlarged(old: Tensor, slots: int, tokens: int) -> Tensor:
    # Zeros, not empty memory: hidden keys are still multiplied, and a NaN among them spoils all.
    new = old.new_zeros(slots, tokens, *old.shape[2:])
    new[: old.shape[0], : old.shape[1]] = old
    return new
