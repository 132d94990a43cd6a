"""Tables in narrow terminals: every cell is there whole, digits are never parted, and no line is
longer than the terminal.
"""

from __future__ import annotations

import random
import re

import pytest
from rich.cells import cell_len

from harness.reporting import make_table, render
from harness.reporting.document import Column, Document, Screen, Table, TableCell, keys, numbers, texts
from harness.reporting.fitting import FittedColumn, blocks, fitted, identifying
from harness.reporting.folding import balanced, clean, folded, least, pieces, words
from harness.reporting.writers import terminal
from harness.results.schema import Results

NAMES = [
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
    "中文模型-一百三十亿参数-对话版",
    "gpt-4-0125-preview",
    "x",
    "a" * 110,
    "Qwen2.5-0.5B",
    "שלום-עולם/מודל",
    "😀👨\u200d👩\u200d👧-emoji",
    "e\u0301" * 30,
    "",
]
FIGURES = [
    "6.0e-06",
    "-6.0e-06",
    "1,058",
    "1,234,567,890",
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
        ("-6.0e-06", ["-6.0e-06"]),
        ("--set models.0.dtype", ["--set ", "models.", "0.", "dtype"]),
        ("https://a.org/b", ["https://", "a.", "org/", "b"]),
        ("812/203/25", ["812/203/25"]),
        ("2024-03-29", ["2024-03-29"]),
        ("1,058 of 2", ["1,058 ", "of ", "2"]),
        ("gpt-4-0125-preview", ["gpt-", "4-0125-", "preview"]),
        ("中文a-b", ["中", "文", "a-", "b"]),
        ("（中文）。", ["（中", "文）。"]),
        ("", []),
        ("--", ["--"]),
    ],
)
def test_where_a_text_may_be_broken(text: str, expected: list[str]) -> None:
    assert list(pieces(text)) == expected
    assert "".join(words(text)) == text


@pytest.mark.parametrize("hang", [0, 2])
@pytest.mark.parametrize("width", [1, 2, 5, 8, 13, 24, 80])
@pytest.mark.parametrize(
    "text", [*NAMES, *FIGURES, "one  two   three", "  x", "  sub-task_of/it", "对。" * 20]
)
def test_folding_keeps_every_character(text: str, width: int, hang: int) -> None:
    lines = folded(text, width, hang).split("\n")
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(line) <= max(width, 2) for line in lines)
    assert not any(line.startswith("。") for line in lines) or width < 4


def test_words_stay_whole_where_they_fit() -> None:
    assert folded("acc 2-shot", 7) == "acc\n2-shot"
    assert folded("power of 80 % at 3 sites", 12, 2) == "power\n  of 80 %\n  at 3 sites"
    assert folded("then `pip install x` now", 16) == "then\n`pip install x`\nnow"
    assert folded("  zh_word_problems", 14, 2) == "  zh_word_\n    problems"
    assert folded("中文 字节/词元", 10) == "中文\n字节/词元"
    assert balanced("每千词元缓存", 10) == "每千词\n元缓存"
    assert least("zh_word_problems of one") == 8
    assert clean("a\x1b[2J\u202eb👨\u200d👩") == "a [2J b👨\u200d👩"


def printed(title: str, columns: list[Column], rows: list[list[str]], width: int) -> str:
    return terminal.write(Document("", (Table.of(title, columns, rows),)), Screen(width))


def columns_of(rng: random.Random) -> list[FittedColumn]:
    size, rows = rng.randint(1, 9), rng.choice([0, 1, 3, 5, 30])
    heading = rng.choice(["name", "模型", "task (subjects)"])
    columns = [FittedColumn(heading, tuple(rng.choice(NAMES) for _ in range(rows)), key=True)]
    for _ in range(size):
        figures = rng.random() < 0.6
        heading = rng.choice(["n", "KV/1k tok", "batch 1k/4k/32k", "prompt tokens", "m" * 60, "每千词元缓存"])
        cells = tuple(rng.choice(FIGURES if figures else NAMES) for _ in range(rows))
        columns.append(FittedColumn(heading, cells, figures))
    return columns


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 100, 120, 200])
def test_any_table_fits_and_keeps_its_figures(width: int) -> None:
    rng = random.Random(width)
    for _ in range(60):
        columns = columns_of(rng)
        layout = fitted(columns, width, 2)
        for part in layout.parts:
            assert sum(part.widths) + 2 * (len(part.widths) - 1) <= width
            for position, wide in zip(part.columns, part.widths, strict=True):
                cells = columns[position].cells
                assert not columns[position].figures or wide >= max(map(cell_len, cells), default=0)
        shown = {position for part in layout.parts for position in part.columns}
        assert not layout.parts or shown == set(range(len(columns)))

        headings = [Column(column.heading, number=column.figures, key=column.key) for column in columns]
        rows = [list(row) for row in zip(*(column.cells for column in columns), strict=True)]
        text = printed("", headings, rows, width)
        assert all(cell_len(line) <= width for line in text.splitlines())
        for column in columns:
            assert all(cell in text for cell in column.cells if column.figures)


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
    narrow = printed("", columns, rows, 12)
    assert narrow == (
        "model:\n  one-model\n  tokens:\n    1,058\n  chance:\n    6.0e-06\n\n"
        "model: other\n  tokens: 2\n  chance: 3\n\n\n"
    )
    assert blocks([FittedColumn("a", ("x",), key=True), FittedColumn("c", ("",))], 20) == ["a: x", ""]


def test_every_part_names_its_rows() -> None:
    """The keys alone would not tell these rows apart."""
    board = FittedColumn("board", ("arena",) * 3, key=True)
    same = FittedColumn("kind", ("votes",) * 3)
    first = FittedColumn("from", ("2023-06-19", "2023-06-19", "2024-01-09"))
    last = FittedColumn("to", ("2024-06-26", "2023-12-20", "2024-01-09"))
    assert identifying([board, same, first, last]) == [0, 2, 3]
    name = FittedColumn("name", ("a", "b", "c"), key=True)
    assert identifying([board, name, first]) == [1]
    assert identifying([board, same]) == [0]
    assert identifying([name, first]) == [0]


def test_a_long_list_goes_on_in_a_second_line() -> None:
    columns = [*keys("name"), *texts("licence", "home")]
    rows = [[f"model-{k}", "apache-2.0", f"https://example.org/{k:012}/{k:012}"] for k in range(30)]
    lines = printed("", columns, rows, 40).splitlines()
    assert lines[:2] == ["name      licence", "    home"]
    assert lines[4].startswith("    https://example.org/")
    assert "     " not in lines[4]
    assert lines[3:6:3] == ["model-0   apache-2.0"]
    # Of a few rows both parts are on one screen.
    assert printed("", columns, rows[:3], 40).count("name") == 2
    # Figures are compared down their column.
    figures = [*keys("name"), *numbers("a", "b")]
    assert printed("", figures, [[f"m{k}", "1" * 20, "2" * 20] for k in range(30)], 40).count("name") == 2


def test_a_folded_name_does_not_look_like_two_rows() -> None:
    text = printed("", [*keys("model"), *numbers("n")], [["deepseek-ai/DeepSeek-R1", "1"], ["b", "2"]], 20)
    assert text.splitlines()[2:] == ["deepseek-ai/       1", "  DeepSeek-R1", "b                  2", ""]


def test_colours_do_not_count_as_columns() -> None:
    table = Table.of("t", keys("a", "b"), [[TableCell("ok", emphasis="good"), "x"]], strong=frozenset({0}))
    text = terminal.write(Document("", (table,), ("note",)), Screen(80, colour=True))
    assert "\x1b[32mok\x1b[0m  \x1b[1mx\x1b[0m" in text
    assert re.sub(r"\x1b\[\d+m", "", text) == terminal.write(Document("", (table,), ("note",)), Screen(80))


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
    assert all(cell_len(line) <= width for line in text.splitlines())
