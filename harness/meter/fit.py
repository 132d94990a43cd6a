"""Will a model load, at which batch and length, and on how many of which chip:
`harness.config.memory` against memories.

A chip counts with 95 % of its memory: its context, the allocator's losses and the driver take the
rest. Prompts are taken to be read in passes of at most `PASS` tokens, as engines do, so activations
do not grow with the batch beyond that; the cache does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.config.architecture import Architecture
from harness.config.memory import memory_fit
from harness.errors import ConfigError
from harness.meter.hardware import Chip, chips

USABLE = 0.95
PASS = 8192
"""Tokens that engines read in one pass (vLLM's max_num_batched_tokens)."""
LENGTHS = (1024, 4096, 32768)
MOST = 4096
"""No larger batch is looked for."""
COUNTS = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Room:
    """The most sequences of ``length`` tokens that fit at once; 0 where not one does, None where
    the model's window is shorter.
    """

    length: int
    batch: int | None


@dataclass(frozen=True)
class ChipFit:
    """How many of a chip a model needs at least (None: more than sixteen), and the rooms on so
    many.
    """

    chip: str
    memory_bytes: int
    count: int | None
    rooms: tuple[Room, ...]


@dataclass(frozen=True)
class Need:
    """A model in a number format: bytes per number, and whether experts stay in the checkpoint's own
    format.
    """

    arch: Architecture
    dtype_bytes: float
    checkpoint: bool = False

    def bytes(self, batch: int, length: int) -> int:
        """Weights, cache of ``batch`` sequences of ``length`` tokens, activations of one pass, and one
        row of logits per sequence.

        Raises ConfigError for no sequence or no token.
        """
        if batch < 1 or length < 1:
            raise ConfigError(
                f"memory is asked for at least one sequence of one token, got {batch} of {length}"
            )

        fit = memory_fit(self.arch, self.dtype_bytes, min(batch * length, PASS), 1, self.checkpoint)
        logits = round((batch - 1) * self.arch.vocab_size * (self.dtype_bytes + 4))

        return (
            fit.weights_bytes
            + batch * self.arch.kv_bytes(length, self.dtype_bytes)
            + fit.activation_bytes
            + logits
        )

    def batch(self, length: int, memory: int) -> int:
        """The most sequences of ``length`` tokens that fit into ``memory`` bytes (at most `MOST`);
        0 where not one does.
        """

        # Memory grows with every sequence, so the largest batch can be found by halving.
        low, high = 0, MOST
        while low < high:
            middle = (low + high + 1) // 2
            if self.bytes(middle, length) <= USABLE * memory:
                low = middle
            else:
                high = middle - 1
        return low

    def rooms(self, memory: int, lengths: Sequence[int] = LENGTHS) -> tuple[Room, ...]:
        """Batches by length in ``memory`` bytes."""
        window = self.arch.max_position_embeddings
        return tuple(
            Room(length, None if length > window else self.batch(length, memory)) for length in lengths
        )

    def on(self, chip: Chip, lengths: Sequence[int] = LENGTHS) -> ChipFit:
        """The least number of a chip that holds one sequence of the shortest length, memories added
        (weights and cache cut evenly).
        """
        memory = int(chip.figure("memory"))
        shortest = min(min(lengths), self.arch.max_position_embeddings)

        count = next(
            (number for number in COUNTS if self.bytes(1, shortest) <= USABLE * memory * number), None
        )
        return ChipFit(chip.name, memory, count, self.rooms(memory * count, lengths) if count else ())


def on_catalogue(need: Need) -> tuple[ChipFit, ...]:
    """The model on every chip of the catalogue."""
    return tuple(need.on(chip) for chip in chips().values())
