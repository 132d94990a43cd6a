"""Answers as documents: Markdown with its plots beside it, and plain text.

Names are data, never markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness.published.sources import sources
from harness.reporting.inert import visible
from harness.reporting.writers.markdown import code, escape
from harness.studies.answer import ClaimAnswer
from harness.studies.claims import Part, Text
from harness.studies.data import Data
from harness.studies.exhibited import Cell, Exhibit
from harness.studies.finding import StatementFinding, say
from harness.studies.overview import COLUMNS, OverviewRow, asides, below, overview
from harness.version import __version__

if TYPE_CHECKING:
    pass


def plots(answer: ClaimAnswer, language: str) -> dict[str, bytes]:
    """The name of each exhibit's plot (without folder) and its SVG.

    Exhibits without points have none.
    """
    from harness.reporting.plots.save import drawn
    from harness.reporting.plots.svg import slim
    from harness.studies.plots import chart

    pictures = {}
    for number, exhibit in enumerate(answer.exhibits, 1):
        plot = chart(exhibit, language)
        if plot is not None:
            pictures[picture_name(answer, language, number)] = slim(drawn(plot))
    return pictures


def picture_name(answer: ClaimAnswer, language: str, place: int) -> str:
    """The name of the plot of an exhibit."""
    return f"{answer.claim.id}-{place}-{answer.exhibits[place - 1].kind}.{language}.svg"


def dates(data: Data) -> str:
    """The span of the ratings at hand."""
    days = [one.date for one in data.board.snapshots]
    return f"{min(days)} – {max(days)}" if days else "–"


def shown(cell: Cell | Text, language: str) -> str:
    """A cell in one language, every character of it visible."""
    return visible(cell[language] if isinstance(cell, Text) else cell)


def cited(answers: Sequence[ClaimAnswer], data: Data, language: str) -> list[tuple[str, str]]:
    """(title, URL) of the sources behind the ratings and scores, where any are shown."""
    from harness.published.scoreboards import ANALYSIS, OPEN_LLM

    exhibits = [one for answer in answers for one in answer.exhibits]
    boards = [one.source for one in data.board.snapshots] if any(one.arena for one in exhibits) else []
    scores = (OPEN_LLM, ANALYSIS) if any(one.kind in ("board", "releases") for one in exhibits) else ()

    # A file that a user brought may name a source that is none of ours: then it is what it says.
    return [
        (_title(key, language), sources()[key].url or "") if key in sources() else (key, key)
        for key in dict.fromkeys([*boards, *scores])
    ]


def _title(key: str, language: str) -> str:
    """What a source is; in its file's words where the catalogue has no others."""
    title = sources()[key].title
    try:
        return say(f"source: {title}")[language]
    except KeyError:
        return title


def text(answer: ClaimAnswer, language: str) -> str:
    """One study for a terminal."""
    colon = say("colon")[language]
    lines = [f"{answer.claim.id}  {answer.claim.claim[language]}", ""]
    lines.append(f"{dated(answer, language)}{say('colon')[language]}{answer.said[language]}")
    lines += [labelled(f"w_{name}", aside, language) for name, aside in asides(answer)]
    lines += _statements(answer.claim.parts, answer.findings, language)

    # What the newest boards say stands apart from the verdict, which is about the claim's own date.
    if answer.today:
        today = _statements(answer.claim.today, answer.today, language)
        lines += ["", f"{say('w_today')[language]}{colon}", *today]

    for exhibit in answer.exhibits:
        lines += ["", exhibit.title[language], *(f"  {line[language]}" for line in exhibit.lines)]
    if answer.claim.notes:
        notes = (f"- {note[language]}" for note in answer.claim.notes)
        lines += ["", f"{say('w_notes')[language]}{colon}", *notes]
    if any(exhibit.arena for exhibit in answer.exhibits):
        lines.append(f"- {say('caution')[language]}")
    return visible("\n".join(lines)) + "\n"


def _statements(parts: Sequence[Part], findings: Sequence[StatementFinding], language: str) -> list[str]:
    lines = []
    for part, finding in zip(parts, findings, strict=True):
        outcome = f"{say(finding.outcome)[language]}; {say(finding.kind)[language]}"
        lines += ["", f"- {part.says[language]}  [{outcome}]"]
        lines.append(f"  {sentences(finding, language)}")
        if finding.command:
            lines.append(f"  {say('w_to_produce')[language]}{say('colon')[language]}{finding.command}")
    return lines


def dated(answer: ClaimAnswer, language: str) -> str:
    """The date that a verdict is about, or the word for a verdict where a claim has none."""
    return answer.claim.when[language] if answer.claim.when is not None else say("w_verdict")[language]


def labelled(key: str, said: Text, language: str) -> str:
    """A label, a colon and a text, in the punctuation of the language."""
    return f"{say(key)[language]}{say('colon')[language]}{said[language]}"


def sentences(finding: StatementFinding, language: str) -> str:
    """What was found, why it does not tell, and over which limits it holds.

    Chinese sentences follow each other without a space.
    """
    texts = [text[language] for text in (finding.measured, finding.why, finding.limits) if text is not None]
    return ("" if language == "zh" else " ").join(texts)


def origin(answer: ClaimAnswer, language: str) -> str:
    """The articles with their dates."""
    return say("semicolon")[language].join(
        f"{one.title[language]}{say('comma')[language]}{one.date}" for one in answer.claim.sources
    )


def _linked(answer: ClaimAnswer, language: str) -> str:
    """The same in Markdown, an article's title leading to where it can be read."""
    titles = ((escape(one.title[language]), one) for one in answer.claim.sources)
    return say("semicolon")[language].join(
        f"{f'[{title}]({one.url})' if one.url else title}{say('comma')[language]}{one.date}"
        for title, one in titles
    )


def markdown(answers: Sequence[ClaimAnswer], data: Data, language: str, folder: str = "plots") -> str:
    """All studies as one document; plots are looked for in ``folder`` beside it."""
    intro = say("intro", version=__version__, dates=dates(data))[language]
    lines = [f"# {say('title')[language]}", "", intro, ""]

    # The verdicts come first, as one table: most readers want no more.
    lines += [_row([say(f"w_{name}")[language] for name in COLUMNS]), "|" + "---|" * len(COLUMNS)]
    lines += [_overview_row(row) for row in overview(answers, language)]
    lines += ["", *(f"- {escape(line)}" for line in below(answers, language))]
    for one in answers:
        lines += ["", *_study(one, language, folder)]

    lines += ["", f"## {say('w_sources')[language]}", "", say("caution")[language], ""]
    lines += [f"- {escape(title)}: <{url}>" for title, url in cited(answers, data, language)]
    return "\n".join(lines) + "\n"


def _overview_row(row: OverviewRow) -> str:
    """A row of the table of verdicts, one line per phrase."""
    cells = ((f"{row.id} {row.name}",), (row.when,), (row.verdict,), row.then, row.today, row.basis)
    return _row([Markup("<br>".join(map(escape, cell)) or "–") for cell in cells])


def _study(answer: ClaimAnswer, language: str, folder: str) -> list[str]:
    claim = answer.claim
    colon, stop = (say(key)[language] for key in ("colon", "stop"))
    blank = "" if language == "zh" else " "
    verdict = f"{escape(dated(answer, language))}{colon}{answer.said[language]}{stop}"
    sources = f"{_linked(answer, language)}{stop}"
    lines = [f"## {claim.id}{colon}{escape(claim.claim[language])}", "", f"{sources}{blank}**{verdict}**", ""]
    lines += [f"{escape(labelled(f'w_{name}', aside, language))}\n" for name, aside in asides(answer)]
    lines += _table(claim.parts, answer.findings, language)
    if answer.today:
        lines += ["", f"**{say('w_today')[language]}**", "", *_table(claim.today, answer.today, language)]
    for number, exhibit in enumerate(answer.exhibits, 1):
        lines += _exhibit(exhibit, f"{folder}/{picture_name(answer, language, number)}", language)
    if claim.notes:
        notes = (f"- {escape(note[language])}" for note in claim.notes)
        lines += ["", f"**{say('w_notes')[language]}**", "", *notes]
    return lines


def _exhibit(exhibit: Exhibit, picture: str, language: str) -> list[str]:
    """An exhibit's plot, what is to be read from it, and its table."""
    title = escape(exhibit.title[language])
    lines = ["", f"### {title}", ""]

    # An exhibit without points has no file, and a link to none would show a broken picture.
    if exhibit.points:
        lines += [f"![{title}]({picture})", ""]
    lines += [f"- {escape(shown(line, language))}" for line in exhibit.lines]
    lines += ["", _row([head[language] for head in exhibit.headers]), "|" + "---|" * len(exhibit.headers)]
    return [*lines, *(_row([shown(cell, language) for cell in row]) for row in exhibit.rows)]


def _table(parts: Sequence[Part], findings: Sequence[StatementFinding], language: str) -> list[str]:
    if not parts:
        return []
    heads = [say(f"w_{key}")[language] for key in ("statement", "outcome", "measured", "rests")]
    lines = [_row(heads), "|---|---|---|---|"]
    for part, finding in zip(parts, findings, strict=True):
        outcome, rests = say(finding.outcome)[language], say(finding.kind)[language]
        lines.append(_row([part.says[language], outcome, _measured(finding, language), rests]))
    return lines


def _measured(finding: StatementFinding, language: str) -> Markup:
    """What was found, why it does not tell, and the command that would, which is to be copied and
    stands in backticks.
    """
    texts = [escape(sentences(finding, language))]
    if finding.command:
        label = say("w_to_produce")[language] + say("colon")[language]
        texts.append(f"{escape(label)}{code(finding.command)}")
    return Markup(" ".join(texts))


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell if isinstance(cell, Markup) else escape(cell) for cell in cells) + " |"
