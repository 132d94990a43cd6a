"""A student: sixty Chinese questions out of Excel, two models, a table for the paper and a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from first_hour.questions import excel_csv
from first_hour.steps import Step, holds


def steps(models: Sequence[str], folder: Path) -> list[Step]:
    """The steps, over models by name or path; writes the questions into ``folder``."""
    excel_csv(folder / "questions.csv")
    asked = [part for model in models for part in ("--model", model)]
    run = "results/questions"
    return [
        Step(
            "see one question as a model gets it",
            ["tasks", "show", "questions.csv", "--model", models[0]],
            sees=["法国的首都是哪座城市", "巴黎", "利马"],
        ),
        Step(
            "what it would cost",
            ["plan", *asked, "--task", "questions.csv", "--language", "zh"],
            sees=[r"\b60\b"],
        ),
        Step(
            "run it",
            ["run", *asked, "--task", "questions.csv", "--out", run],
            sees=["questions", r"\b60\b", r"0\.250", "±"],
        ),
        Step(
            "run it again: nothing to do",
            ["run", *asked, "--task", "questions.csv", "--out", run],
            sees=["done before"],
        ),
        Step(
            "which differences are real, in Chinese",
            ["compare", run, "--language", "zh"],
            sees=[r"p\b|置信区间|区间"],
        ),
        Step(
            "the table for the paper",
            ["report", run, "--language", "zh", "--out", "table.tex"],
            looks=[
                holds("table.tex", r"\\toprule", r"\\label\{", r"\\caption\{[^}]*[\u4e00-\u9fff]", r"\\pm|±")
            ],
        ),
        Step(
            "the page, in Chinese",
            ["report", run, "--language", "zh", "--html", "page.html"],
            looks=[holds("page.html", r'lang="zh', "法国的首都是哪座城市")],
        ),
    ]
