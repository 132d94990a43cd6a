"""A document of every command that shows a table: of those that only read, the very one that the
command shows; of those that compute for minutes, one made of their own records.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import typer.main
from typer.testing import CliRunner

from harness.analysis.parity_verdict import (
    CellParity,
    ItemDifference,
    LogprobSpread,
    MetricDifference,
    Parity,
)
from harness.cli.main import app
from harness.doctor.findings import Check
from harness.meter.texts import ParallelText
from harness.meter.tokenizers import LanguageCount, TokenizerCounts
from harness.reporting import rendering
from harness.reporting.changes import changes_document
from harness.reporting.doctor import doctor_document
from harness.reporting.document import Document
from harness.reporting.parity import parity_document
from harness.reporting.score_document import score_document
from harness.reporting.speed import speed_document
from harness.reporting.table import make_table
from harness.reporting.tokenizers import tokenizers_document
from harness.rescoring.rescore import Change
from harness.results.schema import ModelRow, Results
from harness.results.speed import SpeedResults, SpeedRow
from support.runs import ROOT
from support.tables import group, row

SMOKE = str(ROOT / "results" / "recorded" / "smoke")
READING = [
    ["report", SMOKE],
    ["report", SMOKE, "--costs", "--all"],
    ["compare", SMOKE, "--all"],
    ["compare", SMOKE, "--baseline", "tiny-llama"],
    ["results", str(ROOT / "results" / "recorded")],
    ["results", str(ROOT / "results" / "recorded"), "--rows"],
    ["plan", str(ROOT / "configs" / "own-task.yaml"), "--chips"],
    ["models"],
    ["models", "--missing"],
    ["configs"],
    ["cache", "show"],
    ["tasks", "list"],
    ["tasks", "list", "zh_*"],
    ["published", "list"],
    ["published", "list", "--models"],
    ["adoption", "report"],
    ["adoption", "report", "--language", "zh"],
    ["study", "--list"],
    ["study", "--list", "--language", "zh"],
    ["arena", "votes.csv", "--bootstrap", "20"],
]
COMPUTING = {"run", "bench", "parity", "rescore", "tokenizers", "doctor"}
"""Their documents are made here."""
WITHOUT_TABLE = {
    "import": "one line that names the run folder",
    "tasks show": "a prompt, word for word",
    "published import": "one line that counts the rows",
    "adoption snapshot": "lines of progress, and one that names the file",
    "init": "questions, and one line that names the file",
    "cache clean": "one line per kind that is deleted",
    "schema config": "a JSON Schema",
    "schema results": "a JSON Schema",
    "schema speed": "a JSON Schema",
}
MODELS = [
    "Qwen2.5-0.5B-Instruct",
    "Qwen2.5-7B-Instruct",
    "DeepSeek-R1-Distill-Qwen-7B",
    "Meta-Llama-3.1-8B-Instruct",
    "中文模型-一百三十亿参数-对话版",
    "gpt-4-0125-preview",
    "chatglm3-6b",
    "Yi-1.5-34B-Chat",
    "Baichuan2-13B-Chat",
    "internlm2_5-7b-chat",
    "Mistral-7B-Instruct-v0.3",
    "m" * 70,
]
TASKS = ["ceval-valid", "cmmlu_anatomy", "zh_word_problems", "mmlu_abstract_algebra", "gsm8k", "en_passages"]


def command_names() -> set[str]:
    """Every command that can be typed, read from the command line itself."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[str]:
        commands = getattr(command, "commands", None)
        if not commands:
            yield " ".join(path)
        for name, inner in (commands or {}).items():
            yield from walk(inner, (*path, name))

    return set(walk(typer.main.get_command(app), ()))


def name_of(command: list[str]) -> str:
    """``tasks list`` of its arguments."""
    return " ".join(command[:2]) if command[0] in ("tasks", "published", "adoption", "cache") else command[0]


@functools.cache
def documents() -> dict[str, Document]:
    """Documents by the command line that shows them."""
    shown: dict[str, Document] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        write_votes(Path("votes.csv"))
        for command in READING:
            shown[" ".join(command).replace(f"{ROOT}/", "")] = _shown_by(command)
    twelve = make_results(MODELS, TASKS)
    shown["run (12 models)"] = score_document(make_table([twelve]), every=True)
    shown["run (2 models)"] = score_document(make_table([make_results(MODELS[2:4], TASKS)]))
    shown["run (1 task, 6 models)"] = score_document(make_table([make_results(MODELS[:6], TASKS[:1])]))
    shown["bench"] = speed_document(_bench())
    shown["parity"] = parity_document(_parity())
    shown["rescore"] = changes_document(
        [Change(name, "gsm8k", "exact_match", "flexible-extract", 0.5, 0.5125) for name in MODELS]
    )
    shown["tokenizers"] = _tokenizers()
    shown["doctor"] = doctor_document(
        [
            Check("Python", "ok", "3.11.7 (/home/student/项目/模型评测/.venv/bin/python)"),
            Check("disk", "warn", "1.2 GiB free at /mnt/1234567890", "give --out a folder on another disk"),
            Check("hub", "bad", "https://huggingface.co: timed out", "HF_ENDPOINT=https://hf-mirror.com"),
        ]
    )
    return shown


def _tokenizers() -> Document:
    count = LanguageCount(1058, 12345, 23456, 3)
    names = ("/data/mirror/models/Qwen/Qwen3-0.6B", "bundled/tiny-llama", MODELS[4])
    counts = [
        TokenizerCounts((name, "other"), "bpe", 151669, "0", {"own": {"zh": count, "en": count}})
        for name in names
    ]
    text = ParallelText("own", "a file of the user", ("甲",), ("one",))
    return tokenizers_document(counts, [], [text], {"zh": 500, "en": 1800})


def _shown_by(command: list[str]) -> Document:
    documents: list[Document] = []

    def record(shown: Document, *_: Any, **__: Any) -> str:
        documents.append(shown)
        return ""

    with mock.patch.object(rendering, "render", record):
        outcome = CliRunner().invoke(app, command)
    assert outcome.exit_code == 0, (command, outcome.output)
    assert len(documents) == 1, command
    return documents[0]


def write_votes(file: Path) -> None:
    """Votes of a few models, one with a Chinese name."""
    names = MODELS[2:6]
    pairs = [(a, b) for a in names for b in names if a < b]
    lines = [f"{a},{b},{1234 + 7 * k},{1000 + k},{k}" for k, (a, b) in enumerate(pairs)]
    file.write_text("\n".join(["model_a,model_b,wins_a,wins_b,ties", *lines, ""]), encoding="utf-8")


def make_results(models: list[str], tasks: list[str]) -> Results:
    """A run with failed cells, random weights, a group and warnings."""
    rows = []
    for number, model in enumerate(models):
        for position, task in enumerate(tasks):
            value = None if (number, position) == (1, 3) else 0.031 * (number + 1) + 0.05 * position
            more: dict[str, Any] = {"ci95": (value - 0.0345, value + 0.0345)} if value is not None else {}
            more |= {"n": 1234 + position, "seconds": 12.5, "n_truncated": 3 * (number == 2)}
            more |= {"language": "zh" if position < 3 else "en", "chance": 0.25}
            if value is None:
                more = {"status": "failed", "reason": f"out of memory: {model} needs 1,234,567,890 bytes"}
            rows.append(row(model, task, value, **more))
    groups = [group(model, 0.4, tasks[:2], name="zh_group") for model in models]
    return Results(
        name="first-hour",
        harness_version="0",
        created="2026-01-01T00:00:00+00:00",
        config_hash="0",
        models=[
            ModelRow(model=name, id=name, status="ok", weights="random" if number == 6 else "pretrained")
            for number, name in enumerate(models)
        ],
        rows=rows,
        groups=groups,
    )


def _bench() -> SpeedResults:
    share = {"name": "H200, measured", "flops": 6.5e14, "bandwidth": 4.1e12, "bound": "memory"}
    share |= {"mfu": 0.123, "mbu": 0.456, "roofline": 0.789}
    phase = {"flops": 2.345e15, "bytes": 1.234e12, "seconds": 1.2345, "measured": share, "datasheet": share}
    times = dict.fromkeys(("mean", "p50", "p90", "p95", "p99"), 12345.6)
    rows = [
        SpeedRow.model_validate(
            {
                "cell_id": f"{model}-{count}",
                "model": model,
                "shape": f"1024>256 x{count}",
                "identity": {"id": model},
                "workload": {"mode": "closed", "input": 1024, "output": 256, "concurrency": count},
                "rate": {
                    name: {"median": 1234567.0 + count, "ci95": (1230000.0, 1240000.0)}
                    for name in ("output_tps", "prefill_tps", "decode_tps", "requests_ps", "goodput_ps")
                },
                "latency_ms": {"ttft": times, "tpot": times, "e2e": times},
                "limit": {"prefill": phase, "decode": phase, "whole": phase},
                "energy": {
                    "joules_gross": 9876.5,
                    "joules_net": 5432.1,
                    "seconds": 12.0,
                    "source": "NVML",
                    "tokens": 4096,
                    "joules_per_token": 2.41,
                    "joules_per_request": 617.0,
                },
                "cost": {
                    "usd_per_hour": 3.99,
                    "source": "https://example.org/prices/of/accelerators/by/the/hour",
                    "gpus": 1,
                    "usd_per_million_output": 12.3,
                    "usd_per_million_total": 2.46,
                },
                "stats": {"gate": "output_tps", "repeats": 7, "rejected": 2},
                "projected": [
                    {
                        "chip": "Ascend 910B",
                        "basis": "datasheet",
                        "output_tps": (123.0, 456.0),
                        "bound": {"prefill": "compute", "decode": "memory"},
                        "same_bound": False,
                    }
                ],
                "status": "ok",
            }
        )
        for model in MODELS[:4]
        for count in (1, 64)
    ]
    return SpeedResults(name="speed", harness_version="0", created="", config_hash="", rows=rows)


def _parity() -> Parity:
    cells = [
        CellParity(
            model=model,
            task=task,
            verdict="within noise",
            reasons=("some log-probabilities differ by up to 6e-06 per token, over 1e-06",),
            items=1058,
            logprobs=LogprobSpread(1058, 6.0e-06, 1.2e-06, 3.4e-07),
            argmax_flips=12,
            texts=98,
            texts_differing=7,
            metrics=(MetricDifference("exact_match", "none", 0.4321, 0.4567, 0.01),),
            differing=(ItemDifference("17", "arg-max", 6.0e-06, "甲" * 40, "B" * 40),),
        )
        for model in MODELS[:3]
        for task in TASKS[:2]
    ]
    return Parity("transformers bfloat16", "vllm bfloat16", "within noise", cells[0].reasons, tuple(cells))
