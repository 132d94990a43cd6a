"""What each key of a config decides: the one list of all that goes into the prompt, sampling,
cutting and reading of an answer.

A key that decides an answer is part of the cell's identity, so that answers given under another
value of it are never taken. Reading (filters, metrics) is done anew at every run from the kept
answers, so what decides the reading alone needs no identity. A key that decides nothing says why. A
test goes through every key of the schema, changes it, and holds it to what stands here; a new key
without an entry fails it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["prompt", "model", "engine", "reading", "nothing"]


@dataclass(frozen=True)
class Role:
    """The part of a cell's identity that a key belongs to.

    ``reading`` and ``nothing`` are no part of it; ``why`` says the reason where that is not plain.
    """

    part: Part
    why: str = ""


MODEL: dict[str, Role] = {
    "id": Role("model"),
    "name": Role("nothing", "a name in tables; two names for one model share its answers"),
    "preset": Role("nothing", "only says where other keys' defaults came from"),
    "revision": Role("model", "by the files' hashes; without files by its name"),
    "weights": Role("model"),
    "dtype": Role("model"),
    "engine": Role("engine"),
    "tokenizer": Role("model"),
    "chat_template": Role("prompt"),
    "system_prompt": Role("prompt"),
    "thinking": Role("model"),
    "think_tags": Role("model", "where text is generated: stop texts count only after the thought"),
    "max_length": Role("model"),
    "max_new_tokens": Role("prompt"),
    "trust_remote_code": Role("model", "other code may load the model"),
    "config_overrides": Role("model"),
    "engine_args": Role("engine", "each option by itself: see EngineOptions.roles of its engine"),
    "base_url": Role("model"),
    "api_key_env": Role("nothing", "who pays, not who answers"),
    "price": Role("nothing", "who pays how much, not who answers"),
    "gpus": Role("nothing", "where layers lie; sums differ by rounding only, as they do between batches"),
    "seed": Role("model", "of random weights, and of a mock's answers"),
}
TASK: dict[str, Role] = {
    "task": Role("prompt"),
    "suite": Role("nothing", "a list of tasks, each with its own identity"),
    "file": Role("prompt", "by the file's content"),
    "name": Role("prompt"),
    "language": Role("prompt", "of an own task: it words the prompt"),
    "question": Role("prompt"),
    "choices": Role("prompt"),
    "answer": Role("prompt", "examples show it"),
    "answer_is": Role("prompt", "by the rows read: how an answer is understood"),
    "missing_words": Role("prompt", "by the rows read; where no cell holds such a word, it decides nothing"),
    "context": Role("prompt", "by the rows read"),
    "category": Role("prompt", "by the rows of each part"),
    "aliases": Role("prompt", "by the rows read"),
    "normalize": Role("reading", "by the task's marking_id"),
    "form": Role("prompt", "the generated form is a task of its own"),
    "encoding": Role("prompt", "by the rows read"),
    "sheet": Role("prompt", "by the rows read"),
    "fewshot": Role("prompt"),
    "limit": Role("nothing", "how many documents; raising it asks the new ones only"),
    "repeats": Role("prompt"),
    "generation": Role("prompt"),
}
GENERATION: dict[str, Role] = {
    name: Role("prompt")
    for name in ("temperature", "top_p", "top_k", "repetition_penalty", "max_tokens", "until")
}
CONFIG: dict[str, Role] = {
    "name": Role("nothing", "names the run"),
    "models": Role("nothing", "each model has its own identity"),
    "tasks": Role("nothing", "each task has its own identity"),
    "mirror": Role("nothing", "where bytes come from; their hashes count"),
    "device": Role("engine", "by the kind of device it is"),
    "limit": Role("nothing", "how many documents; raising it asks the new ones only"),
    "date": Role("prompt", "where a chat template is used"),
    "seed": Role("prompt"),
    "fewshot_as_multiturn": Role("prompt", "where a chat template is used"),
    "allow_code_execution": Role("nothing", "a permission; the answers are the same"),
    "speed": Role("nothing", "harness bench has no answers"),
    "meter": Role("nothing", "measures; scores are the same without"),
    "usd_per_hour": Role("nothing", "a price"),
    "expect": Role("nothing", "compares results with thresholds"),
}
