"""Tables in narrow terminals: every cell is there whole, digits are never parted, and no line is
longer than the terminal.
"""

from __future__ import annotations

import random
import re

import pytest
from rich.cells import cell_len

from harness.reporting import make_table, render
from harness.reporting.document import Column, Document, Screen, Table, keys, numbers
from harness.reporting.fitting import FittedColumn, blocks, folded, parts, pieces
from harness.reporting.writers import terminal
from harness.results.schema import Results

NAMES = [
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
    "中文模型-一百三十亿参数-对话版",
    "gpt-4-0125-preview",
    "x",
    "a" * 70,
    "Qwen2.5-0.5B",
]
FIGURES = [
    "6.0e-06",
    "1,058",
    "812/203/25",
    "15.0 GiB",
    "0.700 ±0.035",
    "2024-03-29",
    "–",
    "12345678901234567890",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deepseek-ai/DeepSeek-R1", ["deepseek-", "ai/", "DeepSeek-", "R1"]),
        ("6.0e-06", ["6.0e-06"]),
        ("812/203/25", ["812/203/25"]),
        ("2024-03-29", ["2024-03-29"]),
        ("1,058 of 2", ["1,058 ", "of ", "2"]),
        ("gpt-4-0125-preview", ["gpt-", "4-0125-", "preview"]),
        ("中文a-b", ["中", "文", "a-", "b"]),
        ("", []),
        ("--", ["--"]),
    ],
)
def test_where_a_text_may_be_broken(text: str, expected: list[str]) -> None:
    assert list(pieces(text)) == expected


@pytest.mark.parametrize("width", [1, 2, 5, 8, 13, 24, 80])
@pytest.mark.parametrize("text", [*NAMES, *FIGURES, "one  two   three", "  x"])
def test_folding_keeps_every_character(text: str, width: int) -> None:
    lines = folded(text, width).split("\n")
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(line) <= max(width, 2) for line in lines)


def printed(title: str, columns: list[Column], rows: list[list[str]], width: int) -> str:
    return terminal.write(Document("", (Table.of(title, columns, rows),)), Screen(width))


def columns_of(rng: random.Random) -> list[FittedColumn]:
    size, rows = rng.randint(1, 9), rng.randint(0, 5)
    found = [
        FittedColumn(
            rng.choice(["name", "模型", "task (subjects)"]),
            tuple(rng.choice(NAMES) for _ in range(rows)),
            key=True,
        )
    ]
    for _ in range(size):
        figures = rng.random() < 0.6
        heading = rng.choice(["n", "KV/1k tok", "batch 1k/4k/32k", "prompt tokens"])
        found.append(
            FittedColumn(
                heading, tuple(rng.choice(FIGURES if figures else NAMES) for _ in range(rows)), figures
            )
        )
    return found


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 120, 200])
def test_any_table_fits_and_keeps_its_figures(width: int) -> None:
    rng = random.Random(width)
    for _ in range(60):
        columns = columns_of(rng)
        made = parts(columns, width, 3)
        for part in made:
            assert part.columns[0] == 0
            assert sum(part.widths) + 3 * (len(part.widths) - 1) <= width
            for place, wide in zip(part.columns, part.widths, strict=True):
                assert not columns[place].figures or wide >= max(
                    map(cell_len, columns[place].cells), default=0
                )
        assert not made or [place for part in made for place in part.columns[1:]] == list(
            range(1, len(columns))
        )
        text = printed(
            "",
            [Column(column.heading, number=column.figures, key=column.key) for column in columns],
            [list(row) for row in zip(*(column.cells for column in columns), strict=True)],
            width,
        )
        assert all(cell_len(line) <= width for line in text.splitlines())
        whole = " ".join(text.split())
        for column in columns:
            for cell in column.cells:
                if column.figures and made:
                    assert cell in text
                assert made or "".join(cell.split()) in "".join(whole.split())


def test_an_unbroken_table_where_it_fits() -> None:
    text = printed("t", [*keys("name"), *numbers("n")], [["a-b", "1,058"], ["c", "2"]], 40)
    assert text == "t\nname      n\n───────────\na-b   1,058\nc         2\n\n"


def test_one_table_below_the_other() -> None:
    rows = [["one-model", "1,058", "6.0e-06"], ["other", "2", "3"]]
    columns = [*keys("model"), *numbers("tokens", "chance")]
    text = printed("", columns, rows, 20)
    assert [line.split() for line in text.splitlines() if line.strip() and "─" not in line] == [
        ["model", "tokens"],
        ["one-model", "1,058"],
        ["other", "2"],
        ["model", "chance"],
        ["one-model", "6.0e-06"],
        ["other", "3"],
    ]
    assert blocks([FittedColumn("a b", ("x y",)), FittedColumn("c", ("1,058",))], 20) == [
        "a b: x y",
        "c: 1,058",
        "",
    ]
    narrow = printed("", columns, rows, 12)
    assert narrow.split("\n\n")[:2] == [
        "model: one-\nmodel\ntokens:\n1,058\nchance:\n6.0e-06",
        "model: other\ntokens: 2\nchance: 3",
    ]


@pytest.mark.parametrize("width", [30, 60, 80, 100, 120, 200])
def test_wide_tables_keep_every_figure(width: int) -> None:
    columns = [*numbers("rank"), *keys("model"), *numbers(*(f"figure {place}" for place in range(12)))]
    rows = [[str(k), name, *(f"{k}.{place:04}e-06" for place in range(12))] for k, name in enumerate(NAMES)]
    text = printed("s", columns, rows, width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert sorted(re.findall(r"\d\.\d{4}e-06", text)) == sorted(cell for row in rows for cell in row[2:])


@pytest.mark.parametrize("width", [12, 24, 30, 40, 60, 80, 100])
def test_a_results_table_keeps_every_score(full: Results, width: int) -> None:
    text = render(make_table([full]), "rich", width=width)
    scores = re.findall(r"\d\.\d{3}", render(make_table([full]), "rich", width=200))
    squeezed = "".join(text.split())
    assert all(squeezed.count(score) >= scores.count(score) for score in set(scores))
    table = text.split("± is half")[0]
    assert all(cell_len(line) <= width for line in table.splitlines())
