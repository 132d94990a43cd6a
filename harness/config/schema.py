"""What a YAML may say.

Every field carries its help text: the JSON Schema, the docs and the error messages are made from
it.
"""

from __future__ import annotations

import datetime
import re
from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from harness.config.price import Price as Price
from harness.config.speed import Slo as Slo
from harness.config.speed import Speed as Speed
from harness.config.strict import Strict as Strict
from harness.config.task_entry import GenerationSettings as GenerationSettings
from harness.config.task_entry import TaskEntry as TaskEntry
from harness.names import clash, clash_key

Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Device = Literal["auto", "cpu", "cuda"]


class ModelSpec(Strict):
    """What to load, and how to talk to it."""

    id: str = Field(description="Hub id (Qwen/Qwen2.5-7B-Instruct) or a folder (relative to the YAML file).")
    name: str = Field(
        "", description="Name in tables. Default: the preset's name, or the last part of the id."
    )
    preset: str | None = Field(None, description="Preset that the defaults came from.")
    revision: str | None = Field(None, description="Branch, tag or commit on the hub. Default: main.")
    weights: Literal["pretrained", "random"] = Field(
        "pretrained",
        description="'random' builds the architecture with seeded random weights: honest for"
        " speed, never "
        "for accuracy.",
    )
    dtype: Dtype = Field(
        "auto", description="Number format. auto: the checkpoint's on CUDA, float32 on the CPU."
    )
    engine: str = Field(
        "auto",
        description="Who answers: transformers, vllm, openai, mock, or an installed package's engine. "
        "auto: vllm where it can run on a GPU, else transformers.",
    )
    tokenizer: str | None = Field(
        None, description="Hub id or folder of another tokenizer. Default: the model's own."
    )
    chat_template: bool | None = Field(
        None,
        description="Ask through the chat template. Default: the preset's; else on where the id says "
        "instruct or chat, off elsewhere.",
    )
    system_prompt: str | None = Field(
        None, description="System message put before every chat. Needs chat_template."
    )
    thinking: bool | None = Field(
        None, description="Let a reasoning model think (passed to its chat template as enable_thinking)."
    )
    think_tags: tuple[str, str] | None = Field(
        None, description="Markers around a thought, e.g. ['<think>', '</think>']."
    )
    max_length: int | None = Field(None, gt=0, description="Window in tokens. Default: the model's own.")
    max_new_tokens: int | None = Field(
        None, gt=0, description="Budget of generated tokens, instead of the task's (thinking needs more)."
    )
    trust_remote_code: bool = Field(
        False, description="Run Python code that the model's repository brings. Off unless you trust it."
    )
    config_overrides: dict[str, Any] = Field(
        default_factory=dict,
        description="Changes to the model's config.json, e.g. {num_hidden_layers: 4}; only with"
        " weights: "
        "random.",
    )
    engine_args: dict[str, Any] = Field(
        default_factory=dict,
        description="Options of the engine, by name (batch_tokens, attention …; with vllm any of its own).",
    )
    base_url: str | None = Field(
        None, description="engine: openai: where the endpoint is, e.g. http://localhost:8000/v1."
    )
    api_key_env: str | None = Field(
        None,
        description="engine: openai: environment variable that holds the key (never the key itself). "
        "Default: OPENAI_API_KEY.",
    )
    price: Price | None = Field(
        None, description="What a million tokens cost, e.g. {input: 0.27, output: 1.10, currency: USD}."
    )
    gpus: int | None = Field(
        None, ge=0, description="GPUs this model needs. Default: as many as its weights ask for."
    )
    seed: int = Field(0, description="Seed of random weights.")

    @model_validator(mode="after")
    def _overrides_need_random(self) -> ModelSpec:
        if self.config_overrides and self.weights != "random":
            raise PydanticCustomError(
                "needs_random",
                "config_overrides changes the architecture, so it needs weights: random",
                {"key": "config_overrides"},
            )
        return self

    @model_validator(mode="after")
    def _endpoint(self) -> ModelSpec:
        """Messages never show the values: they may hold a key, and a config is kept beside its
        results.
        """
        if self.base_url is not None and not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s@?#]*)?", self.base_url):
            text = (
                "expected http(s)://HOST[:PORT]/PATH without user, password or query "
                "(a key belongs into the environment)"
            )
            raise PydanticCustomError("endpoint", text, {"key": "base_url"})
        if self.api_key_env is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.api_key_env):
            text = "expected the name of an environment variable that holds the key, not the key"
            raise PydanticCustomError("endpoint", text, {"key": "api_key_env"})
        return self

    @property
    def label(self) -> str:
        """The name shown in tables."""
        return self.name or self.id.rstrip("/").rsplit("/", 1)[-1]


class Expectation(Strict):
    """A threshold for CI: the run exits with 3 when it does not hold (docs/ci.md).

    Expected is a score (of ``task``, or the average of ``language``), a ``figure`` of what answers
    cost, or ``sanity: clean``. Names may be globs; whatever is matched must hold.
    """

    task: str | None = Field(None, description="Task or group name, or a glob of them.")
    model: str | None = Field(
        None, description="Model name as in the table, or a glob. Default: every model."
    )
    language: Literal["zh", "en"] | None = Field(
        None,
        description="Instead of a task: the average of this language, or with figure: what all its "
        "answers cost.",
    )
    sanity: Literal["clean"] | None = Field(
        None,
        description="clean: nothing was found that may make a number wrong (of the model, of the"
        " task, where "
        "named).",
    )
    metric: str | None = Field(None, description="Metric name. Default: the one that the table shows.")
    filter: str | None = Field(None, description="Filter name, where the task has several.")
    figure: str | None = Field(
        None,
        description="Instead of a score: truncated, empty or unread (shares of the answers), or the path of "
        "a figure under costs in results.json, e.g. latency_ms.e2e.p95 or money.usd_per_correct.",
    )
    min: float | None = Field(None, description="Least value that passes.")
    max: float | None = Field(None, description="Greatest value that passes.")
    sure: bool = Field(
        False,
        description="Demand the bound of the whole 95 % interval, not of the value alone: what could as "
        "well lie beyond the bound does not hold.",
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Expectation:
        bounds = self.min is not None or self.max is not None
        if self.sanity is not None:
            if bounds:
                raise ValueError("sanity: clean takes no min or max; write two expectations")
            if self.metric or self.filter or self.figure or self.language or self.sure:
                raise ValueError("sanity: clean takes model and task alone; write two expectations")
            return self

        # Each of them names another figure, so two of them would leave open which one is meant.
        if self.figure is not None and (self.metric or self.filter):
            raise ValueError("figure and metric are two things; write two expectations")
        if self.task is not None and self.language is not None:
            raise ValueError("say task or language, not both: a language stands for all its tasks")
        if self.figure is None and self.task is None and self.language is None:
            raise ValueError("say what is expected: task or language (a score), figure, or sanity: clean")
        if self.language is not None and (self.metric or self.filter):
            raise ValueError("an average is over tasks of several metrics: leave out metric and filter")
        if not bounds:
            raise ValueError("say min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: no value could hold")
        return self


class Config(Strict):
    """One comparison: models × tasks."""

    name: str = Field(
        description="Name of the run; results go to results/<name> unless --out says otherwise.",
        pattern=r"^[\w.-]+$",
    )
    models: list[ModelSpec] = Field(min_length=1, description="Presets by name, or models in full.")
    tasks: list[TaskEntry] = Field(
        default_factory=list, description="Task names, suites, or tasks with settings."
    )
    mirror: str | None = Field(
        None, description="Folder with datasets/<org>/<name> and models/<org>/<name>. Also HARNESS_MIRROR."
    )
    device: Device = Field("auto", description="auto takes CUDA where present.")
    limit: int | None = Field(
        None, gt=0, description="Take the first N documents of each task that does not say its own limit."
    )
    date: datetime.date = Field(
        datetime.date(2024, 7, 26),
        description="The day that chat templates are told where they ask for today's (Llama 3.1's own "
        "default day): "
        "prompts are the same on every day.",
    )
    seed: int = Field(
        1234, description="Seed of few-shot sampling and of sampled generation. 1234 is lm-eval's."
    )
    fewshot_as_multiturn: bool = Field(
        True, description="With a chat template: examples as turns, not in one message (lm-eval's default)."
    )
    allow_code_execution: bool = Field(
        False, description="Allow tasks that run model-written code (humaneval, mbpp)."
    )
    speed: Speed | None = Field(None, description="Grid for harness bench.")
    meter: bool = Field(
        True,
        description="Measure what answers cost (energy, memory, FLOPs, latency); scores are the same "
        "without.",
    )
    usd_per_hour: float | None = Field(
        None, gt=0, description="Price of an hour of one accelerator (on the CPU: of the machine) in dollars."
    )
    expect: list[Expectation] = Field(default_factory=list, description="Thresholds for CI.")

    @model_validator(mode="after")
    def _names_differ(self) -> Config:
        labels: dict[str, str] = {}
        for model in self.models:
            key = clash_key(model.label)
            if key in labels:
                raise ValueError(
                    f"two models {clash(model.label, labels[key])}; give one of them another name:"
                )
            labels[key] = model.label
        return self
