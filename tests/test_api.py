"""What Python users call: `harness.…`, on real runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas
import pytest
from support import runs

import harness
from harness.errors import ConfigError
from harness.reporting.plan import plan_document

ROOT = Path(__file__).resolve().parents[1]
SMOKE = ROOT / "results" / "recorded" / "smoke"
CONFIG = """
name: mine
device: cpu
models:
  - {id: mock/one, engine: mock}
  - {id: mock/two, engine: mock, seed: 1}
tasks:
  - zh_arithmetic
  - en_arithmetic
limit: 12
speed: {input: [16], output: [4], concurrency: [1], seconds: 1, drift: 0.9}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def test_a_run_from_python(config: Path, tmp_path: Path) -> None:
    assert harness.plan(config).cells == 4
    outcome = harness.run(harness.load_config(config, ["limit=6"]), out=tmp_path / "run")
    assert outcome.exit_code == 0
    frame = harness.load_results(tmp_path / "run")
    assert set(frame["model"]) == {"one", "two"}
    assert set(frame["n"]) == {6}

    pairs = harness.compare(tmp_path / "run")
    assert [model.label for model in pairs.models] == ["one", "two"]
    assert "zh_arithmetic (acc): ranking" in harness.report(pairs)


def test_progress_is_said_only_where_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mock = {"id": "mock/one", "engine": "mock"}
    arguments: dict[str, Any] = {"model": mock, "tasks": ["zh_arithmetic"], "device": "cpu", "limit": 2}
    outcome = harness.run(**arguments, out=tmp_path / "quiet")
    assert capsys.readouterr() == ("", "")
    assert repr(outcome).splitlines() == [
        "RunOutcome of one-on-zh_arithmetic: exit code 0; cells: 1 ok",
        f"  {tmp_path / 'quiet'}",
    ]

    # What is done is shown as it stands.
    harness.run(**arguments, out=tmp_path / "quiet", progress=True)
    shown = capsys.readouterr()
    assert (shown.out, "1 model × 1 task = 1 cell" in shown.err) == ("", True)

    # A notebook paints standard error as a failure.
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    harness.run(**arguments, out=tmp_path / "quiet", progress=True)
    shown = capsys.readouterr()
    assert ("1 model × 1 task = 1 cell" in shown.out, shown.err) == (True, "")


def test_averages_are_rows_of_another_kind() -> None:
    frame = harness.load_results(SMOKE)
    assert set(frame["kind"]) == {"task"}
    headline = frame[frame["primary"]]
    assert headline.groupby(["model", "task"]).size().eq(1).all()

    both = harness.load_results(SMOKE, averages=True)
    assert len(both) == len(frame) + 6
    average = both[both["kind"] == "average"]
    mine = headline[(headline["model"] == "tiny-llama") & (headline["language"] == "zh")]
    chosen = average[(average["model"] == "tiny-llama") & (average["task"] == "average_zh")]
    (row,) = chosen.to_dict("records")
    assert row["value"] == pytest.approx(mine[mine["metric"] != "bits_per_byte"]["value"].mean())
    assert row["ci95_lo"] < row["value"] < row["ci95_hi"]
    assert f"{row['value']:.3f}" in harness.report(SMOKE)


def test_subjects_are_told_from_tasks(tmp_path: Path) -> None:
    """A group's subjects count into it already."""
    data = json.loads((SMOKE / "results.json").read_text(encoding="utf-8"))
    group = {"group": "zh", "metric": "acc", "filter": "none", "value": 0.5, "n": 320}
    data["groups"] = [{**group, "model": "tiny-qwen", "tasks": ["zh_arithmetic", "zh_reading"]}]
    (tmp_path / "results.json").write_text(json.dumps(data), encoding="utf-8")
    frame = harness.load_results(tmp_path, averages=True)
    assert set(frame[frame["kind"] == "subject"]["task"]) == {"zh_arithmetic", "zh_reading"}
    assert list(frame[frame["kind"] == "group"]["task"]) == ["zh"]


def test_samples_are_a_frame_whose_means_are_the_results() -> None:
    samples = harness.load_samples(SMOKE)
    means = samples.groupby(["model", "task"])["score"].mean()
    results = harness.load_results(SMOKE)
    values = results[results["primary"]].set_index(["model", "task"])["value"]
    scored = means.dropna()
    assert len(scored) == 24
    assert (scored - values.loc[scored.index]).abs().max() < 1e-12
    assert not samples.duplicated(["run", "model", "task", "key"]).any()

    few = harness.load_samples(SMOKE, model="tiny-qwen", task=["zh_word_problems"], texts=True)
    assert (set(few["model"]), set(few["task"])) == ({"tiny-qwen"}, {"zh_word_problems"})
    row = few.iloc[98]
    assert (row["answer"], row["gold"], row["correct"], row["finish"]) == ("10", "7", False, "eos")
    assert "小雪" in row["prompt"]
    assert row["pick"] is pandas.NA


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: harness.load_samples(SMOKE, model="tiny-qwn"), "no model 'tiny-qwn' in these runs; did you"),
        (lambda: harness.load_samples(SMOKE, task=["x"]), "no task 'x' in these runs"),
        (lambda: harness.plot(SMOKE, "rankin"), "no such figure; did you mean 'ranking'?; there are ranking"),
        (lambda: harness.plot(SMOKE, of="zh_readin"), "no such task, group or average; did you mean"),
        (lambda: harness.plot(SMOKE, "tasks", of="zh_reading"), "of= goes with ranking or differences"),
        (lambda: harness.plot(SMOKE, language="fr"), "plots are drawn in en or zh"),
        (lambda: harness.plot("nowhere"), "no such run"),
    ],
)
def test_wrong_names_of_frames_and_plots_are_one_line(call: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        call()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_comparison_as_frames_plots_and_html() -> None:
    comparison = harness.compare(SMOKE)
    pairs, ranking = comparison.pairs(), comparison.ranking()
    one = pairs[(pairs["scope"] == "zh_reading") & (pairs["model_b"] == "tiny-llama")].iloc[0]
    scores = ranking[ranking["scope"] == "zh_reading"].set_index("model")["value"]
    assert one["value"] == pytest.approx(scores[one["model_a"]] - scores["tiny-llama"])
    assert set(ranking["kind"]) == {"task", "average"}

    for chart in (
        harness.plot(comparison),
        harness.plot(SMOKE, "tasks"),
        harness.plot(comparison, "chinese-english", language="zh"),
        harness.plot(comparison, "differences", of="zh_reading"),
    ):
        assert chart.to_dict()["config"]
    assert harness.plot(SMOKE, of="zh_reading").to_dict()["title"]["text"] == "zh_reading"

    html = comparison._repr_html_()
    assert "<table>" in html
    assert "<body" not in html
    assert len(repr(comparison).splitlines()) == 3


def test_what_a_notebook_shows_is_short_and_escaped() -> None:
    model = {"id": "mock/one", "engine": "mock", "name": "<b>bold"}
    plan = harness.plan(model=model, tasks=["zh_arithmetic"], limit=2, name="mine")
    assert repr(plan).splitlines()[0].startswith("Plan of mine: 1 cell, 2 items")
    html = plan._repr_html_()
    assert "&lt;b&gt;bold" in html
    assert "<b>" not in html
    assert "bold" in harness.report(plan)

    document = plan_document(plan)
    assert document._repr_html_() == html
    assert repr(document).startswith("Document 'mine on ")

    config = harness.load_config("smoke")
    assert repr(config).splitlines()[1:] == [
        "  models: tiny-qwen, tiny-llama, tiny-deepseek-distill",
        "  tasks: smoke",
    ]


def test_models_and_tasks_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mock = {"id": "mock/one", "engine": "mock"}
    assert harness.plan(model=[mock, "tiny-qwen"], tasks="smoke", limit=3).items == 60

    outcome = harness.run(model=mock, tasks=["zh_arithmetic"], limit=4, device="cpu")
    assert (outcome.exit_code, outcome.folder) == (0, tmp_path / "results" / "one-on-zh_arithmetic")
    again = harness.load_config(outcome.folder)  # the equal YAML is kept, and can be run again
    assert harness.run(again, limit=4).folder == outcome.folder
    named = harness.load_config({"name": "x", "models": [mock], "tasks": ["zh_arithmetic"], "limit": 4})
    assert (again.hash, again.config.limit) == (named.hash, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "no task is named: say tasks="),
        ({"model": "tiny-qwen"}, "no task is named: say tasks="),
        ({"tasks": "smoke"}, "no model is named"),
        ({"model": "tiny-qwn", "tasks": "smoke"}, "model tiny-qwn: unknown preset 'tiny-qwn'; did you mean"),
        ({"model": "tiny-qwen", "tasks": "smoke", "devise": "cpu"}, "unknown key 'devise'; did you mean"),
        ({"config": "smoke", "model": "tiny-qwen"}, "config and model: name a config, or models and tasks"),
    ],
)
def test_what_python_users_get_wrong_is_one_line(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        harness.plan(**arguments)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_report_is_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    from typer.testing import CliRunner

    from harness.cli.main import app

    for form in ("markdown", "csv", "latex"):
        shown = CliRunner().invoke(app, ["report", str(SMOKE), "--format", form])
        assert harness.report(SMOKE, format=form) == shown.stdout
    assert "任务" in harness.report(SMOKE, language="zh")
    assert json.loads(harness.report(SMOKE, format="json"))


def test_a_bench_from_python(config: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    outcome = harness.bench(config, out=tmp_path / "bench", say=lines.append)
    assert {row.model for row in outcome.results.rows} == {"one", "two"}
    assert lines
    assert "one" in harness.report(outcome, format="terminal")
    assert "<table>" in outcome._repr_html_()
    assert repr(outcome).startswith(f"BenchOutcome: exit code {outcome.exit_code}; 2 rows")


def test_a_study_from_python() -> None:
    (answer,) = harness.study("C10")
    assert answer.claim.id == "C10"
    assert answer.verdict == "supported"
    assert repr(answer) == f"ClaimAnswer C10: {answer.said['en']}"
    assert answer.as_data()["verdict"] == "supported"


@pytest.mark.parametrize("things", [(), (1,), (SMOKE, 2)], ids=str)
def test_what_cannot_be_reported_is_one_line(things: tuple[Any, ...]) -> None:
    with pytest.raises(
        ConfigError, match="expected run folders, or one comparison, run, bench or plan; got"
    ) as refusal:
        harness.report(*things)
    assert "\n" not in str(refusal.value)


def test_importing_it_imports_nothing_heavy() -> None:
    names = "torch transformers lm_eval pandas yaml pydantic rich numpy pyarrow altair"
    code = f"import sys, harness; print(sorted({set(names.split())} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path) -> None:
    """Every code cell, one after the other, in a process of its own; what they keep goes elsewhere."""
    notebook = json.loads((ROOT / "docs" / "harness.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 8
    program = tmp_path / "notebook.py"
    code = "\n\n".join(cells).replace('"results/', f'"{tmp_path}/results/')
    program.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, cwd=ROOT, env=runs.test_env()
    )
    assert done.returncode == 0, done.stderr[-2000:]
