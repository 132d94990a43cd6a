"""Records the smoke run: results/recorded/smoke, and the table in both READMEs. Run it after the
tiny models or the engine changed.

usage: python scripts/record_smoke.py
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("results/recorded/smoke")
NOT_KEPT = ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "logs", ".lock")
CAPTIONS = {
    "README.md": "What `harness run smoke`, the job of `make demo`, printed on {machine}, "
    "{seconds:.0f} s from start to table "
    "(the models are tiny and made for this: the numbers say that the machinery works, nothing about the "
    "real families):",
    "README.zh-CN.md": "`make demo` 的主任务 `harness run smoke` 在 {machine} "
    "上的输出，从启动到出表 {seconds:.0f} 秒"
    "（模型是为此训练的微型模型：数字只说明流程可用，不代表真实模型的水平）：",
}


LANGUAGES = {"README.md": "en", "README.zh-CN.md": "zh"}


def table_in(language: str) -> str:
    """The recorded run's table as markdown."""
    command = [sys.executable, "-m", "harness.cli.main", "report", str(FOLDER), "--format", "markdown"]
    done = subprocess.run([*command, "--language", language], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def main() -> None:
    """Runs, keeps, and writes the tables."""
    os.chdir(ROOT)
    shutil.rmtree(FOLDER, ignore_errors=True)

    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "harness.cli.main", "run", "configs/smoke.yaml", "--out", str(FOLDER)],
        check=True,
    )
    seconds = time.perf_counter() - begin

    tables = {name: table_in(language) for name, language in LANGUAGES.items()}

    # Journal and logs hold times and paths of this machine, which are no result.
    for name in NOT_KEPT:
        path = FOLDER / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    (FOLDER / "table.md").write_text(tables["README.md"] + "\n", encoding="utf-8")

    hardware = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))["hardware"]
    machine = f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['memory'] / 2**30:.0f} GiB"
    for name, caption in CAPTIONS.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        head = caption.format(machine=machine, seconds=seconds)
        block = f"<!-- smoke -->\n{head}\n\n{tables[name]}\n<!-- /smoke -->"
        escaped = block.replace("\\", r"\\")
        new, count = re.subn(r"<!-- smoke -->.*?<!-- /smoke -->", escaped, text, flags=re.DOTALL)
        if count != 1:
            sys.exit(f"{name}: expected one <!-- smoke --> … <!-- /smoke --> block, found {count}")
        path.write_text(new, encoding="utf-8")
    print(f"recorded in {FOLDER}: {seconds:.1f} s")


if __name__ == "__main__":
    main()
