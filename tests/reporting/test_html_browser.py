"""The page in a real browser: no error, no request, every control works, by keyboard too, and
nothing hostile runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.chromium import Browser, find_chromium
from support.hostile import ANSWERS, hostile_run
from support.runs import ROOT

from harness.reporting.html import page
from harness.reporting.plots.theme import GRID, ON_PAGE
from harness.results.query import read_run
from harness.studies.data import Data
from harness.studies.section import section

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no chromium here: apt-get install chromium fonts-noto-cjk"
)
SMOKE = ROOT / "results" / "recorded" / "smoke"
COUNT = "document.getElementById('count').textContent"
CARDS = "document.querySelectorAll('article').length"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("page") / "smoke.html"
    made.write_text(page([read_run(SMOKE)]), encoding="utf-8")
    return made


@pytest.fixture
def opened(browser: Browser, file: Path) -> Browser:
    """The smoke run's page, loaded afresh on a wide light screen."""
    browser.requests.clear()
    browser.complaints.clear()
    browser.look(1100)
    browser.open(file)
    return browser


def choose(browser: Browser, **values: str) -> None:
    """Sets selects and inputs as a person would, with their events."""
    for name, value in values.items():
        control = f"document.getElementById('{name.replace('_', '-')}')"
        browser.run(f"{control}.value = '{value}'; {control}.dispatchEvent(new Event('change'))")


def click(browser: Browser, name: str) -> None:
    browser.run(f"document.getElementById('{name}').click()")


def test_it_loads_without_an_error_or_a_request(opened: Browser, file: Path) -> None:
    assert opened.run(COUNT) == "1,160 of 1,160 questions; page 1 of 58"
    assert opened.run(CARDS) == 20
    assert opened.complaints == []
    assert opened.requests == [file.resolve().as_uri()]


def test_a_section_of_studies_loads_without_an_error_and_shows_its_plots(
    browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "studies.html"
    file.write_text(
        page([read_run(SMOKE)], "zh", section(["C5", "C6"], Data(folder=None), "zh")), encoding="utf-8"
    )
    for width in (390, 1100):
        browser.requests.clear()
        browser.complaints.clear()
        browser.look(width, "dark")
        browser.open(file)
        assert browser.complaints == []
        assert browser.requests == [file.resolve().as_uri()]
        assert browser.run("document.documentElement.scrollWidth") == width
    widths = "[...document.querySelectorAll('#studies svg')].map((one) => one.getBoundingClientRect().width)"
    assert [width > 500 for width in browser.run(widths)] == [True] * 4
    assert browser.run(CARDS) == 20


def test_the_policy_stops_requests_and_scripts(opened: Browser) -> None:
    """What the page does not do it also could not do: an image is refused, an injected script does
    not run.
    """
    opened.run("{const i = new Image(); i.src = 'https://example.invalid/x.png'; document.body.append(i)}")
    opened.run(
        "{const s = document.createElement('script'); s.textContent = 'window.hacked = 1'; "
        "document.body.append(s)}"
    )
    opened.run("new Promise((done) => setTimeout(done, 100))")
    assert opened.run("window.hacked") is None
    assert sum("Content Security Policy" in one for one in opened.complaints) >= 2


def test_the_filters_find_what_they_say(opened: Browser) -> None:
    choose(opened, task="0")
    assert opened.run(COUNT).startswith("160 of 1,160")
    choose(opened, model_a="0", state_a="right")
    assert opened.run(COUNT).startswith("75 of 1,160")  # 0.46875 of 160
    click(opened, "reset")
    click(opened, "preset")
    assert opened.run("document.getElementById('state-b').value") == "wrong"
    first = opened.run(COUNT)
    marks = opened.run(
        "[...document.querySelectorAll('article')].map((a) => [...a.querySelectorAll('.answer')].map((b) => "
        "b.className))"
    )
    assert len(marks) == 20
    assert all(row[0] == "answer right" and row[1] == "answer wrong" for row in marks)
    click(opened, "swap")
    assert opened.run(COUNT) != first
    click(opened, "only")
    assert opened.run("document.querySelector('article').querySelectorAll('.answer').length") == 2
    choose(opened, state_a="truncated", state_b="any")
    assert opened.run(CARDS) == 0
    assert opened.run(COUNT).startswith("No question fits")


def test_search_and_pages(opened: Browser) -> None:
    opened.run(
        "{const s = document.getElementById('search'); s.value = 'ZH_LETTERS #7'; s.dispatchEvent(new "
        "Event('input'))}"
    )
    opened.run("new Promise((done) => setTimeout(done, 300))")
    titles = opened.run("[...document.querySelectorAll('article h3')].map((t) => t.textContent)")
    assert titles == ["zh_letters #7", *(f"zh_letters #{number}" for number in range(70, 80))]
    click(opened, "reset")
    click(opened, "next")
    assert "page 2 of 58" in opened.run(COUNT)
    click(opened, "previous")
    assert opened.run("document.getElementById('previous').disabled") is True


def test_the_keyboard_is_enough(opened: Browser) -> None:
    opened.key("\t")
    assert opened.run("document.activeElement.className") == "skip"
    opened.key("\t")
    assert opened.run("document.activeElement.id") == "theme"
    opened.key("\r")
    assert opened.run("document.documentElement.dataset.theme") == "dark"
    opened.key("n")
    opened.key("n")
    opened.key("p")
    assert "page 2 of 58" in opened.run(COUNT)
    opened.key("/")
    assert opened.run("document.activeElement.id") == "search"
    opened.key("n")
    assert opened.run("document.getElementById('search').value") == "n"
    reach = "[...document.querySelectorAll('.scroll, pre')].every((box) => box.tabIndex === 0)"
    assert opened.run(reach) is True


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dark_and_light_follow_the_system_and_the_switch(opened: Browser, scheme: str) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    colours = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 28)"}
    opened.look(1100, scheme)
    assert opened.run(ground) == colours[scheme]
    click(opened, "theme")
    assert opened.run(ground) == colours["dark" if scheme == "light" else "light"]


CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const light = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const row = document.querySelector('tbody tr');
  const looks = ['h', 'up', 'down'].flatMap((name) => [...Array(11).keys()].map((step) => name + step));
  const ratios = looks.map((look) => {
    const cell = document.createElement('td');
    cell.className = look;
    row.append(cell);
    const style = getComputedStyle(cell);
    const bare = style.backgroundColor === 'rgba(0, 0, 0, 0)';
    const ground = bare ? getComputedStyle(document.body).backgroundColor : style.backgroundColor;
    const ends = [light(style.color), light(ground)].sort((a, b) => b - a);
    return [look, bare, (ends[0] + 0.05) / (ends[1] + 0.05)];
  });
  return ratios;
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_shade_leaves_its_figure_readable(opened: Browser, scheme: str) -> None:
    opened.look(1100, scheme)
    ratios = opened.run(CONTRAST)
    assert {look for look, bare, _ in ratios if bare} == {"h0", "up0", "down0"}
    assert min(ratio for _, _, ratio in ratios) >= 4.5  # WCAG's AA for small text
    shades = [ratio for look, _, ratio in ratios if look.startswith("h")]
    assert shades == sorted(shades, reverse=True)  # deeper step by step


CHART_CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const light = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const ratio = (colour) => {
    const ends = [light(colour), ground].sort((a, b) => b - a);
    return (ends[0] + 0.05) / (ends[1] + 0.05);
  };
  const svg = document.querySelector('.chart');
  const mark = (name, colour) => {
    const one = document.createElementNS('http://www.w3.org/2000/svg', name);
    one.setAttribute('fill', colour);
    svg.append(one);
    return ratio(getComputedStyle(one).fill);
  };
  const texts = [...document.querySelectorAll('.chart text')].map((one) => ratio(getComputedStyle(one).fill));
  return [texts, COLOURS.map((colour) => mark('circle', colour))];
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_are_legible_in_both_schemes(opened: Browser, scheme: str) -> None:
    opened.look(1100, scheme)
    colours = [colour for colour in ON_PAGE if colour != GRID]
    texts, marks = opened.run(CHART_CONTRAST.replace("COLOURS", str(colours)))
    assert min(texts) >= 4.5  # WCAG's AA for small text
    assert min(marks) >= 3  # and for what is no text


def test_a_phone_needs_no_sideways_scrolling(opened: Browser) -> None:
    opened.look(390)
    opened.run("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    assert opened.run("document.documentElement.scrollWidth") == 390
    small = "(t) => t.getBoundingClientRect().height < 9 && t.textContent"
    small = f"[...document.querySelectorAll('.chart text')].filter({small}).length"
    assert opened.run(small) == 0


def test_hostile_answers_are_shown_and_do_nothing(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "hostile.html"
    file.write_text(page([hostile_run(tmp_path)]), encoding="utf-8")
    browser.complaints.clear()
    browser.requests.clear()
    assert browser.open(file) < 10
    assert browser.run("window.hacked") is None
    assert browser.run("document.querySelectorAll('img, article b, article script').length") == 0
    said = browser.run(
        "[...document.querySelectorAll('article')].map((a) => a.querySelector('.answer .text').textContent)"
    )
    assert said[0] == ANSWERS["script"]
    assert said[1] == ANSWERS["ending"]
    assert said[2] == "one⟦U+2028⟧two⟦U+2029⟧three"
    assert said[-1] == "caf\ufffd \ufffd\ufffd <b>"
    assert browser.complaints == []
    assert browser.requests == [file.resolve().as_uri()]
    browser.look(390)
    assert browser.run("document.documentElement.scrollWidth") == 390
