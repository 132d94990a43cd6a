"""The packaged trained models on the GPU against the CPU."""

from __future__ import annotations

from typing import Any

from gpu_check.common import Record, Setting, prompts, sums

MODELS = ("tiny-qwen", "tiny-llama", "tiny-deepseek-distill")
TOLERANCE = 1e-4


def check(setting: Setting, record: Record) -> None:
    """fp32: log-probabilities and texts equal. bf16: arg-maxes that flip are counted."""
    for name in MODELS[: setting.size(3, 1)]:
        items, texts = sums(setting.size(200, 12), 6), prompts(setting.size(100, 8), 6, (3, 9, 17))
        model = f"bundled/{name}"
        with setting.engine(model, "cpu", dtype="float32") as engine:
            want, written = _scores(engine, items), _texts(engine, texts)
        with setting.engine(model, dtype="float32") as engine:
            _sharing(record, name, "float32", engine)
            scores = _scores(engine, items)
            error = max(abs(a - b) for key in want for a, b in zip(want[key], scores[key], strict=True))
            record.hold(f"{name}: log-probabilities", error, f"≤ {TOLERANCE}", error <= TOLERANCE)
            same = sum(written[key] == text for key, text in _texts(engine, texts).items())
            record.hold(f"{name}: texts", f"{same} of {len(texts)}", "all equal", same == len(texts))
        with setting.engine(model, dtype="bfloat16") as engine:
            _sharing(record, name, "bfloat16", engine)
            flips = sum(_best(values) != _best(want[key]) for key, values in _scores(engine, items).items())
            record.note(f"{name}: arg-maxes that bf16 flips", f"{flips} of {len(items)}")


def _sharing(record: Record, name: str, dtype: str, engine: Any) -> None:
    """A GPU that quietly computes every prompt whole would be measured in vain."""
    for what in ("shared_prefixes", "continuous_batching"):
        reason = engine.info.extra[what]["reason"]
        record.hold(f"{name} {dtype}: {what}", reason or "on", "on", reason is None)


def _scores(engine: Any, items: list[Any]) -> dict[str, list[float]]:
    return {answer.key: list(answer.logprobs) for answer in engine.score(items)}


def _texts(engine: Any, items: list[Any]) -> dict[str, str]:
    return {answer.key: answer.text for answer in engine.generate(items)}


def _best(values: list[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)
