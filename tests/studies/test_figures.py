"""What can be taken away of a figure: its title and source stand inside it, its rows beside it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from xml.etree import ElementTree

from typer.testing import CliRunner

from harness.cli.main import app
from harness.studies import figures
from harness.studies import page as studies_page
from harness.studies.answer import ClaimAnswer, answer
from harness.studies.claims import find_claim
from harness.studies.data import Data

LONG = "最好的中国开放模型减最好的美国开放模型（不计由对方国家权重微调的模型），" * 3


def made() -> ClaimAnswer:
    return answer(find_claim("C9"), Data(folder=None))


def texts(svg: bytes) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("}text")]


def test_title_and_source_stand_inside_and_nothing_is_lost() -> None:
    size = b'width="300" height="100" viewBox="0 0 300 100"'
    bare = b'<svg xmlns="http://www.w3.org/2000/svg" ' + size + b"><rect/></svg>"
    whole = figures.framed(bare, LONG, "Source: <b> & " + "words " * 30)
    root = ElementTree.fromstring(whole)
    joined = "".join(texts(whole))
    assert LONG in joined
    assert joined.replace(" ", "").endswith("words" * 30)
    assert float(root.get("height", "0")) > 250
    assert all(figures._width(line) * figures.TITLE <= 290 for line in texts(whole)[:3])


def test_a_source_names_board_days_and_version() -> None:
    one = answer(find_claim("C6"), Data(folder=None))
    line = figures.source_line(one, one.exhibits[0], "zh")
    assert re.fullmatch(r"来源：LMArena，\d{4}-\d\d-\d\d – \d{4}-\d\d-\d\d。说法 C6，harness [\d.]+。", line)
    liked = made()
    assert "Hugging Face" in figures.source_line(liked, liked.exhibits[0], "en")


def test_rows_are_those_that_are_drawn() -> None:
    exhibit = next(one for one in made().exhibits if one.kind == "liked")
    rows = list(csv.DictReader(io.StringIO(figures.rows_csv(exhibit, "en"))))
    assert len(rows) == len(exhibit.points)
    assert rows[0]["model"] == exhibit.points[0]["model"]


def test_the_page_links_to_the_files_beside_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["study", "C14", "C13", "--out", str(tmp_path), "--language", "zh"])
    assert result.exit_code == 0, result.output
    page = (tmp_path / "studies.zh.html").read_text(encoding="utf-8")
    links = re.findall(r'href="(plots/[^"]+)" download', page)
    assert {link.rpartition(".")[2] for link in links} == {"png", "svg", "csv"}
    assert all((tmp_path / link).stat().st_size > 100 for link in links)
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == sorted(link[6:] for link in links)

    # Overview and claims lead to each other; what leads away gives nothing of the page along.
    assert 'href="#verdicts"' in page
    assert 'href="#C13">C13 →' in page
    assert all('rel="noopener noreferrer"' in tag for tag in re.findall(r'<a href="https?://[^>]+>', page))


def test_png_is_left_out_where_asked(tmp_path: Path) -> None:
    arguments = ["study", "C6", "--out", str(tmp_path), "--no-png", "--language", "en"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert {path.suffix for path in (tmp_path / "plots").iterdir()} == {".svg", ".csv"}
    assert ".png" not in (tmp_path / "studies.en.html").read_text(encoding="utf-8")


def test_without_files_the_page_has_no_links() -> None:
    page = studies_page.html([made()], Data(folder=None), "en", {})
    assert " download>" not in page
