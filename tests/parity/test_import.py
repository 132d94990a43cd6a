"""`harness import` on what lm-eval itself writes: its tracker's files and its printed table, made
here with the tiny models.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.parity import Subject, theirs
from support.runs import harness

from harness.analysis.comparison import compare
from harness.errors import ConfigError
from harness.exchange.imported import import_lm_eval
from harness.reporting.table import make_table
from harness.results.query import read_run
from harness.results.samples import read_scores, read_texts

TASKS = {
    "zh_arithmetic": {"task": "zh_arithmetic", "limit": 20},
    "en_word_problems": {"task": "en_word_problems", "limit": 8},
}
TASKS["zh_letters"] = {"task": "zh_letters", "limit": 10}


@pytest.fixture(scope="module")
def evaluated(subject: Callable[[str], Subject]) -> dict[tuple[str, str], dict[str, Any]]:
    """lm_eval.simple_evaluate's results by (model, task)."""
    return {
        (model, task): theirs(subject(model), TASKS[task], None, False)
        for model in ("tiny-qwen", "tiny-llama")
        for task in TASKS
    }


def save(results: dict[str, Any], model: str, folder: Path) -> Path:
    """Writes lm-eval's files with its own tracker, as its command line does."""
    from lm_eval.loggers import EvaluationTracker

    results = copy.deepcopy(results)
    samples = results.pop("samples")
    tracker = EvaluationTracker(output_path=str(folder))
    tracker.general_config_tracker.log_experiment_args(
        "hf", f"pretrained=org/{model},dtype=float32", None, None, False
    )
    tracker.save_results_aggregated(results=results, samples=samples)
    for task in samples:
        tracker.save_results_samples(task_name=task, samples=samples[task])
    (file,) = folder.rglob("results_*.json")
    return file


@pytest.mark.parametrize("task", TASKS)
def test_scores_and_answers_come_over(evaluated: Any, task: str, tmp_path: Path) -> None:
    theirs_ = evaluated["tiny-qwen", task]
    done = import_lm_eval(save(theirs_, "tiny-qwen", tmp_path / "logs"), out=tmp_path / "run")
    assert done.without_samples == ()
    run = read_run(tmp_path / "run")
    assert [(model.model, model.id, model.engine) for model in run.results.models] == [
        ("tiny-qwen", "org/tiny-qwen", "lm-eval")
    ]
    scores = theirs_["results"][task]
    assert {f"{row.metric},{row.filter}": row.value for row in run.results.rows} == {
        key: value for key, value in scores.items() if "," in key and "_stderr" not in key
    }
    for row in run.results.rows:
        assert (row.n, row.interval, row.n_truncated, row.rate_truncated) == (
            TASKS[task]["limit"],
            "wilson",
            None,
            None,
        )
        assert (
            row.stderr == pytest.approx(scores[f"{row.metric}_stderr,{row.filter}"])
            or scores[f"{row.metric}_stderr,{row.filter}"] == "N/A"
        )
        path = run.folder.samples("tiny-qwen", task)
        found = read_scores(path, str(row.metric), str(row.filter))
        expected = {
            one["doc_id"]: one[row.metric] for one in theirs_["samples"][task] if one["filter"] == row.filter
        }
        assert dict(zip(found.docs.tolist(), found.scores.tolist(), strict=True)) == expected
    assert run.results.rows[0].chance == (None if task == "en_word_problems" else 0.25)
    assert run.results.rows[0].language == task[:2]


def test_two_imports_are_paired(evaluated: Any, tmp_path: Path) -> None:
    for model in ("tiny-qwen", "tiny-llama"):
        import_lm_eval(
            save(evaluated[model, "zh_arithmetic"], model, tmp_path / model), out=tmp_path / f"{model}-run"
        )
    found = compare([read_run(tmp_path / f"{model}-run") for model in ("tiny-qwen", "tiny-llama")])
    (scope,) = found.scopes
    ((_, pair),) = scope.pairs.items()
    scores = [
        evaluated[model, "zh_arithmetic"]["results"]["zh_arithmetic"]["acc,none"]
        for model in ("tiny-qwen", "tiny-llama")
    ]
    assert pair.n == 20
    assert pair.value == pytest.approx(scores[0] - scores[1])


@pytest.mark.slow
def test_an_import_joins_an_own_run_where_the_texts_are_the_same(evaluated: Any, tmp_path: Path) -> None:
    import_lm_eval(
        save(evaluated["tiny-qwen", "zh_letters"], "tiny-qwen", tmp_path / "logs"), out=tmp_path / "old"
    )
    for name, task in (("own", "zh_letters"), ("few", "{task: zh_letters, fewshot: 1}")):
        (tmp_path / f"{name}.yaml").write_text(
            f"name: {name}\nmodels: [tiny-llama]\ntasks: [{task}]\nlimit: 30\n", encoding="utf-8"
        )
        done = harness("run", f"{name}.yaml", "--out", name, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    old = read_run(tmp_path / "old")
    (scope,) = compare([read_run(tmp_path / "own"), old]).scopes
    ((_, pair),) = scope.pairs.items()
    assert pair.n == 10
    assert read_texts(old.folder.samples("tiny-qwen", "zh_letters"), "target", "none")[0] == "C"
    apart = compare([read_run(tmp_path / "few"), old])
    assert not apart.scopes[0].pairs
    assert "tiny-qwen was not asked the same on zh_letters:" in apart.notes[0]
    assert "examples 2 instead of 1" in apart.notes[0]


def test_a_printed_table_is_read(evaluated: Any, tmp_path: Path) -> None:
    from lm_eval.utils import make_table

    results = copy.deepcopy(evaluated["tiny-qwen", "zh_arithmetic"])
    results["results"]["zh_arithmetic"]["acc_stderr,none"] = (
        0.1  # left out above, where no bootstrap was asked for
    )
    head = (
        "hf (pretrained=org/tiny-qwen,dtype=float32), gen_kwargs: (None), limit: 20.0, "
        "num_fewshot: None, batch_size: 1\n"
    )
    (tmp_path / "table.md").write_text(head + make_table(results), encoding="utf-8")
    done = import_lm_eval(tmp_path / "table.md", out=tmp_path / "run")
    assert done.without_samples == ("zh_arithmetic",)
    row = next(row for row in done.results.rows if row.metric == "acc")
    value = results["results"]["zh_arithmetic"]["acc,none"]
    assert (row.model, row.fewshot) == ("tiny-qwen", 0)
    assert row.value == pytest.approx(value, abs=1e-4)
    assert (row.interval, row.stderr) == ("normal", 0.1)
    assert (row.n_truncated, row.n_empty) == (None, None)
    (tmp_path / "bare.md").write_text(make_table(results), encoding="utf-8")
    with pytest.raises(ConfigError, match="name it with --model"):
        import_lm_eval(tmp_path / "bare.md", out=tmp_path / "other")
    assert (
        import_lm_eval(tmp_path / "bare.md", model="mine", out=tmp_path / "other").results.models[0].model
        == "mine"
    )


def test_what_cannot_be_imported_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    cases: list[tuple[Path, str]] = [
        (tmp_path / "none.json", "cannot be read"),
        (tmp_path / "empty", "holds no results_"),
    ]
    for name, text, message in (
        ("text.json", "{", "not JSON"),
        ("other.json", json.dumps({"results": {}}), "expected the keys results and configs"),
        ("plain.md", "hello | there", "neither a results file nor a table"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        cases.append((tmp_path / name, message))
    for path, message in cases:
        with pytest.raises(ConfigError, match=message) as error:
            import_lm_eval(path, out=tmp_path / "out")
        assert "\n" not in str(error.value)


def test_samples_that_are_cut_short_are_told(evaluated: Any, tmp_path: Path) -> None:
    file = save(evaluated["tiny-qwen", "zh_arithmetic"], "tiny-qwen", tmp_path / "logs")
    (samples,) = file.parent.glob("samples_*.jsonl")
    samples.write_text(samples.read_text(encoding="utf-8")[:-30], encoding="utf-8")
    with pytest.raises(ConfigError, match=r"samples_zh_arithmetic.*:20: not JSON: the file was cut short"):
        import_lm_eval(file, out=tmp_path / "run")


def downgrade(sample: dict[str, Any]) -> dict[str, Any]:
    """A sample as lm-eval wrote it until the summer of 2024: no filter, no metrics, arguments in
    lists, bare log-probabilities.
    """
    old = {key: value for key, value in sample.items() if key not in ("filter", "metrics")}
    old["arguments"] = [list(pair) for pair in sample["arguments"]]
    return old


@pytest.mark.parametrize("layout", ["0.4.3", "0.4.2", "inline"])
@pytest.mark.parametrize("task", TASKS)
def test_samples_of_2024_come_over(evaluated: Any, layout: str, task: str, tmp_path: Path) -> None:
    theirs_ = copy.deepcopy(evaluated["tiny-qwen", task])
    file = save(theirs_, "tiny-qwen", tmp_path / "logs")
    new = import_lm_eval(file, out=tmp_path / "new").results
    (samples,) = file.parent.glob("samples_*.jsonl")
    samples.unlink()
    old = [downgrade(one) for one in theirs_["samples"][task]]
    data = json.loads(file.read_text(encoding="utf-8"))
    if layout == "0.4.3":
        samples.with_suffix(".json").write_text(json.dumps(old, indent=2, default=str), encoding="utf-8")
    elif layout == "0.4.2":
        for key in ("model_name", "n-samples", "higher_is_better"):
            data.pop(key, None)
        data["config"]["model_args"] = "pretrained=org/tiny-qwen,dtype=float32"
        file.unlink()
        file = file.with_name("results.json")
        (file.parent / f"pretrained__org__tiny-qwen,dtype__float32_{task}.jsonl").write_text(
            json.dumps(old, indent=2, default=str)
        )
    else:
        data["samples"] = {task: old}
    file.write_text(json.dumps(data, default=str), encoding="utf-8")
    done = import_lm_eval(file if layout != "0.4.2" else file.parent, out=tmp_path / "old")
    assert done.without_samples == ()
    fields = ("model", "task", "metric", "filter", "value", "n", "interval", "ci95", "chance")
    assert [[getattr(row, key) for key in fields] for row in done.results.rows] == [
        [getattr(row, key) for key in fields] for row in new.rows
    ]
    for row in new.rows:
        one, other = (
            read_scores(
                tmp_path / name / "samples" / "tiny-qwen" / f"{task}.parquet",
                str(row.metric),
                str(row.filter),
            )
            for name in ("new", "old")
        )
        assert one.scores.tolist() == other.scores.tolist()


def results_file(folder: Path, scores: dict[str, Any], n: int | None, name: str = "org/m") -> Path:
    """lm-eval's results without samples."""
    data: dict[str, Any] = {
        "results": {"t": {"alias": "t", **scores}},
        "configs": {"t": {"output_type": "multiple_choice"}},
        "model_name": name,
        "n-shot": {"t": 0},
        "versions": {"t": 1},
        "higher_is_better": {"t": {"acc": True}},
        "config": {"model_args": "pretrained=org/m"},
    }
    if n is not None:
        data["n-samples"] = {"t": {"original": n, "effective": n}}
    path = folder / "results_2024-07-01T00-00-00.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("value", "error", "n", "interval", "ci95"),
    [
        (0.0, 0.0, 50, "wilson", (0.0, 0.07134759913335874)),
        (1.0, 0.0, 50, "wilson", (0.9286524008666413, 1.0)),
        (0.0, "N/A", 50, "wilson", (0.0, 0.07134759913335874)),
        (0.5, 0.07142857142857142, 50, "wilson", (0.3664451431682858, 0.6335548568317142)),
        (
            0.5,
            0.02,
            50,
            "normal",
            (0.4608007203090072, 0.5391992796909928),
        ),  # clustered or weighted: no binomial
        (0.0, 0.0, None, None, None),
        (0.25, 0.0, None, None, None),
        (0.25, 0.1, None, "normal", (0.05400360154503599, 0.445996398454964)),
        (0.25, "N/A", None, None, None),
        (0.0, float("nan"), None, None, None),
    ],
)
def test_intervals_without_samples(
    tmp_path: Path, value: float, error: Any, n: int | None, interval: str | None, ci95: Any
) -> None:
    done = import_lm_eval(
        results_file(tmp_path, {"acc,none": value, "acc_stderr,none": error}, n), out=tmp_path / "run"
    )
    (row,) = done.results.rows
    assert (row.value, row.interval) == (value, interval)
    assert row.ci95 == (pytest.approx(ci95) if ci95 else None)
    assert any("no interval" in note for note in done.notes) == (error == 0 and n is None)


def test_another_metric_of_no_spread_has_no_interval(tmp_path: Path) -> None:
    done = import_lm_eval(
        results_file(tmp_path, {"bleu,none": 0.0, "bleu_stderr,none": 0.0}, 50), out=tmp_path / "run"
    )
    assert done.results.rows[0].ci95 is None
    assert "no interval" in done.notes[0]
    done = import_lm_eval(
        results_file(tmp_path, {"acc,none": float("nan"), "acc_stderr,none": 0.1}, 50), out=tmp_path / "other"
    )
    assert (done.results.rows[0].value, done.results.rows[0].ci95) == (None, None)
    assert "NaN" in done.notes[0]


@pytest.mark.parametrize("name", ["qwen ", " qwen", "ｑｗｅｎ", "qwen\u200b"])
def test_names_are_tidied_and_it_is_said(tmp_path: Path, name: str) -> None:
    done = import_lm_eval(results_file(tmp_path, {"acc,none": 0.5}, 50, name), out=tmp_path / "run")
    assert done.results.models[0].model == done.results.rows[0].model == "qwen"
    assert done.notes == (f"{name!r} is read as 'qwen'",)
    done = import_lm_eval(results_file(tmp_path, {"acc,none": 0.5}, 50), model=name, out=tmp_path / "other")
    assert (done.results.models[0].model, len(done.notes)) == ("qwen", 1)
    with pytest.raises(ConfigError, match="no name: name it with --model"):
        import_lm_eval(results_file(tmp_path, {"acc,none": 0.5}, 50, "nan"), out=tmp_path / "third")


def test_encodings_and_samples_that_are_none(tmp_path: Path) -> None:
    file = results_file(tmp_path, {"acc,none": 0.5}, 50)
    text = file.read_text(encoding="utf-8")
    file.write_bytes(text.encode("utf-8-sig"))
    assert import_lm_eval(file, out=tmp_path / "bom").results.rows[0].value == 0.5
    file.write_bytes(text.encode("utf-16"))
    with pytest.raises(ConfigError, match="UTF-16"):
        import_lm_eval(file, out=tmp_path / "run")
    file.write_text(text, encoding="utf-8")
    samples = file.with_name("samples_t_2024-07-01T00-00-00.json")
    for content, said in (
        ('[{"doc_id": 0}, {"a": 1}]', "sample 2: no sample of lm-eval: doc_id is missing"),
        ('[{"doc_id": 0}, [1]]', "sample 2: no sample"),
        ('[{"doc_id": 0', "cut short"),
        ('[{"doc_id": 0}, {"doc_id": 1.5}]', "sample 2: doc_id must be a whole number, got 1.5"),
    ):
        samples.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError, match=said):
            import_lm_eval(file, out=tmp_path / "run")


def old_sample(document: int, acc: Any) -> dict[str, Any]:
    return {
        "doc_id": document,
        "doc": {},
        "target": "0",
        "arguments": [["c", " a"], ["c", " b"]],
        "resps": [],
        "acc": acc,
    }


@pytest.mark.parametrize(
    ("scores", "n", "accs", "said"),
    [
        (
            {"acc,none": 0.9, "acc_stderr,none": 0.1},
            2,
            [(0, 1.0), (1, 0.0)],
            "the results say 0.9000, the mean of the samples is 0.5000",
        ),
        (
            {"acc,none": 0.5, "acc_stderr,none": 0.1},
            100,
            [(0, 1.0), (1, 0.0)],
            "2 samples, but the results are of 100 documents",
        ),
        ({"acc,none": 0.5, "acc_stderr,none": 0.1}, 2, [(0, 1.0), (1, None)], "1 of 2 samples have no score"),
        ({"acc,none": 0.5, "acc_stderr,none": 0.1}, 2, [(0, 1.0), (1, 0.0)], None),
        # as the printed table rounds it
        ({"acc,none": 0.3333}, 3, [(0, 1.0), (1, 0.0), (2, 0.0)], None),
    ],
)
def test_samples_that_do_not_fit_their_score_are_said(
    tmp_path: Path, scores: dict[str, Any], n: int, accs: list[tuple[int, Any]], said: str | None
) -> None:
    file = results_file(tmp_path, scores, n)
    samples = [old_sample(document, acc) for document, acc in accs]
    file.with_name("samples_t_2024-07-01T00-00-00.json").write_text(json.dumps(samples), encoding="utf-8")
    done = import_lm_eval(file, out=tmp_path / "run")
    notes = done.notes
    assert len(notes) == (said is not None)
    assert len(done.results.sanity) == (said is not None and "no score" not in said)
    told = " ".join(line.text() for line in make_table([done.results]).sanity)
    assert ("which may be of another evaluation" in told) == (said is not None and "results say" in said)
    assert ("2 imported samples of the 100 documents" in told) == (n == 100)


def test_a_document_that_stands_twice(tmp_path: Path) -> None:
    file = results_file(tmp_path, {"acc,none": 0.5}, 2)
    samples = [old_sample(0, 1.0), old_sample(1, 0.0), old_sample(0, 1.0)]
    file.with_name("samples_t_2024-07-01T00-00-00.json").write_text(json.dumps(samples), encoding="utf-8")
    with pytest.raises(ConfigError, match="document 0 stands 2 times"):
        import_lm_eval(file, out=tmp_path / "run")


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"acc,none": 50.0, "acc_stderr,none": 7.0}, "acc,none is 50; expected a share from 0 to 1"),
        ({"acc_norm,none": -0.1}, "expected a share from 0 to 1"),
        ({"acc,none": 0.5, "acc_stderr,none": -0.1}, "the standard error is -0.1"),
        ({"acc": 0.5, "acc_stderr": 0.1}, "no task has a score"),
        ({"acc,none": "0.5"}, "no task has a score"),
        ({"acc,none": None}, "no task has a score"),
        ({"acc,none": True}, "no task has a score"),
    ],
)
def test_scores_that_cannot_be_are_refused(tmp_path: Path, scores: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        import_lm_eval(results_file(tmp_path, scores, 50), out=tmp_path / "run")


def test_one_of_several_results_is_named(tmp_path: Path) -> None:
    file = results_file(tmp_path, {"acc,none": 0.5}, 50)
    newer = file.with_name("results_2025-07-01T00-00-00.json")
    newer.write_text(file.read_text(encoding="utf-8").replace("0.5", "0.75"), encoding="utf-8")
    done = import_lm_eval(tmp_path, out=tmp_path / "run")
    assert done.results.rows[0].value == 0.75
    assert "results_2025-07-01T00-00-00.json is taken, the newest of 2" in done.notes[0]
    (tmp_path / "other").mkdir()
    newer.rename(tmp_path / "other" / newer.name)
    with pytest.raises(ConfigError, match="holds 2 evaluations"):
        import_lm_eval(tmp_path, out=tmp_path / "second")


def test_the_number_of_documents_may_be_a_number(tmp_path: Path) -> None:
    file = results_file(tmp_path, {"acc,none": 0.5}, 50)
    file.write_text(
        file.read_text(encoding="utf-8").replace('{"original": 50, "effective": 50}', "50"), encoding="utf-8"
    )
    assert import_lm_eval(file, out=tmp_path / "run").results.rows[0].n == 50
