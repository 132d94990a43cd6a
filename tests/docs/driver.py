"""Runs what the docs print, in an empty folder and from an installed wheel.

One process for all, since importing takes longer than most commands. It reads a list of jobs as JSON
from standard input and writes what came of each as JSON lines to the file it is given.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any


def main() -> None:
    """Does the jobs in turn; each says its exit code, its output's end and its seconds."""
    jobs: list[dict[str, str]] = json.load(sys.stdin)
    with Path(sys.argv[1]).open("w", encoding="utf-8") as results:
        for job in jobs:
            begin = time.monotonic()
            with tempfile.TemporaryFile() as output:
                code = _captured(job, output.fileno())
                output.seek(0)
                text = output.read().decode("utf-8", "replace")
            outcome = {"where": job["where"], "text": job["text"], "code": code, "output": text[-1500:]}
            results.write(json.dumps(outcome | {"seconds": round(time.monotonic() - begin, 1)}) + "\n")
            results.flush()


def _captured(job: dict[str, str], output: int) -> int:
    """Does a job with all that it and its processes write in one file, and Enter for every question."""
    with tempfile.TemporaryFile() as answers:
        answers.write(b"\n" * 20)
        answers.seek(0)
        before = [os.dup(number) for number in range(3)]
        sys.stdout.flush()
        for number, new in enumerate((answers.fileno(), output, output)):
            os.dup2(new, number)
        sys.stdin = os.fdopen(os.dup(0))
        try:
            return _do(job)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, old in enumerate(before):
                os.dup2(old, number)
                os.close(old)


def _do(job: dict[str, str]) -> int:
    try:
        if job["kind"] == "command":
            _command(json.loads(job["words"]))
        elif job["kind"] == "python":
            exec(compile(job["text"], job["where"], "exec"), {"__name__": "printed"})
        elif job["kind"] == "yaml":
            _load(job["text"])
        else:
            prepare()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        return 99
    return 0


def _command(words: list[str]) -> None:
    from harness.cli.main import main as harness

    # Every page begins in a folder of its own; a second `harness init` would find the first one's file.
    Path("my-eval.yaml").unlink(missing_ok=True)
    sys.argv = words
    harness()


def _load(text: str) -> None:
    """Loads a config, or the part of one that a page shows, and looks its tasks up."""
    import yaml

    from harness.config import load_config
    from harness.tasks import expand

    # Expectations of a part may name what stands elsewhere on the page, so names are not looked up.
    config: dict[str, Any] = yaml.safe_load(text)
    whole = {"name": "printed", "models": ["tiny-qwen"], **config}
    loaded = load_config(whole)
    expand(loaded.config.tasks, limit=None, base_dir=Path.cwd())


def prepare() -> None:
    """The runs that pages speak of, by a model that only pretends."""
    import shutil

    import harness

    for name, model in (("qwen", "tiny-qwen"), ("llama", "tiny-llama")):
        mock = [{"preset": model, "engine": "mock"}]
        harness.run(name=name, model=mock, tasks="smoke", limit=4, device="cpu")
    for copy in ("one", "two", "my-run"):
        shutil.copytree("results/qwen", f"results/{copy}")


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
