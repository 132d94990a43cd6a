"""A student: sixty Chinese questions out of Excel, two models, a table for the paper and a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from first_hour.questions import excel_csv
from first_hour.steps import Step, holds

RUN = "results/questions"
BROKEN = "question,A,B,answer\n一加一等于几？,2,3,E\n"


def steps(models: Sequence[str], folder: Path) -> list[Step]:
    """The steps, over models by name or path; writes the questions into ``folder``."""
    excel_csv(folder / "questions.csv")
    asked = [part for model in models for part in ("--model", model)]
    run = ["run", *asked, "--task", "questions.csv", "--out", RUN]
    return [
        Step(
            "see a question as a model gets it",
            ["tasks", "show", "questions.csv", "--model", models[0]],
            sees=["GBK", "法国的首都是哪座城市", "A. 巴黎", "right answer: A"],
        ),
        Step(
            "what it will take",
            ["plan", *asked, "--task", "questions.csv"],
            sees=[r"\b60\b", "needs", "time", "detects"],
        ),
        Step(
            "run it",
            run,
            sees=[r"questions acc 60 0\.250", "地理", "常识", "算术", "±", "95 % interval"],
        ),
        Step("run it again: nothing to do", run, sees=["done before", r"questions acc 60"]),
        Step(
            "which differences are real, in Chinese",
            ["compare", RUN, "--language", "zh"],
            sees=["区间", r"p\b"],
        ),
        Step(
            "the table for the paper, in Chinese",
            ["report", RUN, "--language", "zh", "--out", "table.tex"],
            looks=[
                holds(
                    "table.tex", r"\\toprule", r"\\label\{tab:", r"\\caption\{[^}]*[\u4e00-\u9fff]", r"\\pm|±"
                )
            ],
        ),
        Step(
            "the page, in Chinese",
            ["report", RUN, "--language", "zh", "--html", "page.html"],
            looks=[holds("page.html", r'lang="zh', "法国的首都是哪座城市")],
        ),
        Step(
            "a mistake in the file is a line",
            ["plan", *asked, "--task", "broken.csv"],
            sees=["broken.csv", "row|line|answer"],
            exit=2,
            before=lambda: (folder / "broken.csv").write_text(
                "question,A,B,answer\n一加一？,2,3,E\n", "utf-8"
            ),
        ),
    ]
