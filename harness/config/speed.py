"""The part of a config that `harness bench` reads: shapes, repeats, and when a figure is known."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from harness.config.strict import Strict


class Slo(Strict):
    """What a request must keep to count as good (goodput)."""

    ttft_ms: float | None = Field(None, gt=0, description="Longest time to the first token, in milliseconds.")
    tpot_ms: float | None = Field(
        None, gt=0, description="Longest time for each further token (mean of the request), in milliseconds."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Slo:
        if self.ttft_ms is None and self.tpot_ms is None:
            raise ValueError("say ttft_ms, tpot_ms or both")
        return self


Count = Annotated[int, Field(gt=0)]


class Speed(Strict):
    """The grid of `harness bench`: every input × output × concurrency (closed loop), and every
    input × output × rate (open loop).
    """

    input: list[Count] = Field(
        default_factory=lambda: [512], min_length=1, description="Prompt lengths in tokens."
    )
    output: list[Count] = Field(
        default_factory=lambda: [128], min_length=1, description="Generated lengths in tokens."
    )
    concurrency: list[Count] = Field(
        default_factory=lambda: [1], description="Closed loop: requests in flight. [] leaves it out."
    )
    rate: list[Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        default_factory=list, description="Open loop: requests per second that arrive by a Poisson process."
    )
    requests: int = Field(50, ge=2, description="Open loop: requests of a repeat.")
    slo: Slo | None = Field(None, description="What counts as a good request, for goodput.")
    repeats: int = Field(5, ge=5, description="Least repeats of a cell that are kept.")
    max_repeats: int = Field(200, ge=5, description="Most repeats of a cell, rejected ones included.")
    half_width: float = Field(
        0.03, gt=0, lt=1, description="Repeat until the median's 95 % interval is at most ± this share of it."
    )
    seconds: float = Field(
        120.0,
        gt=0,
        allow_inf_nan=False,
        description="Time budget of a cell, warm-up apart; then it ends as it is.",
    )
    repeat_seconds: float = Field(
        1.0,
        ge=0,
        allow_inf_nan=False,
        description="Closed loop: shortest repeat; as many waves of requests as fill it.",
    )
    drift: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="A repeat is rejected when the calibrations around it differ by more than this.",
    )
    calibration_seconds: float = Field(
        0.25,
        gt=0,
        le=60,
        description="Length of a calibration's products, and of its copies; longer ones reject less on a "
        "noisy machine.",
    )
    shared: bool = Field(
        False,
        description="For a machine shared with others: repeats during which it drifted count, too, and the "
        "figures made of them are marked as doubtful, with the range of all repeats.",
    )
    interleave: bool | None = Field(
        None,
        description="Measure the models in turn, all loaded at once. Default: where there is more than one "
        "and memory allows it.",
    )
    energy_seconds: float = Field(
        11.0,
        ge=0,
        allow_inf_nan=False,
        description="Length of the energy window of a cell where energy can be read; 0: none.",
    )
    project: list[str] = Field(
        default_factory=list, description="Chips to project to (harness/data/hardware.yaml), or all."
    )

    @model_validator(mode="after")
    def _asks_something(self) -> Speed:
        if not self.concurrency and not self.rate:
            raise ValueError("say concurrency (closed loop), rate (open loop) or both")
        if self.max_repeats < self.repeats:
            raise ValueError(f"max_repeats is {self.max_repeats}, fewer than repeats ({self.repeats})")
        return self
