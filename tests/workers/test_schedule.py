"""Which worker runs where."""

from __future__ import annotations

from harness.config.schema import ModelSpec
from harness.gpus import Gpu
from harness.workers.devices import Machine
from harness.workers.schedule import WorkerJob, make_jobs

GIB = 2**30


def machine(gpus: int) -> Machine:
    gpus_ = tuple(Gpu(str(index), "H20", 96 * GIB) for index in range(gpus))
    return Machine("cuda" if gpus else "cpu", gpus_, 512 * GIB, "cpu", 8)


def models(*names: str) -> list[ModelSpec]:
    return [ModelSpec(id=f"org/{name}") for name in names]


def test_on_the_cpu_one_after_another() -> None:
    assert make_jobs(models("a", "b"), {"a": GIB}, machine(0), 10) == [WorkerJob("a", 0), WorkerJob("b", 0)]


def test_one_worker_per_gpu_and_spare_gpus_split_the_tasks() -> None:
    assert make_jobs(models("a", "b"), {"a": GIB, "b": GIB}, machine(2), 10) == [
        WorkerJob("a", 1),
        WorkerJob("b", 1),
    ]

    jobs = make_jobs(models("a", "b"), {"a": GIB, "b": GIB}, machine(4), 10)
    assert jobs == [
        WorkerJob("a", 1, 0, 2),
        WorkerJob("a", 1, 1, 2),
        WorkerJob("b", 1, 0, 2),
        WorkerJob("b", 1, 1, 2),
    ]
    assert len(make_jobs(models("a"), {"a": GIB}, machine(8), 3)) == 3


def test_a_big_model_gets_several_gpus_and_goes_first() -> None:
    jobs = make_jobs(models("small", "big"), {"small": 15 * GIB, "big": 145 * GIB}, machine(2), 10)
    assert jobs == [WorkerJob("big", 2), WorkerJob("small", 1)]


def test_more_than_there_is_gets_all() -> None:
    assert make_jobs(models("huge"), {"huge": 1300 * GIB}, machine(2), 4) == [WorkerJob("huge", 2)]
    assert make_jobs([ModelSpec(id="x", gpus=2)], {}, machine(4), 4) == [
        WorkerJob("x", 2, 0, 2),
        WorkerJob("x", 2, 1, 2),
    ]


def test_parallel_sizes_of_an_engine_ask_for_gpus() -> None:
    spec = ModelSpec(
        id="x", engine="vllm", engine_args={"tensor_parallel_size": 2, "pipeline_parallel_size": 2}
    )
    assert make_jobs([spec], {"x": GIB}, machine(8), 4) == [WorkerJob("x", 4, 0, 2), WorkerJob("x", 4, 1, 2)]
    wrong = ModelSpec(id="x", engine="vllm", engine_args={"tensor_parallel_size": "two"})
    assert make_jobs([wrong], {"x": GIB}, machine(1), 4) == [WorkerJob("x", 1)]


def test_an_endpoint_takes_no_gpu_and_one_worker() -> None:
    """Its rate limits are one worker's; the GPUs stay for the others."""
    served = ModelSpec(id="far", engine="openai", base_url="http://127.0.0.1:9/v1")
    jobs = make_jobs([served, *models("a")], {"a": GIB}, machine(2), 10)
    assert [job for job in jobs if job.model == "far"] == [WorkerJob("far", 0)]
    assert [job for job in jobs if job.model == "a"] == [WorkerJob("a", 1, 0, 2), WorkerJob("a", 1, 1, 2)]
