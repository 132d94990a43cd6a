"""Log-probabilities of continuations: rows of equal input computed once, batches by a token budget, halved when memory runs out."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from harness.engines.tokenizer import Pair
from harness.engines.transformers.forward import Forward
from harness.engines.transformers.memory import Budget, is_out_of_memory, release
from harness.errors import OutOfMemoryError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Want:
    """One pair of one owner: the tokens whose log-probabilities are summed. They are predicted by the last rows of its input."""

    owner: int
    slot: int
    targets: array[int]


@dataclass(slots=True)
class Row:
    """An input that goes through the model once, for every pair that has it. ``scored``: how many of its last positions are."""

    inputs: array[int]
    scored: int
    wants: list[Want] = field(default_factory=list)


@dataclass(slots=True)
class Verdict:
    """What one owner (item) gets: a sum and a greedy flag a slot, and its part of the work."""

    logprobs: list[float]
    greedy: list[bool]
    truncated: int = 0
    prompt: int = 0
    computed: int = 0
    seconds: float = 0.0
    open: int = 0


class ScorePlan:
    """The rows that answer all pairs of all owners. Windows as in lm-eval: ``(context + continuation)[-(window + 1):][:-1]``."""

    def __init__(self, owners: Sequence[Sequence[Pair]], window: int) -> None:
        self.verdicts: list[Verdict] = []
        self.groups: list[list[Row]] = []
        rows: dict[bytes, Row] = {}
        for owner, pairs in enumerate(owners):
            verdict = Verdict([0.0] * len(pairs), [True] * len(pairs))
            group: list[Row] = []
            for slot, (context, continuation) in enumerate(pairs):
                if not continuation:  # nothing to predict: certain
                    continue
                whole = (context + continuation)[-(window + 1) :]
                verdict.truncated += len(context) + len(continuation) - len(whole)
                inputs = array("i", whole[:-1])
                targets = array("i", whole[-min(len(continuation), len(inputs)) :])
                key = hashlib.blake2b(inputs.tobytes(), digest_size=16).digest()
                row = rows.get(key)
                if row is None:
                    row = rows[key] = Row(inputs, len(targets))
                    group.append(row)
                    verdict.computed += len(inputs)
                row.scored = max(row.scored, len(targets))
                row.wants.append(Want(owner, slot, targets))
                verdict.prompt += len(inputs)
                verdict.open += 1
            self.verdicts.append(verdict)
            if group:
                self.groups.append(group)
        # Longest first: a batch that does not fit shows at once; an item's rows stay together, so that its answer is whole early.
        self.groups.sort(key=lambda group: -max(len(row.inputs) for row in group))


class Batcher:
    """Cuts groups of rows into batches of at most ``budget.tokens`` padded tokens; a group is split only when it alone is larger."""

    def __init__(self, groups: Sequence[list[Row]], budget: Budget) -> None:
        self._waiting = deque(groups)
        self._budget = budget

    def next(self) -> list[Row]:
        """The next batch; empty at the end."""
        batch: list[Row] = []
        width = 0
        while self._waiting:
            group = self._waiting[0]
            width = max(width, *(len(row.inputs) for row in group))
            if (len(batch) + len(group)) * width > self._budget.tokens:
                if not batch:
                    fit = max(1, self._budget.tokens // width)
                    batch, rest = group[:fit], group[fit:]
                    self._waiting.popleft()
                    if rest:
                        self._waiting.appendleft(rest)
                break
            batch += self._waiting.popleft()
        return batch

    def give_back(self, rows: list[Row]) -> None:
        """Takes a batch again that did not fit."""
        self._waiting.appendleft(rows)


class Scorer:
    """Answers a `ScorePlan`. ``rows`` is the number of embeddings: a token id beyond is an error of one line, not a crash of the GPU.

    ``padded`` and ``real`` count tokens forwarded, with and without padding.
    """

    def __init__(self, forward: Forward, budget: Budget) -> None:
        self._forward = forward
        self._budget = budget
        self.padded = 0
        self.real = 0

    def run(self, plan: ScorePlan) -> Iterator[int]:
        """Yields each owner as soon as its verdict is whole. Raises OutOfMemoryError when a single row does not fit."""
        yield from (owner for owner, verdict in enumerate(plan.verdicts) if not verdict.open)
        batcher = Batcher(plan.groups, self._budget)
        while batch := batcher.next():
            started = time.perf_counter()
            if not self._try(batch, plan):
                self._too_big(batch)
                batcher.give_back(batch)
                continue
            self._share_time(batch, plan, time.perf_counter() - started)
            yield from self._closed(batch, plan)

    def _try(self, batch: list[Row], plan: ScorePlan) -> bool:
        try:
            self._score(batch, plan)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return False
        return True

    def _too_big(self, batch: list[Row]) -> None:
        """Halves the budget, or gives up on a single row. Called outside the handler: the error no longer holds tensors."""
        release(self._forward.device)
        width = max(len(row.inputs) for row in batch)
        if len(batch) == 1:
            raise OutOfMemoryError(
                f"one text of {width} tokens alone does not fit into memory; set max_length lower or use a larger device"
            )
        self._budget.halve(len(batch) * width)
        log.warning("out of memory on %d rows of %d tokens: going on with %d tokens a batch", len(batch), width, self._budget.tokens)

    def _score(self, batch: list[Row], plan: ScorePlan) -> None:
        """Fills the verdicts of all wants of a batch."""
        width = max(len(row.inputs) for row in batch)
        ids = torch.zeros(len(batch), width, dtype=torch.long)
        flat: list[int] = []
        asked: list[tuple[int, int]] = []  # (index into flat, target token) for every target of every want
        for index, row in enumerate(batch):
            length = len(row.inputs)
            ids[index, :length] = torch.tensor(row.inputs, dtype=torch.long)
            end = len(flat) + row.scored
            flat += range(index * width + length - row.scored, index * width + length)
            for want in row.wants:
                asked += zip(range(end - len(want.targets), end), want.targets, strict=True)
        logprobs, greedy = self._ask(ids, flat, asked)
        self.padded += ids.numel()
        self.real += sum(len(row.inputs) for row in batch)
        place = 0
        for row in batch:
            for want in row.wants:
                part = slice(place, place + len(want.targets))
                place = part.stop
                plan.verdicts[want.owner].logprobs[want.slot] = math.fsum(logprobs[part])
                plan.verdicts[want.owner].greedy[want.slot] = all(greedy[part])

    def _ask(self, ids: torch.Tensor, flat: list[int], asked: list[tuple[int, int]]) -> tuple[list[float], list[bool]]:
        """Log-probability of, and whether greedy decoding writes, each asked (row of ``flat``, token)."""
        device = self._forward.device
        order = sorted(range(len(asked)), key=lambda index: asked[index][0])
        rows = torch.tensor([asked[index][0] for index in order])
        tokens = torch.tensor([asked[index][1] for index in order])
        logprobs = torch.empty(len(order))
        greedy = torch.empty(len(order), dtype=torch.bool)
        for first, logits in self._forward.scored(ids.to(device), torch.tensor(flat, device=device)):
            low, high = torch.searchsorted(rows, torch.tensor([first, first + len(logits)])).tolist()
            mine = (rows[low:high] - first).to(logits.device)
            target = tokens[low:high].to(logits.device)
            chosen = logits[mine, target] - torch.logsumexp(logits, dim=-1)[mine]
            logprobs[low:high] = chosen.cpu()
            greedy[low:high] = (logits.argmax(dim=-1)[mine] == target).cpu()
        back = torch.empty(len(order), dtype=torch.long)
        back[torch.tensor(order, dtype=torch.long)] = torch.arange(len(order))
        return logprobs[back].tolist(), greedy[back].tolist()

    @staticmethod
    def _share_time(batch: list[Row], plan: ScorePlan, seconds: float) -> None:
        """Gives each row's first owner its part of the batch's time, by tokens."""
        total = sum(len(row.inputs) for row in batch)
        for row in batch:
            plan.verdicts[row.wants[0].owner].seconds += seconds * len(row.inputs) / total

    @staticmethod
    def _closed(batch: list[Row], plan: ScorePlan) -> Iterator[int]:
        """Owners whose last open slot this batch filled."""
        for row in batch:
            for want in row.wants:
                verdict = plan.verdicts[want.owner]
                verdict.open -= 1
                if not verdict.open:
                    yield want.owner


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
