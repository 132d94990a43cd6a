"""Pictures of speed from records as `harness bench` keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config.architecture import Architecture
from harness.config.memory import known_architecture
from harness.config.schema import ModelSpec
from harness.errors import ConfigError, RunFolderError
from harness.reporting.plots.chosen import plot
from harness.reporting.plots.draw import draw
from harness.reporting.plots.memory import fitted_bars
from harness.reporting.plots.save import specification
from harness.reporting.plots.speed import Roof, roofline_chart
from harness.reporting.plots.speed_rows import roofline_points, roofs_of, speed_figures, speed_point
from harness.results.speed import SpeedResults, SpeedRow
from harness.texts import Words


def row(model: str, concurrency: int | None, tokens: float | None, mode: str = "closed") -> SpeedRow:
    """A row of 64 tokens in, 32 out."""
    share = {
        "name": "cpu, measured",
        "flops": 3e10,
        "bandwidth": 1e10,
        "mfu": 0.1,
        "mbu": 0.2,
        "roofline": 0.2,
        "bound": "memory",
    }
    phase = {"flops": 2e9, "bytes": 1e9, "seconds": 0.5, "measured": share, "datasheet": None}
    times = dict.fromkeys(("mean", "p50", "p90", "p95", "p99"), 900.0 + (concurrency or 0))
    data = {
        "cell_id": f"{model}-{concurrency}",
        "model": model,
        "shape": f"64>32 x{concurrency}",
        "identity": {"id": "bundled/tiny-qwen", "dtype": "float32"},
        "workload": {"mode": mode, "input": 64, "output": 32, "concurrency": concurrency},
        "rate": {
            "output_tps": {"median": tokens, "ci95": (tokens * 0.98, tokens * 1.02)} if tokens else None
        },
        "latency_ms": {"e2e": times},
        "limit": {"prefill": phase, "decode": {**phase, "flops": 5e8}, "whole": phase},
        "stats": {"gate": "output_tps"},
        "status": "ok",
    }
    return SpeedRow.model_validate(data)


def results(rows: list[SpeedRow]) -> str:
    return SpeedResults(
        name="bench", harness_version="0", created="", config_hash="", rows=rows
    ).model_dump_json()


ROWS = [row(model, count, 100.0 * count**0.8) for model in ("a", "b") for count in (1, 4, 16)]


def test_a_row_becomes_a_point() -> None:
    point = speed_point(ROWS[1])
    assert point is not None
    assert (point.series, point.concurrency, point.latency, point.shape) == ("a", 4, 904.0, "64 → 32")
    assert point.throughput_ci95 == pytest.approx((0.98 * point.throughput, 1.02 * point.throughput))


def test_open_loops_and_failed_rows_are_no_points() -> None:
    assert speed_point(row("a", 1, None)) is None
    assert speed_point(row("a", None, 1.0, mode="open")) is None


def test_roofline_points_are_work_by_time() -> None:
    points = roofline_points(ROWS[:1])
    assert [(point.phase, point.intensity, point.flops) for point in points] == [
        ("prefill", 2.0, 4e9),
        ("decode", 0.5, 1e9),
    ]
    assert roofs_of(ROWS) == [Roof("cpu, measured", 3e10, 1e10, True)]


def test_the_roof_bends_at_the_ridge() -> None:
    spec = specification(roofline_chart(roofline_points(ROWS), roofs_of(ROWS), Words("en")))
    line = spec["layer"][0]["data"]["values"]
    assert [(point["intensity"], point["flops"]) for point in line][1] == (3.0, 3e10)
    assert line[0]["flops"] == pytest.approx(1e10 * line[0]["intensity"])


def test_all_four_pictures_are_drawn(tmp_path: Path) -> None:
    assert [name for name, _ in speed_figures(ROWS, Words("en"))] == [
        "throughput-64-32",
        "latency-64-32",
        "roofline",
        "memory",
    ]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "speed.json").write_text(results(ROWS))
    made, _ = draw([tmp_path / "run"], tmp_path / "out", ["svg", "json"], "zh")
    assert len(made) == 8
    assert "吞吐量与并发" in (tmp_path / "out" / "throughput-64-32.svg").read_text(encoding="utf-8")


def test_one_level_of_concurrency_makes_no_line() -> None:
    assert [name for name, _ in speed_figures(ROWS[:1], Words("en"))] == ["roofline", "memory"]


def test_memory_by_hand() -> None:
    arch = known_architecture(ModelSpec(id="bundled/tiny-qwen"))
    assert isinstance(arch, Architecture)
    bars = fitted_bars(
        [("q", "bundled/tiny-qwen", "float32"), ("?", "nowhere/nothing", None)], context=96, batch=4
    )
    assert [bar.name for bar in bars] == ["q"]
    assert bars[0].weights == 4 * 771_968
    assert bars[0].cache == 4 * 96 * 2 * arch.num_hidden_layers * arch.num_key_value_heads * arch.head_dim * 4


def test_a_broken_record_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "speed.json").write_text(results(ROWS).replace('"output":32', '"output":"many"', 1))
    with pytest.raises(RunFolderError, match=r"rows\.0\.workload\.output: .*integer.*harness schema speed"):
        draw([tmp_path], tmp_path, ["svg"])


def test_one_picture_of_a_bench_for_a_notebook(tmp_path: Path) -> None:
    (tmp_path / "speed.json").write_text(results(ROWS))
    assert plot(tmp_path, "latency").to_dict()["config"]
    assert plot(tmp_path).to_dict()["config"]
    with pytest.raises(ConfigError, match="kind='ranking': no such figure; there are throughput, latency, "):
        plot(tmp_path, "ranking")
    with pytest.raises(ConfigError, match="of='zh_reading': no such task, group or average; there are none"):
        plot(tmp_path, of="zh_reading")
