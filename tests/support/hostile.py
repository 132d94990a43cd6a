"""A run whose models say what no page should obey: markup, ends of scripts, hidden and turning
characters, bytes that are no text.
"""

from __future__ import annotations

from pathlib import Path

from harness.evaluation.rows import CellFacts, make_rows
from harness.evaluation.samples import write_samples
from harness.items import Score, Tokens
from harness.results.files import write_json
from harness.results.folder import RunFolder
from harness.results.query import Run, read_run
from harness.results.schema import ModelRow, Results, Row
from harness.tasks.api import Marks, MetricValue, SampleMark

ANSWERS = {
    "script": "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>",
    "ending": "]]></script><!-- <script> --><style>*{display:none}</style>",
    "lines": "one\u2028two\u2029three",
    "turned": "abc \u202edcba\u202c \u2066x\u2069 \u200fy \x1b[31m\x00",
    "quotes": "\" onload='x' & &lt;b&gt; \\u003c {{ 7*7 }} {% raw %}",
    "chinese": "答案是：«四»\r\n第二行\t完",
    "long": "x" * 1_000_000 + "<b>end</b>",
    "empty": "",
}
LABEL = "evil</title><script>window.hacked = 1</script>\u202e"
INVALID = b"caf\xe9 \xff\xfe <b>"


def hostile_run(folder: Path) -> Run:
    """Two models, one called as badly as it answers; the plain one is right everywhere.

    The last answer of each is `INVALID`.
    """
    run = RunFolder(folder / "hostile")
    rows = [row for model in (LABEL, "plain") for row in _cell(run, model, right=model == "plain")]
    models = [
        ModelRow(model=model, id=f"org/{model}", model_id=model, status="ok") for model in (LABEL, "plain")
    ]
    facts = {"harness_version": "0", "created": "2026-01-01T00:00:00+00:00", "config_hash": "0"}
    made = Results(name="<b>run</b>", models=models, rows=rows, **facts)
    write_json(run.results, made.model_dump(mode="json"))
    write_json(
        run.manifest, {"hardware": {"cpu": "</pre><script>window.hacked = 1</script>"}, "command": ["<i>"]}
    )
    return read_run(run.path)


def _cell(run: RunFolder, model: str, *, right: bool) -> list[Row]:
    texts = [*ANSWERS.values(), "invalid"]
    samples = tuple(
        SampleMark(
            doc_id=place,
            filter="none",
            prompt=f"prompt {place} <u>",
            target="<i>yes</i>",
            answer=text,
            metrics={"acc": float(right)},
            keys=(str(place),),
            item=str(place),
            cluster=None,
        )
        for place, text in enumerate(texts)
    )
    answers = {
        one.keys[0]: Score(one.keys[0], (-1.0, -2.0), (False, False), (1, 1), Tokens(10, 5, 5, 0))
        for one in samples
    }
    value = MetricValue("acc", "none", float(right), None, len(samples), True, True)
    facts = CellFacts(f"{right}", "prompt", model, "en_<task>", None, "en", 0, "float32", "mock", 0.25)
    marks = Marks(samples, (value,), len(samples))
    path = run.samples(model, "en_<task>")
    write_samples(path, marks, answers)
    _spoil(path)
    return make_rows(facts, marks, answers, 1.0, ("ok", None))


def _spoil(path: Path) -> None:
    """Puts bytes that are no UTF-8 where the last answer was, as a faulty writer would."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    texts = [text.encode() for text in table["answer"].to_pylist()[:-1]] + [INVALID]
    raw = pa.array(texts, pa.binary())
    spoilt = pa.StringArray.from_buffers(len(raw), raw.buffers()[1], raw.buffers()[2])
    pq.write_table(table.set_column(table.schema.get_field_index("answer"), "answer", spoilt), path)
