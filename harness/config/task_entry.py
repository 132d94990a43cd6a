"""What a config may say of a task: one entry below ``tasks:``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from harness.config.strict import Strict


class GenerationSettings(Strict):
    """How a task's answers are generated; what is not said stays as the task says."""

    temperature: float | None = Field(None, ge=0, description="0 is greedy.")
    top_p: float | None = Field(
        None, gt=0, le=1, description="Nucleus sampling: keep the smallest set with this probability."
    )
    top_k: int | None = Field(None, ge=0, description="Keep the k likeliest tokens; 0 is off.")
    repetition_penalty: float | None = Field(
        None, gt=0, description="Divide the logits of tokens already written; 1 is off."
    )
    max_tokens: int | None = Field(None, gt=0, description="Most tokens to generate.")
    until: list[str] | None = Field(None, description="Texts that end an answer.")


OF_FILES = (
    *("question", "choices", "answer", "answer_is", "missing_words", "context", "category", "aliases"),
    *("normalize", "form", "encoding", "sheet"),
)
"""Keys of a task that only a file of one's own reads."""


class TaskEntry(Strict):
    """What to ask: exactly one of task (an lm-eval or bundled task, a glob, or a task YAML's path),
    suite, or file (your own data).
    """

    task: str | None = Field(
        None, description="Task or group name, glob (ceval-valid_*), or path of an lm-eval task YAML."
    )
    suite: str | None = Field(
        None,
        description="Suite name: smoke, bilingual-core, zh-core, en-core, parallel, reasoning, "
        "leaderboard-v2.",
    )
    file: str | None = Field(
        None,
        description="Your own JSONL, JSON, CSV, TSV or XLSX: a question and choices or an answer per row.",
    )
    name: str | None = Field(None, description="Name of an own task. Default: the file's name.")
    language: Literal["zh", "en"] | None = Field(
        None, description="Language of an own task, for the averages."
    )
    question: str = Field("question", description="Own task: column of the question.")
    choices: str | list[str] = Field(
        "choices",
        description="Own task: column that holds the list of choices, or several columns."
        " Default: choices, "
        "or a usual layout.",
    )
    answer: str = Field(
        "answer",
        description="Own task: column of the answer: a choice's index, letter or text, or a text to "
        "generate.",
    )
    answer_is: Literal["text", "letter", "index", "number", "generated"] | None = Field(
        None,
        description="Own task: how answers name their choice: text, letter, index (from 0) or"
        " number (from "
        "1); generated: no choices are "
        "shown. Default: found from the answers, asked for where two ways disagree.",
    )
    missing_words: Literal["refuse", "text"] = Field(
        "refuse",
        description="Own task: cells such as None, null, nan, NA: refused as missing values, or"
        " text as it "
        "is written.",
    )
    context: str | None = Field(
        None,
        description="Own task: column of a text that is shown before the question. Default:"
        " passage, context, "
        'article, 材料 … where there is one; "" shows none.',
    )
    category: str | None = Field(
        None,
        description="Own task: column of categories, each of which gets a score of its own."
        " Default: category, "
        'subject, 类别, 学科 … where it parts the file; "" parts it by none.',
    )
    aliases: str | None = Field(
        None,
        description="Own task: column of other right answers of short-answer questions (a list,"
        " or texts split "
        "by |). Default: aliases, 别名 … where there is one.",
    )
    normalize: list[Literal["case", "width", "space", "punctuation", "traditional"]] | None = Field(
        None,
        description="Own task: what does not count when short answers are compared: case, width"
        " (full or half), "
        "space, punctuation, traditional (characters read as simplified). Default: [case].",
    )
    form: Literal["logprobs", "generated"] | None = Field(
        None,
        description="Own task with choices: logprobs compares the options' log-probabilities;"
        " generated lets "
        "the model write and reads its letter, as chat endpoints need. Default: logprobs, generated for "
        "models that think.",
    )
    encoding: Literal["utf-8", "gbk", "gb2312", "gb18030", "big5", "utf-16"] | None = Field(
        None, description="Own task: encoding of a text file. Default: UTF-8, else GBK where that is sure."
    )
    sheet: str | None = Field(
        None, description="Own task: sheet of a workbook. Default: the only one with rows."
    )
    fewshot: int | None = Field(None, ge=0, description="Examples before each question. Default: the task's.")
    limit: int | None = Field(None, gt=0, description="Take the first N documents.")
    repeats: int | None = Field(None, gt=0, description="Answers sampled for each document (avg@k, maj@k).")
    generation: GenerationSettings = Field(
        default_factory=GenerationSettings, description="Generation settings instead of the task's."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> TaskEntry:
        named = [key for key in ("task", "suite", "file") if getattr(self, key)]
        if len(named) != 1:
            raise ValueError(f"say exactly one of task, suite, file; got {', '.join(named) or 'none'}")
        return self

    @model_validator(mode="after")
    def _file_keys_need_a_file(self) -> TaskEntry:
        """A key that would not be read must not look as if it were."""
        idle = next((key for key in OF_FILES if key in self.model_fields_set and self.file is None), None)
        # A resolved config lists defaults, too, which say nothing.
        if idle is not None and getattr(self, idle) != type(self).model_fields[idle].default:
            hint = ", or ask a task's own generated form by its name: NAME-gen" if idle == "form" else ""
            text = f"is for a file of your own (file:), and is not read here: leave it out{hint}"
            raise PydanticCustomError("needs_file", "{text}", {"key": idle, "text": text})
        return self
