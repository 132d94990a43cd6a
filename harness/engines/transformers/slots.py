"""Keys and values of a continuous batch: each row's own in a slot, prompts that rows share once for
all of them.

A row's own keys stand in a rectangle [slots, length, KV heads, d] a layer, so a fused kernel call
answers many rows; what rows share (the few-shot examples before every question) is not copied into
their slots but looked at together, and merged by log-sums (`attention.merge`). A row that leaves is
replaced by the last one, so the rows in use are always the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from harness.engines.transformers.attention import KeysValues, attend, kernel, merge
from harness.engines.transformers.memory import unless_out_of_memory

Parts = list[list[KeysValues]]
"""Consecutive stretches of a prompt, each a list with an entry a layer: keys and values [tokens, KV
heads, d].
"""

_STEP = 64  # tokens: slots grow by so many at least
_GROUP = 32  # rows of a kernel call, which is as long as the longest of them


@dataclass(slots=True, eq=False)
class Shared:
    """A stretch of prompt that several rows look at: ``kept`` has an entry a layer."""

    kept: list[KeysValues]


@dataclass(slots=True)
class SlotRow:
    """One slot: tokens of its own so far, and what it shares with others."""

    length: int
    shared: list[Shared]


@dataclass(slots=True)
class Slots:
    """``rows[i]`` is slot i.

    Memory grows with the rows and with the longest of them, and is given back with the object.
    """

    rows: list[SlotRow] = field(default_factory=list)
    _layers: list[KeysValues] = field(default_factory=list)

    @torch.inference_mode()
    def enter(self, own: Parts, shared: list[Shared]) -> int:
        """A new row, in the slot after the last, which is returned."""
        length = sum(int(part[0][0].shape[0]) for part in own)
        row = len(self.rows)
        for layer in range(len(own[0]) if own else 0):
            keys, values = (
                torch.cat([part[layer][side] for part in own]) if len(own) > 1 else own[0][layer][side]
                for side in (0, 1)
            )
            store = self._room(layer, keys, values, row + 1, length)
            store[0][row, :length] = keys
            store[1][row, :length] = values
        self.rows.append(SlotRow(length, shared))
        return row

    @torch.inference_mode()
    def leave(self, row: int, wipe: bool = False) -> None:
        """Frees a slot; the last row moves into it. ``wipe``: the row held numbers that are none,
        which would spoil the slot's next row even where they are hidden from it (0 × NaN).
        """
        last = self.rows.pop()
        for keys, values in self._layers if wipe else ():
            keys[row] = 0
            values[row] = 0
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
        # layers together would not fit.
        for index, (keys, values) in enumerate(self._layers):
            if keys.shape[:2] == (count, length):
                continue
            smaller = unless_out_of_memory(_first, (keys, values), count, length)
            if smaller is None:
                return
            self._layers[index] = smaller

    def step(self) -> Step:
        """What the next forward call, one token a row, attends to.

        Every row is one token longer after it.
        """
        for row in self.rows:
            row.length += 1
        return Step(self, [row.length for row in self.rows], _sharers(self.rows))

    def _room(self, layer: int, keys: Tensor, values: Tensor, rows: int, length: int) -> KeysValues:
        """The store of a layer, with at least so many rows and tokens.

        ``keys``, ``values``: [..., KV heads, d], as they will be put in.
        """
        if layer == len(self._layers):
            empty = tuple(part.new_zeros(0, 0, *part.shape[-2:]) for part in (keys, values))
            self._layers.append((empty[0], empty[1]))
        old = self._layers[layer]
        if old[0].shape[0] < rows or old[0].shape[1] < length:
            slots = old[0].shape[0] if old[0].shape[0] >= rows else max(rows, 2 * old[0].shape[0])
            tokens = old[0].shape[1] if old[0].shape[1] >= length else max(length + _STEP, length * 5 // 4)
            self._layers[layer] = _enlarged(old[0], slots, tokens), _enlarged(old[1], slots, tokens)
        return self._layers[layer]


class Step:
    """One token for every row, for `attention.tree_attention`: writes its key and value into its
    slot, then looks.
    """

    def __init__(self, slots: Slots, lengths: list[int], sharers: list[tuple[Shared, Tensor | None]]) -> None:
        self._slots = slots
        self._lengths = torch.tensor(lengths)
        self._longest = max(lengths)
        count = len(lengths)
        # Slots may outnumber rows; CUDA's kernel wants as many keys as queries.
        self._groups = [
            (slice(low, min(low + _GROUP, count)), max(lengths[low : low + _GROUP]))
            for low in range(0, count, _GROUP)
        ]
        self._sharers = sharers
        self._bias: dict[Any, tuple[Tensor, Tensor, Tensor]] = {}
        self._layer = 0

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        """See `attention.Plan`; T is the number of rows.

        The query heads of a KV head are the kernel's query length.
        """
        layer, self._layer = self._layer, self._layer + 1
        count, longest = len(queries), self._longest
        store = self._slots._room(layer, keys, values, count, longest)
        index, lasts, bias = self._where(queries)
        store[0][index, lasts] = keys
        store[1][index, lasts] = values
        out = queries.new_empty(*queries.shape[:-1], values.shape[-1])
        sums = torch.empty(queries.shape[:-1], device=queries.device, dtype=torch.float32)
        for part, length in self._groups:
            own = store[0][part, :length].transpose(1, 2), store[1][part, :length].transpose(1, 2)
            out[part], sums[part] = kernel(queries[part], *own, scale, bias[part, ..., :length])
        for shared, rows in self._sharers:
            asking = queries if rows is None else queries[rows]
            found, log_sum = attend(asking, *shared.kept[layer], scale, None, causal=False)
            found, log_sum = found.permute(2, 1, 0, 3), log_sum.permute(2, 1, 0)
            if rows is None:
                merge(out, sums, found, log_sum)
            else:
                some, some_sums = out[rows], sums[rows]
                merge(some, some_sums, found, log_sum)
                out[rows], sums[rows] = some, some_sums
        return out

    def _where(self, queries: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(rows, the place of each row's last token, bias [rows, 1, 1, longest] that hides what is
        beyond), once a device.
        """
        device = queries.device
        if device not in self._bias:
            lengths = self._lengths.to(device)
            hidden = torch.arange(self._longest, device=device)[None, :] >= lengths[:, None]
            # CUDA's kernel wants rows of the bias aligned to 16 bytes
            width = -(-self._longest // 8) * 8
            bias = torch.zeros(len(lengths), 1, 1, width, dtype=queries.dtype, device=device)[
                ..., : self._longest
            ]
            bias[:, 0, 0].masked_fill_(hidden, float("-inf"))
            index = torch.arange(len(lengths), device=device)
            self._bias[device] = index, lengths - 1, bias.expand(-1, queries.shape[1], queries.shape[2], -1)
        return self._bias[device]


def _sharers(rows: Sequence[SlotRow]) -> list[tuple[Shared, Tensor | None]]:
    """Each shared stretch with the rows that see it; None: all of them."""
    found: dict[int, tuple[Shared, list[int]]] = {}
    for index, row in enumerate(rows):
        for shared in row.shared:
            found.setdefault(id(shared), (shared, []))[1].append(index)
    return [(shared, None if len(who) == len(rows) else torch.tensor(who)) for shared, who in found.values()]


def _first(layer: KeysValues, slots: int, tokens: int) -> KeysValues:
    """A copy of a layer's first slots and tokens."""
    keys, values = layer
    return keys[:slots, :tokens].clone(), values[:slots, :tokens].clone()


def _enlarged(old: Tensor, slots: int, tokens: int) -> Tensor:
    new = old.new_zeros(slots, tokens, *old.shape[2:])
    new[: old.shape[0], : old.shape[1]] = old
    return new
