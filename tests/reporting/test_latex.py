"""Tables for a paper: to the character, with no command of a cell, fitted to the page, and compiled
where there is a LaTeX.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.runs import ROOT

from harness.analysis.lines import Line, ScoreFigure
from harness.reporting.best import sure_best
from harness.reporting.document import Column, Document, Points, Table, TableCell, keys, numbers, texts
from harness.reporting.rendering import render
from harness.reporting.score_document import score_document
from harness.reporting.table import make_table
from harness.reporting.tex_layout import SIDEWAYS, UPRIGHT, PaperLayout, layout, measured
from harness.reporting.texts import Phrase
from harness.results.query import read_results

SMOKE = ROOT / "results" / "recorded" / "smoke"
EVIL = 'a|b_c & 5 % <b>x</b> \\input{y} \x1b[2J\u202e#$~^{} "`é ✓ ✗ ≥ θ µ ₂ “q” – —'
NAME = "models--an-organisation--A_very-long-Name-of-a-Model-72B-Instruct"


def document(text: str = "plain") -> Document:
    """Two tables, one of them with a section and a sum; notes and lists."""
    columns = [*keys("model"), *numbers("score", "n")]
    rows = [
        [TableCell(text), TableCell("0.500 ±0.040*", 0.5), TableCell("1,058", 1058)],
        [TableCell("sum"), TableCell("0.900 ±0.010", 0.9, best=True), TableCell("")],
    ]
    first = Table.of(Phrase("Ratings"), columns, rows, [text], breaks=frozenset({1}), strong=frozenset({1}))
    second = Table.of("", [Column(text, key=True)], [["  inner"]], caption=text)
    return Document(text, (first, second), (text,), (Points("", (text,)),))


def figures(*values: float | None, half: float | None = 0.05, prompt: str = "p") -> tuple[ScoreFigure, ...]:
    return tuple(ScoreFigure(value, half, 100, "ok", prompt_id=prompt) for value in values)


def line(marks: tuple[ScoreFigure, ...], *, higher: bool = True) -> Line:
    return Line("t", "task", "zh", "acc", None, 0, 0.25, higher, marks)


def compiled(text: str, folder: Path, engine: str, packages: str = "") -> str:
    """The log of a paper that takes the tables in; skips where the engine is not installed."""
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    loads = r"\usepackage{booktabs,array,longtable,rotating}" + packages
    paper = f"\\documentclass{{article}}{loads}\\begin{{document}}\n{text}\\end{{document}}\n"
    (folder / "paper.tex").write_text(paper, encoding="utf-8")

    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
    log = (folder / "paper.log").read_text(encoding="utf-8", errors="replace")
    if missing := re.search(r"File `([\w.]+)' not found", log):
        pytest.skip(f"LaTeX has no {missing[1]}")
    assert done.returncode == 0, log[-2000:]
    return log


def test_to_the_character() -> None:
    text = render(document("a_b & 5 %"), "latex")
    assert text.split("\n\n")[0].splitlines() == [
        r"% a_b & 5 %: \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        r"\caption{Ratings}",
        r"\label{tab:a-b-5-ratings}",
        r"\begin{tabular}{@{}lrr@{}}",
        r"\toprule",
        r"model & score & n \\",
        r"\midrule",
        r"a\_b \& 5 \% & 0.500 $\pm$0.040\rlap{*} & 1,058 \\",
        r"\midrule",
        r"\textbf{sum} & \textbf{0.900 $\pm$0.010} &  \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip",
        r"\begin{minipage}{\linewidth}",
        r"\footnotesize\raggedright",
        r"a\_b \& 5 \%\par",
        r"Bold: the best score, where its 95 \% interval lies apart from all others'.\par",
        r"\end{minipage}",
        r"\end{table}",
    ]
    assert r"\quad inner \\" in text
    assert r"\caption{a\_b \& 5 \%}" in text


def test_holds_no_command_of_a_cell() -> None:
    text = render(document(EVIL), "latex")
    outside = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert r"\input" not in outside
    outside = re.sub(r"\$[^$]+\$", "", outside.replace("\\$", ""))
    for mark in "&%$#_":
        unescaped = re.findall(rf"(?<!\\){re.escape(mark)}", outside)
        # Only the ampersands between cells are ours.
        assert len(unescaped) == (6 if mark == "&" else 0), mark
    assert all(line.startswith("%") or line == "" for line in text.split(r"\end{table}")[-1].splitlines())


def test_takes_no_name_for_an_option_or_a_dash() -> None:
    assert r"{[}a] b \\" in render(Document("", (Table.of("", keys("[a] b"), []),)), "latex")
    rows = [["[1]"], ["*a*"], ["models--org---name"]]
    lines = render(Document("", (Table.of("", keys("name"), rows),)), "latex").splitlines()
    assert lines[9:12] == [r"{[}1] \\", r"{*}a* \\", r"models-{}-org-{}-{}-name \\"]


def test_marks_of_a_figure_take_no_room() -> None:
    text = render(Document("", (Table.of("", keys("n"), [["0.317†"], ["0.2†‡"], ["GPT†"]]),)), "latex")
    assert r"0.317\rlap{†} \\" in text
    assert r"0.2\rlap{†‡} \\" in text
    assert r"GPT† \\" in text


def test_labels_are_the_same_in_every_language() -> None:
    table = Table.of(Phrase("Ratings"), keys("model"), [["a"]])
    shown = Document(Phrase("How fast"), (table, table))
    texts = [render(shown, "latex", language=language) for language in ("en", "zh")]
    labels = [re.findall(r"\\label\{(.+?)\}", text) for text in texts]
    assert labels == [["tab:how-fast-ratings", "tab:how-fast-ratings-2"]] * 2
    assert r"\caption{评分}" in texts[1]
    assert "ctex" in texts[1].splitlines()[1]
    assert "ctex" not in texts[0]


@pytest.mark.parametrize(
    ("marks", "higher", "best"),
    [
        (figures(0.9, 0.5), True, 0),
        (figures(0.9, 0.5), False, 1),
        (figures(0.55, 0.5), True, None),  # the intervals overlap
        (figures(0.9, None, 0.1), True, 0),
        (figures(0.9), True, None),
        (figures(0.9, 0.5, half=None), True, None),
        ((*figures(0.9), *figures(0.1, prompt="other")), True, None),
    ],
)
def test_bold_is_only_what_is_surely_best(
    marks: tuple[ScoreFigure, ...], higher: bool, best: int | None
) -> None:
    assert sure_best(line(marks, higher=higher)) == best


def test_the_score_table_says_what_bold_means() -> None:
    text = render(score_document(make_table([read_results(str(SMOKE))])), "latex", language="zh")
    assert r"\textbf{1.000 $\pm$0.012}" in text
    assert r"\textbf{中文平均} & 4 项平均 &  &  & 0.492 $\pm$0.033" in text
    assert "粗体：最好的得分" in text


def test_wide_tables_are_folded_then_turned_then_parted() -> None:
    def chosen(names: int, long: bool = False) -> PaperLayout:
        columns = [*keys("task"), *numbers(*["a score"] * names)]
        rows = [["zh_word_problems", *["0.469 ±0.076"] * names]] * (60 if long else 5)
        return layout(Table.of("", columns, rows))

    small, smaller, side, parts = chosen(3), chosen(4), chosen(7), chosen(20)
    assert (small.size.command, smaller.size.command) == ("", r"\small")
    assert not smaller.sideways
    assert side.sideways
    assert not parts.sideways
    assert len(parts.parts) > 3
    assert all(part.columns[0] == 0 for part in parts.parts)
    assert [one for part in parts.parts for one in part.columns[1:]] == list(range(1, 21))
    assert chosen(3, long=True).long
    assert not chosen(7, long=True).sideways


def test_nothing_is_measured_wider_than_the_page() -> None:
    prose = "a sentence of several words that no page can hold in one line beside four other columns"
    columns = [*keys("model"), *texts("what", "why"), *numbers("n")]
    table = Table.of("", columns, [[NAME, prose, "因为这一列是一段没有空格的中文说明" * 3, "12"]])
    made = layout(table)
    for part in made.parts:
        needed = sum(part.widths) * made.size.digit + made.size.gap * (len(part.widths) - 1)
        assert needed <= (SIDEWAYS if made.sideways else UPRIGHT) + 4 * made.size.digit
    assert measured("iiii") < measured("0000") < measured("MMMM") < measured("中中中中")


def test_evil_names_compile(tmp_path: Path) -> None:
    many = Table.of("", [*keys("name"), *texts("what")], [[f"{NAME}{EVIL}", "x " * 60]] * 50)
    text = render(document(EVIL), "latex") + render(Document("", (many,)), "latex")
    assert r"\begin{longtable}" in text
    compiled(text, tmp_path, "pdflatex")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_runs_table_compiles_and_fits(language: str, tmp_path: Path) -> None:
    text = render(score_document(make_table([read_results(str(SMOKE))])), "latex", language=language)
    engine, packages = ("xelatex", r"\usepackage{ctex}") if language == "zh" else ("pdflatex", "")
    log = compiled(text, tmp_path, engine, packages)
    assert "Overfull" not in log
    assert "Missing character" not in log
