"""When a generated text ends: stop texts, watched as tokens come, with the thought of a reasoning
model left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.engines.tokenizer import TextEncoder
from harness.items import Finish, ThinkTags
from harness.thought_markers import KNOWN
from harness.thoughts import answer_start, scan

MARKERS = tuple(marker for tags in KNOWN for marker in (tags.open, tags.close))
_UNFINISHED = "�"  # what a decoder writes for a character whose last bytes have not come yet


def cut(text: str, stops: Sequence[str], think: ThinkTags | None) -> tuple[str, bool]:
    """(text before the first stop text, whether there was one), by lm-eval's rule
    (``postprocess_generated_text``): the stops in their order, each cutting what the former left.

    Thoughts have no stops, wherever they stand (`harness.thoughts`).
    """
    for begin, end in [(0, len(text))] if think is None else scan(text, think).spans:
        answer = text[begin:end]
        for stop in stops:
            if stop:
                answer = answer.split(stop)[0]
        if len(answer) < end - begin:
            return text[:begin] + answer, True
    return text, False


class StopWatch:
    """Follows one row's tokens and says when a stop text has come.

    Each token is decoded once, together with the few before it. Nothing is decoded before a token
    comes that may end a stop text: most hold none of the stops' last characters.
    """

    def __init__(self, encoder: TextEncoder, stops: Sequence[str], think: ThinkTags | None) -> None:
        self._encoder = encoder
        self._stops = [stop for stop in stops if stop]
        self._longest = max(map(len, self._stops), default=0)
        self._ends = frozenset(stop[-1] for stop in self._stops)
        self._think = think
        self._ids: list[int] = []
        self._from = 0  # tokens before this one can no longer change the text
        self._read = 0  # tokens before this one are in the text
        self._text = ""
        self._start: int | None = answer_start("", think)

    def again(self) -> StopWatch:
        """A new one with the same stops."""
        return StopWatch(self._encoder, self._stops, self._think)

    def add(self, token: int) -> bool:
        """Takes the next token; true when a stop text is in the text after the thought.

        Special tokens are written out.
        """
        if not self._stops:
            return False
        self._ids.append(token)
        if not self._encoder.may_hold(token, self._ends):
            return False

        # A token may end a character or a word that the one before began, so both are decoded.
        before = self._encoder.decode(self._ids[self._from : self._read], skip_special=False)
        after = self._encoder.decode(self._ids[self._from :], skip_special=False)
        if len(after) <= len(before) or after.endswith(_UNFINISHED):
            return False

        seen = len(self._text)
        self._text += after[len(before) :]
        self._from, self._read = self._read, len(self._ids)
        if self._start is None:
            self._start = answer_start(self._text, self._think)
            seen = 0
        if self._start is None:
            return False
        return self._stop_since(max(self._start, seen - self._longest + 1))

    def _stop_since(self, window: int) -> bool:
        """Whether the answer holds a stop text that begins at or behind ``window``."""
        assert self._start is not None
        spans: Sequence[tuple[int, int]] = [(self._start, len(self._text))]
        # Models that think again in their answer are rare, and a scan reads the whole text.
        if self._think is not None and self._text.find(self._think.open, self._start) >= 0:
            spans = scan(self._text, self._think).spans
        return any(
            self._text.find(stop, max(begin, window), end) >= 0
            for begin, end in spans
            for stop in self._stops
        )


def final_text(encoder: TextEncoder, ids: Sequence[int], think: ThinkTags | None) -> str:
    """The text of a generation without special tokens, except those of thought markers.

    Markers are special in some vocabularies, as gpt-oss's channels are. The reader needs them, also
    where the config names none.
    """
    markers = encoder.marker_ids((think.open, think.close) if think is not None else MARKERS)
    if markers.intersection(ids):
        return encoder.decode(
            [token for token in ids if token in markers or token not in encoder.special_ids],
            skip_special=False,
        )
    return encoder.decode(ids)


def final_answer(
    encoder: TextEncoder,
    written: Sequence[int],
    finish: Finish,
    stops: Sequence[str],
    think: ThinkTags | None,
) -> tuple[str, Finish]:
    """(text of the tokens written, cut at its stop texts; why it ended).

    A text that ran out of budget but has a stop text ended by it.
    """
    ids = written[:-1] if finish == "eos" else written

    text, stopped = cut(final_text(encoder, ids, think), stops, think)
    return text, "stop" if stopped and finish == "length" else finish
