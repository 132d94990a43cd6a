"""From raw samples to a row: figures against values worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from harness.benchmark.figures import rates, sample_of
from harness.benchmark.limits import ceilings_of, phases
from harness.benchmark.projection import chosen_chips, projected, projections
from harness.benchmark.rows import ShapeFacts, make_row
from harness.benchmark.shapes import Shape
from harness.config import find_preset
from harness.config.schema import ModelSpec, Slo, Speed
from harness.errors import ConfigError
from harness.meter.hardware import find_chip
from harness.meter.roofline import datasheet, project
from harness.meter.work import NumberFormat, decode_step, prefill
from harness.reporting.rendering import render
from harness.reporting.speed import csv_rows, speed_document, speed_tables
from harness.reporting.speed_notes import failures
from harness.results.speed import SpeedResults
from harness.workers.devices import Machine

SHAPE = Shape(1000, 11, concurrency=2)
ARCH = find_preset("qwen2.5-7b").arch
MACHINE = Machine("cuda", (), 0, "", 1)


def line(scale: float = 1.0, accepted: bool = True, **more: Any) -> dict[str, Any]:
    """One wave of two requests, 1.5 s in all.

    They are read one after the other (0 to 0.2, 0.2 to 0.4 s) and written until 1.2 and 1.4 s.
    """
    timings = [[0.0, 0.0, 0.2, 1.2, 1000, 11], [0.0, 0.2, 0.4, 1.4, 1000, 11]]
    scaled = [[value * scale for value in row[:4]] + row[4:] for row in timings]

    fields = {
        "number": 0,
        "walls": [1.5 * scale],
        "timings": [scaled],
        "drift": 0.01,
        "elapsed": 2.0,
        "session": "a",
        "beside": ["x", "y"],
    }
    return {**fields, "accepted": accepted, "peak_rss_bytes": 5, "peak_device_bytes": 7, **more}


def load(device: str = "NVIDIA H200", computed: str = "bfloat16", **more: Any) -> dict[str, Any]:
    assert ARCH is not None
    ceiling = {"name": "measured", "flops": 7e14, "bandwidth": 4e12}
    info = {"engine": "vllm", "versions": {"vllm": "0.32"}, "device": device}

    return {
        "info": info,
        "computed": computed,
        "ceiling": ceiling,
        "gpus": 1,
        "latent": True,
        "arch": ARCH.model_dump(),
        "seconds": 9.0,
    } | more


def facts(
    speed: Speed | None = None,
    loaded: dict[str, Any] | None = None,
    shape: Shape = SHAPE,
    usd: float | None = None,
) -> ShapeFacts:
    spec = ModelSpec(id="Qwen/Qwen2.5-7B", name="x", weights="random")
    return ShapeFacts("c", spec, shape, speed or Speed(), loaded or load(), {}, "hash", MACHINE, usd)


def test_rates_by_hand() -> None:
    reasons: dict[str, str] = {}
    rate = rates([sample_of(line())], Slo(ttft_ms=300), reasons)
    values = {
        name: getattr(rate, name).median
        for name in ("output_tps", "total_tps", "prefill_tps", "decode_tps", "requests_ps")
    }

    # 22 tokens written, 2000 read; reading took 0 to 0.4 s, writing after the first tokens 0.2 to
    # 1.4 s
    assert values == pytest.approx(
        {
            "output_tps": 22 / 1.5,
            "total_tps": 2022 / 1.5,
            "prefill_tps": 5000,
            "decode_tps": 20 / 1.2,
            "requests_ps": 2 / 1.5,
        }
    )
    assert rate.per_user_tps is not None
    assert rate.per_user_tps.median == pytest.approx(10)
    assert rate.goodput_ps is not None
    # the second's first token came after 400 ms
    assert rate.goodput_ps.median == pytest.approx(1 / 1.5)
    assert "rate.characters_ps" in reasons


def test_a_row_has_medians_intervals_and_percentiles() -> None:
    lines = [line(scale) for scale in (1.0, 1.01, 0.99, 1.02, 0.98)] + [line(3.0, accepted=False, drift=0.2)]
    row = make_row(facts(), lines, None, None)
    assert (row.status, row.stats.repeats, row.stats.rejected, row.stats.settled) == ("ok", 6, 1, True)

    assert row.rate.output_tps is not None
    assert row.rate.output_tps.median == pytest.approx(22 / 1.5)
    assert row.rate.output_tps.ci95 == pytest.approx((22 / 1.53, 22 / 1.47))
    assert row.latency_ms.ttft is not None
    assert row.latency_ms.ttft.mean == pytest.approx(300)
    assert row.latency_ms.queue is not None
    assert row.latency_ms.queue.p50 == pytest.approx(98, abs=3)
    assert row.stats.interleaved_with == ["y"]
    assert (row.load.peak_rss_bytes, row.load.peak_device_bytes) == (5, 7)
    assert row.model == "x (random weights)"


def test_too_few_accepted_repeats_are_said() -> None:
    row = make_row(facts(), [line(), line(accepted=False)], None, None)
    assert row.status == "partial"
    assert "1 of 5 repeats: 1 were rejected" in (row.reason or "")
    assert make_row(facts(), [], None, None).status == "skipped"


def test_a_failure_leaves_no_figure() -> None:
    row = make_row(
        facts(), [line()] * 5, None, "CachedTokensError: r1: 8 of 16 prompt tokens were read from a cache"
    )
    assert (row.status, row.rate.output_tps, row.limit.whole) == ("failed", None, None)
    assert make_row(facts(), [], None, "OutOfMemoryError: no room").status == "oom"


def test_limits_are_the_formulas_over_the_phases_times() -> None:
    assert ARCH is not None
    parts = phases([sample_of(line())], SHAPE, load())
    form = NumberFormat(2, 2, True)
    first = prefill(ARCH, 1000, batch=2, form=form)
    steps = [decode_step(ARCH, [1000 + step] * 2, form=form) for step in range(1, 11)]
    assert parts["prefill"].work == first
    assert parts["prefill"].seconds == pytest.approx(0.4)
    assert parts["decode"].work.flops == pytest.approx(sum(step.flops for step in steps))
    assert parts["decode"].work.bytes == pytest.approx(sum(step.bytes for step in steps))
    assert parts["decode"].seconds == pytest.approx(1.2)
    assert parts["whole"].seconds == 1.5

    # What a row says of a phase is its work over its time, by either ceiling.
    row = make_row(facts(), [line()] * 5, None, None)
    assert row.limit.prefill is not None
    assert row.limit.prefill.measured is not None
    assert row.limit.prefill.measured.mfu == pytest.approx(first.flops / 0.4 / 7e14)
    assert row.limit.prefill.datasheet is not None
    assert row.limit.prefill.datasheet.mfu == pytest.approx(
        first.flops / 0.4 / find_chip("H200").figure("bf16")
    )
    assert row.limit.decode is not None
    assert row.limit.decode.measured is not None
    assert row.limit.decode.measured.bound == "memory"


def test_what_has_no_formula_says_so() -> None:
    for more, word in (({"arch": None}, "no formula"), ({"quantisation": "fp8"}, "quantised")):
        row = make_row(facts(loaded=load(**more)), [line()] * 5, None, None)
        assert row.limit.whole is None
        assert word in row.reasons["limit"]
    opened = make_row(facts(shape=Shape(1000, 11, rate=2.0, requests=2)), [line()] * 5, None, None)
    assert "open loop" in opened.reasons["limit"]
    assert opened.stats.gate == "e2e"
    assert opened.stats.median == pytest.approx(1.3)  # the median of 1.2 and 1.4 s


def test_a_device_that_the_catalogue_lacks_has_no_datasheet_and_no_projection() -> None:
    row = make_row(facts(Speed(project=["H20"]), load("cpu", "float32")), [line()] * 5, None, None)
    assert row.limit.whole is not None
    assert row.limit.whole.datasheet is None
    assert "catalogue" in row.reasons["limit.datasheet"]
    assert row.projected == []
    assert "two datasheets" in row.reasons["projected"]


def test_projection_adds_the_phases_ranges() -> None:
    parts = phases([sample_of(line())], SHAPE, load())
    here, there = (datasheet(find_chip(name), "bf16") for name in ("H200", "H20"))
    ranges = [project(parts[name].work, parts[name].seconds, here, there) for name in ("prefill", "decode")]
    projection = projected(parts, SHAPE, here, there)
    rest = 0.0  # 0.4 + 1.2 s of phases that overlap, more than the 1.5 s of the whole
    assert projection.output_tps == pytest.approx(
        (22 / (ranges[0].high + ranges[1].high + rest), 22 / (ranges[0].low + ranges[1].low + rest))
    )
    assert projection.kind == "projected"
    assert projection.output_tps[0] <= projection.output_tps[1]

    reasons: dict[str, str] = {}
    chips = [
        one.chip for one in projections(parts, SHAPE, ceilings_of(load()), ["H20", "910B", "H200"], reasons)
    ]
    assert (chips, reasons) == (["H20 bf16", "Ascend 910B bf16"], {})


def test_unknown_chips_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown chip"):
        chosen_chips(["H21"])
    assert len(chosen_chips(["all"])) >= 13


def test_cost_and_energy() -> None:
    energy = {
        "energy": {
            "joules_gross": 4400.0,
            "joules_net": 2200.0,
            "joules_idle": 2200.0,
            "seconds": 11.0,
            "source": "nvml-counter",
        }
    }
    row = make_row(facts(usd=3.6), [line()] * 5, energy | {"tokens": 220, "requests": 20}, None)
    assert row.cost is not None
    # 3.6 $/h are 0.001 $/s: 22/1.5 tokens/s cost 0.001/14.667 each
    assert row.cost.usd_per_million_output == pytest.approx(0.001 / (22 / 1.5) * 1e6)
    assert row.energy is not None
    assert (row.energy.joules_per_token, row.energy.joules_per_request) == (20, 220)

    without = make_row(
        facts(loaded=load("cpu", "float32")), [line()] * 5, {"energy": None, "reason": "no counter"}, None
    )
    assert (without.energy, without.reasons["energy"]) == (None, "no counter")
    assert without.cost is None
    assert "--usd-per-hour" in without.reasons["cost"]


def test_tables_label_random_weights_and_projections() -> None:
    rows = [
        make_row(facts(Speed(project=["H20"])), [line()] * 5, None, None),
        make_row(facts(), [], None, "ClockError: no time"),
    ]
    results = SpeedResults(name="n", harness_version="0", created="now", config_hash="h", rows=rows)
    tables = {table.title: table for table in speed_tables(results)}
    assert all(row[0] == "x (random weights)" for table in tables.values() for row in table.texts)
    assert "Projected, not measured" in tables
    assert failures(results) == ["x (random weights) 1000>11 x2: failed: ClockError: no time"]

    columns, flat = csv_rows(results)
    assert flat[0]["rate.output_tps.median"] == pytest.approx(22 / 1.5)
    assert {"model", "status", "limit.decode.measured.mbu", "latency_ms.ttft.p99"} <= set(columns)
    assert SpeedResults.model_validate_json(results.model_dump_json()) == results


def test_repeats_that_time_did_not_suffice_for_were_not_interrupted() -> None:
    short, long = (make_row(facts(Speed(seconds=seconds)), [line()], None, None) for seconds in (1, 60))
    assert "its 1 s were up" in str(short.reason)
    assert "it was interrupted" in str(long.reason)


def test_of_an_endpoint_no_machine_is_known() -> None:
    lines = [line(scale) for scale in (1.0, 1.01, 0.99, 1.02, 0.98)]
    remote = load(ceiling=None, arch=None)
    row = make_row(facts(loaded=remote, usd=3.6), lines, None, None)
    assert row.status == "ok"
    assert row.rate.output_tps is not None
    assert row.limit.whole is None
    assert row.reasons["limit"] == "an endpoint's machine is not known here"
    assert row.cost is not None
    assert row.cost.usd_per_million_output == pytest.approx(3.6 / 3600 / row.rate.output_tps.median * 1e6)
    assert row.latency_ms.e2e is not None
    assert (row.latency_ms.e2e.p99, row.latency_ms.ttft is None) == (None, False)


def test_doubtful_figures_are_given_with_the_range_of_all_repeats() -> None:
    scales = (1.0, 1.4, 0.8, 1.1, 0.9, 1.2)
    lines = [line(scale, accepted=False, drift=0.2) for scale in scales] + [line()]
    row = make_row(facts(Speed(seconds=1)), lines, None, None)
    assert row.status == "partial"
    assert [(doubt.kind, doubt.count, doubt.of) for doubt in row.stats.doubts] == [("drift", 6, 7)]
    assert row.rate.output_tps is not None
    assert row.rate.output_tps.ci95 == pytest.approx((22 / 1.5 / 1.4, 22 / 1.5 / 0.8))
    assert not row.stats.settled

    # Too few repeats of any kind are doubtful, too; enough good ones are not.
    few = make_row(facts(), [line(), line(1.1)], None, None)
    assert [doubt.kind for doubt in few.stats.doubts] == ["few"]
    assert make_row(facts(), [*lines[:1], *[line()] * 5], None, None).stats.doubts == []


def test_on_a_shared_machine_every_repeat_counts_and_is_marked() -> None:
    lines = [line(scale, drift=0.3) for scale in (1.0, 1.1, 0.9, 1.2, 1.0)]
    row = make_row(facts(Speed(shared=True)), lines, None, None)
    assert row.status == "ok"
    results = SpeedResults(name="n", harness_version="0", created="now", config_hash="h", rows=[row])
    text = render(speed_document(results), "markdown", language="zh")
    assert " ? |" in text
    assert "5 次重复中有 5 次机器波动超过 5%" in text
    assert failures(results) == []


def test_why_nothing_is_projected_stands_below_the_tables_in_both_languages() -> None:
    row = make_row(facts(Speed(project=["H20"]), load("cpu", "float32")), [line()] * 5, None, None)
    results = SpeedResults(name="n", harness_version="0", created="now", config_hash="h", rows=[row, row])
    english = render(speed_document(results), "markdown")
    assert english.count("Not projected") == 1
    assert "hardware catalogue has none of cpu" in english
    assert "未推算" in render(speed_document(results), "markdown", language="zh")


def test_cells_that_share_a_reason_are_one_line_in_either_language() -> None:
    rows = [make_row(facts(), [], None, "x: no weights") for _ in range(5)]
    results = SpeedResults(name="n", harness_version="0", created="now", config_hash="h", rows=rows)
    (english,) = failures(results)
    assert english.endswith("and 2 more: failed: x: no weights")
    assert "失败" in failures(results, "zh")[0]
    skipped = SpeedResults(
        name="n",
        harness_version="0",
        created="now",
        config_hash="h",
        rows=[make_row(facts(), [], None, None)],
    )
    assert "再次运行同一命令即可继续" in failures(skipped, "zh")[0]
