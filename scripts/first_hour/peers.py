"""The student's and the engineer's job with other tools: sixty questions out of Excel, a score.

usage: python scripts/first_hour/peers.py BIN MODEL [--url URL] [--tokens N] [--only TOOL …] [--json FILE]

BIN is the bin folder of an environment with lm-eval, EvalScope and Inspect, MODEL a model's
folder, or, with ``--url``, its name at that endpoint. Counted: lines that the user has to write,
seconds, and what was seen.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from first_hour.questions import excel_csv  # noqa: E402

LM_EVAL = """\
task: questions
dataset_path: csv
dataset_kwargs: {data_files: {test: questions.csv}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{question}}\\nA. {{A}}\\nB. {{B}}\\nC. {{C}}\\nD. {{D}}\\n答案："
doc_to_choice: ["A", "B", "C", "D"]
doc_to_target: "{{['A', 'B', 'C', 'D'].index(answer)}}"
metric_list: [{metric: acc}]
"""
LM_EVAL_CHAT = """\
task: questions
dataset_path: csv
dataset_kwargs: {data_files: {test: questions.csv}}
output_type: generate_until
test_split: test
doc_to_text: "{{question}}\\nA. {{A}}\\nB. {{B}}\\nC. {{C}}\\nD. {{D}}\\n答案："
doc_to_target: "{{answer}}"
generation_kwargs: {max_gen_toks: 64, do_sample: false}
filter_list: [{name: letter, filter: [{function: regex, regex_pattern: "([ABCD])"}, {function: take_first}]}]
metric_list: [{metric: exact_match}]
"""
INSPECT = """\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample, csv_dataset
from inspect_ai.scorer import choice
from inspect_ai.solver import multiple_choice


def sample(row):
    options = [row[letter] for letter in "ABCD"]
    return Sample(input=row["question"], choices=options, target=row["answer"])


@task
def questions():
    return Task(dataset=csv_dataset("questions.csv", sample), solver=multiple_choice(), scorer=choice())
"""


@dataclass
class Attempt:
    """One tool on the file in one encoding."""

    tool: str
    encoding: str
    command: str
    lines_to_write: int
    seconds: float
    processor_seconds: float
    exit: int
    seen: str


def main() -> None:
    """Runs each tool on the file as Excel saves it, then on a copy in UTF-8."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("bin", type=Path)
    parser.add_argument("model")
    parser.add_argument("--url")
    parser.add_argument("--tokens", type=int, default=8)
    parser.add_argument("--only", nargs="+", default=["lm-eval", "inspect", "evalscope"])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    attempts = []
    for tool in options.only:
        for encoding in ("gbk", "utf-8"):
            attempts.append(attempt(tool, encoding, options))
            print(json.dumps(asdict(attempts[-1]), ensure_ascii=False))
    if options.json:
        text = json.dumps([asdict(one) for one in attempts], indent=1, ensure_ascii=False)
        options.json.write_text(text + "\n", encoding="utf-8")


def attempt(tool: str, encoding: str, options: argparse.Namespace) -> Attempt:
    """One tool in a folder of its own."""
    model = options.model if options.url else str(Path(options.model).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        excel_csv(folder / "questions.csv", encoding)
        prepare = prepared_for_endpoint if options.url else prepared
        command, written = prepare(tool, folder, model, options)
        command[0] = str(options.bin / command[0])
        begin, before = time.perf_counter(), os.times()
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "COLUMNS": "80", "SERVED_API_KEY": "x"}
        environment |= {"OPENAI_API_KEY": "x", "SERVED_BASE_URL": options.url or ""}
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env=environment,
        )
        spent = [now - then for now, then in zip(os.times()[2:4], before[2:4], strict=True)]
        reports = (path.read_text(encoding="utf-8") for path in folder.glob("outputs/**/reports/*/*.json"))
        return Attempt(
            tool=tool,
            encoding=encoding,
            command=" ".join([Path(command[0]).name, *command[1:]])
            .replace(model, "MODEL")
            .replace(options.url or "\0", "URL"),
            lines_to_write=written,
            seconds=round(time.perf_counter() - begin, 1),
            processor_seconds=round(sum(spent), 1),
            exit=done.returncode,
            seen=seen("".join([done.stdout, done.stderr, *reports])),
        )


def prepared(tool: str, folder: Path, model: str, options: argparse.Namespace) -> tuple[list[str], int]:
    """The command, and how many lines had to be written for it."""
    tokens = options.tokens
    if tool == "lm-eval":
        (folder / "questions.yaml").write_text(LM_EVAL, encoding="utf-8")
        arguments = f"pretrained={model},dtype=float32"
        command = ["lm_eval", "--model", "hf", "--model_args", arguments, "--tasks", "questions",
                   "--include_path", ".", "--apply_chat_template", "--device", "cpu"]  # fmt: skip
        return command, LM_EVAL.count("\n")
    if tool == "inspect":
        (folder / "questions.py").write_text(INSPECT, encoding="utf-8")
        command = ["inspect", "eval", "questions.py", "--model", "hf/local", "-M", f"model_path={model}",
                   "-M", "device=cpu", "--max-tokens", str(tokens), "--display", "plain"]  # fmt: skip
        return command, INSPECT.count("\n")

    (folder / "mcq").mkdir()
    (folder / "questions.csv").rename(folder / "mcq" / "questions_val.csv")
    dataset = {"general_mcq": {"local_path": "mcq", "subset_list": ["questions"]}}
    generation = json.dumps({"max_tokens": tokens, "do_sample": False})
    command = ["evalscope", "eval", "--model", model, "--datasets", "general_mcq",
               "--dataset-args", json.dumps(dataset), "--generation-config", generation]  # fmt: skip
    return command, 0


def prepared_for_endpoint(
    tool: str, folder: Path, model: str, options: argparse.Namespace
) -> tuple[list[str], int]:
    """The same, where the model answers at ``options.url``."""
    if tool == "lm-eval":
        (folder / "questions.yaml").write_text(LM_EVAL_CHAT, encoding="utf-8")
        arguments = f"model={model},base_url={options.url}/chat/completions,num_concurrent=8"
        command = ["lm_eval", "--model", "local-chat-completions", "--model_args", arguments,
                   "--tasks", "questions", "--include_path", ".", "--apply_chat_template"]  # fmt: skip
        return command, LM_EVAL_CHAT.count("\n")
    command, written = prepared(tool, folder, model, options)
    if tool == "inspect":
        local = command.index("hf/local")
        return [
            *command[:local],
            f"openai-api/served/{model}",
            "--max-tokens",
            "64",
            "--display",
            "plain",
        ], written
    return [*command, "--api-url", options.url, "--api-key", "x", "--eval-type", "openai_api"], written


def seen(text: str) -> str:
    """The score, or the last error."""
    for pattern in (
        r"\|questions *\|.*?\|(?:acc|exact_match) *\|.*?\| *([\d.]+)\|±",
        r"accuracy[: ]+([\d.]+)",
        r'"score": ([\d.]+)',
    ):
        if scores := re.findall(pattern, text):
            return f"accuracy {scores[-1]}"
    errors = re.findall(r"(?m)^\W*(\w*(?:Error|Exception)\b.*)$", text)
    return errors[-1][:200] if errors else text.strip()[-200:]


if __name__ == "__main__":
    main()
