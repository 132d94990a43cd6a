"""A cell's kept answers: from the run's journal, or out of its samples where it was kept without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from harness.engines.finite import is_kept
from harness.errors import HarnessError
from harness.items import Answer, Finish, Generation, Likelihood, Score, Tokens
from harness.results.folder import RunFolder
from harness.results.journal import Journal
from harness.results.samples import SampleRow, read_rows

if TYPE_CHECKING:
    from harness.engines.protocol import Message
    from harness.tasks import Task


@dataclass(frozen=True)
class KeptAnswers:
    """A cell's answers by item key, and the prompts that were asked by document."""

    answers: dict[str, Answer]
    prompts: dict[int, str]
    identity: Mapping[str, Any] = field(default_factory=dict)
    """What decided the prompts; empty where nothing records it."""


def read_answers(folder: RunFolder, model: str, task: Task) -> KeptAnswers:
    """A cell's answers: from the journal where the run has one, else from its samples.

    Raises RunFolderError.
    """
    rows = read_rows(folder.samples(model, task.name))
    prompts = {row.doc_id: row.prompt for row in rows}
    if folder.journal.exists():
        journal = Journal(folder.journal)
        try:
            cell = journal.cells().get((model, task.name))
            answers = journal.answers(cell.cell_id) if cell is not None else {}
        finally:
            journal.close()

        # A journal of an older version may hold answers that today would be asked again.
        whole = {key: answer for key, answer in answers.items() if is_kept(answer)}
        if whole and cell is not None:
            return KeptAnswers(whole, prompts, cell.identity.get("prompt", {}))

    # Every filter of a task has the same answers: the first one's rows hold them all.
    first = rows[0].filter if rows else ""
    restored = [answer for row in rows if row.filter == first for answer in answers_of(row, task.kind)]
    return KeptAnswers({answer.key: answer for answer in restored}, prompts)


def answers_of(row: SampleRow, kind: str) -> list[Answer]:
    """The answers that a sample was made of, for a task of this kind (choice, passage, completion).

    Tokens and seconds are the document's; its first answer carries them all.
    """
    tokens = Tokens(row.tokens_prompt, row.tokens_computed, row.tokens_shared, row.tokens_output)
    key = str(row.doc_id)
    cost: dict[str, Any] = {"tokens": tokens, "seconds": row.seconds}

    # A sample is truncated by its answers' length or by the prompt's: what is not the one is the
    # other.
    cut = int(row.truncated and "length" not in row.finish)
    if kind == "choice":
        lengths = (0,) * len(row.logprobs)
        score = Score(key, row.logprobs, row.greedy, lengths, truncated=cut, rules=row.rules, **cost)
        return [score]
    if kind == "passage":
        return [Likelihood(key, value, truncated=cut, **cost) for value in row.logprobs[:1]]

    answers: list[Answer] = []
    for repeat, (text, finish) in enumerate(zip(row.responses, row.finish, strict=True)):
        more = cost if repeat == 0 else {}
        answers.append(Generation(f"{key}:{repeat}", text, cast(Finish, finish), truncated=cut, **more))
    return answers


def check_questions(task: Task, record: KeptAnswers, multiturn: bool) -> None:
    """The data may have changed in its right answers, not in its questions.

    Raises HarnessError where a kept prompt does not hold the document's own text: the last user
    turn of a chat, or else the whole prompt.
    """
    from harness.tasks import PromptStyle

    # The model's template is not at hand, so of a chat only the words of its last turn can be
    # compared.
    chat = _last_user if record.identity.get("chat") else None
    style = PromptStyle(chat=chat, system_prompt=record.identity.get("system_prompt"), multiturn=multiturn)
    texts = task.prompts(style, task.spec.limit)
    shared = {doc: texts[doc].strip() for doc in record.prompts.keys() & texts.keys()}
    other = [doc for doc, text in shared.items() if not _holds(record.prompts[doc], text)]
    if other:
        raise HarnessError(
            f"{len(other)} of {len(shared)} kept answers were given to other questions than the "
            "data now holds "
            f"(the first: document {min(other)}); bring the old data back, or run the config again"
        )


def _holds(prompt: str, text: str) -> bool:
    """Whether a prompt holds a text, as it is or as JSON, in which an endpoint's messages are kept."""
    return any(
        form in prompt for form in (text, json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1])
    )


def _last_user(messages: list[Message], add_generation_prompt: bool) -> str:
    return next((message["content"] for message in reversed(messages) if message["role"] == "user"), "")
