"""Lines that work, for every command's ``--help``; a test parses each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

EXAMPLES: dict[str, tuple[str, ...]] = {
    "harness": (
        "harness run smoke                           # a first run: no GPU, no hub",
        "harness init                                # four questions, one config",
        "harness run --model qwen3-8b --task ceval-valid --limit 20",
    ),
    "harness init": (
        "harness init                                # asks",
        "harness init mine.yaml --model qwen3-8b --task bilingual-core --yes",
        "harness init --model deepseek-chat --base-url https://api.deepseek.com/v1 \\",
        "    --task gsm8k --limit 50 --yes",
    ),
    "harness configs": (
        "harness configs",
        "harness configs qwen > mine.yaml            # a copy to change",
    ),
    "harness run": (
        "harness run smoke",
        "harness run mine.yaml --limit 20            # again without it: the rest",
        "harness run --model qwen3-8b,llama-3.1-8b-instruct --task bilingual-core",
        "harness run --model mine --base-url http://localhost:8000/v1 --task gsm8k",
    ),
    "harness plan": (
        "harness plan qwen",
        "harness plan mine.yaml --limit 100 --chips",
        "harness plan --model qwen3-8b --task ceval-valid,mmlu",
    ),
    "harness bench": (
        "harness bench bench",
        "harness bench bench-gpu --project H20 --usd-per-hour 2.5",
    ),
    "harness tasks": (
        "harness tasks --language zh",
        "harness tasks 'ceval*' --all",
        "harness tasks show zh_arithmetic",
    ),
    "harness tasks show": (
        "harness tasks show zh_arithmetic",
        "harness tasks show en_letters --fewshot 2",
    ),
    "harness tasks list": (
        "harness tasks list --language zh",
        "harness tasks list 'mmlu*' --all",
    ),
    "harness models": (
        "harness models --family qwen --max-params 8B",
        "harness models --country CN -f csv -o models.csv",
    ),
    "harness published": (
        "harness published list",
        "harness published import board.csv --date 2026-08-01",
    ),
    "harness published list": (
        "harness published list",
        "harness published list --models --country CN",
    ),
    "harness published import": (
        "harness published import board.csv --date 2026-08-01",
        "harness published import board.csv --source https://example.org --name mine",
    ),
    "harness tokenizers": (
        "harness tokenizers tiny-qwen tiny-llama",
        "harness tokenizers qwen3-8b llama-3.1-8b-instruct --mirror ~/mirror",
    ),
    "harness doctor": (
        "harness doctor",
        "harness doctor --mirror ~/mirror -f json",
    ),
    "harness report": (
        "harness report smoke",
        "harness report smoke -f latex --language zh -o table.tex",
        "harness report smoke qwen --html report.html",
        "harness report smoke --plots pictures --format png,svg",
    ),
    "harness compare": (
        "harness compare smoke",
        "harness compare qwen llama --index bilingual",
        "harness compare results/qwen --task 'ceval*' -o pairs.csv",
    ),
    "harness arena": (
        "harness arena battles.parquet",
        "harness arena battles.jsonl --style-control --bootstrap 200",
        "harness arena battles.csv --where language=Chinese --min-battles 50",
    ),
    "harness adoption": (
        "harness adoption report",
        "harness adoption snapshot --org Qwen --org meta-llama",
    ),
    "harness adoption snapshot": (
        "harness adoption snapshot",
        "harness adoption snapshot --org Qwen --out qwen.csv.gz",
    ),
    "harness adoption report": (
        "harness adoption report",
        "harness adoption report --measure likes --plots pictures --format png,svg",
    ),
    "harness study": (
        "harness study C8",
        "harness study --list",
        "harness study C1 --run open-models-2024",
    ),
    "harness results": (
        "harness results",
        "harness results --model 'qwen*' --rows -f csv -o rows.csv",
    ),
    "harness rescore": (
        "harness rescore smoke",
        "harness rescore results/qwen --filters filters.yaml --out results/qwen-2",
    ),
    "harness import": (
        "harness import lm-eval-output/",
        "harness import results_2026.json --model qwen3-8b",
    ),
    "harness parity": (
        "harness parity smoke --against dtype=bfloat16",
        "harness parity qwen --against engine=vllm --limit 100",
        "harness parity results/one results/two",
    ),
    "harness cache": (
        "harness cache show",
        "harness cache clean hashes --yes",
    ),
    "harness cache show": (
        "harness cache show",
        "harness cache show -f json",
    ),
    "harness cache clean": (
        "harness cache clean                         # asks first",
        "harness cache clean names hashes --yes",
    ),
    "harness schema": (
        "harness schema config > schema.json",
        "harness schema results > results-schema.json",
    ),
    "harness schema config": ("harness schema config > schema.json",),
    "harness schema results": ("harness schema results > results-schema.json",),
    "harness schema speed": ("harness schema speed > speed-schema.json",),
}
"""By command: what to type, with a comment where it is not plain."""


def add_examples(command: Any, path: str) -> None:
    """Puts its examples below the help of a command, and of all commands below it."""
    for name, one in walk(command, path):
        if lines := EXAMPLES.get(name):
            # \b keeps lines as they are; everything else is filled up to the terminal's width.
            block = "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
            one.epilog = f"{block}\n\n{one.epilog}" if one.epilog else block


def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """A command and all below it, each with the words that call it."""
    yield path, command
    for name, one in getattr(command, "commands", {}).items():
        if not one.hidden:
            yield from walk(one, f"{path} {name}")
