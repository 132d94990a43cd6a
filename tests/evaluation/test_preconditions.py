"""What cannot work is said before any work: by parity for both sides, by plan as warnings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.runs import write_config, write_task

from harness.config import load_config
from harness.errors import ConfigError
from harness.evaluation import make_plan
from harness.evaluation.parity import run_sides
from harness.hub import presence

CHOICES = {"task": "zh_arithmetic", "limit": 5}


def refusal(config: Path, *changes: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that parity ends with; a run that begins fails the test."""

    def begun(*_: Any, **__: Any) -> None:
        raise AssertionError("a side began")

    import harness.evaluation.runner as runner

    monkeypatch.setattr(runner, "run_config", begun)
    with pytest.raises(ConfigError) as caught:
        run_sides(load_config(config), changes, None, lambda: None)  # type: ignore[arg-type, return-value]
    return str(caught.value).splitlines()


def test_an_engine_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.engines.vllm.preflight.find_package", lambda: None)
    config = write_config(tmp_path, [CHOICES], ["tiny-qwen", "tiny-llama"])
    lines = refusal(config, "engine=vllm", monkeypatch=monkeypatch)
    assert len(lines) == 2
    assert all("needs the package vllm, which is not installed: pip install" in line for line in lines)
    assert f"{config}:" in lines[0]


@pytest.mark.parametrize("key", ["chat_template=true", "system_prompt=hello", "max_new_tokens=5"])
def test_a_change_of_the_prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    config = write_config(tmp_path, [CHOICES], ["tiny-qwen"])
    (line,) = refusal(config, key, monkeypatch=monkeypatch)
    assert "changes what is asked" in line


def test_an_endpoint_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_config(tmp_path, [CHOICES], ["tiny-qwen"])
    changes = ("engine=openai", "base_url=http://localhost:1/v1")
    (line,) = refusal(config, *changes, monkeypatch=monkeypatch)
    assert "http://localhost:1/v1 does not answer" in line


def test_a_model_that_is_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    config = write_config(tmp_path, [CHOICES], ["tiny-qwen"])
    (line,) = refusal(config, "id=org/nowhere", monkeypatch=monkeypatch)
    assert "not in the hub's cache, and HF_HUB_OFFLINE is set" in line
    (line,) = refusal(config, f"id={tmp_path}/gone", monkeypatch=monkeypatch)
    assert "no such folder" in line


def test_a_device_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.workers.devices.list_gpus", list)
    config = write_config(tmp_path, [CHOICES], ["tiny-qwen"], device="cuda")
    (line,) = refusal(config, "dtype=bfloat16", monkeypatch=monkeypatch)
    assert "device: cuda asked for" in line


def test_plan_warns_of_a_mirror_without_weights(tmp_path: Path) -> None:
    folder = tmp_path / "mirror" / "models" / "org" / "name"
    folder.mkdir(parents=True)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64}
    config |= {"num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100, "intermediate_size": 128}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    file = write_config(
        tmp_path, [CHOICES], [{"id": "org/name"}, "tiny-qwen"], mirror=str(tmp_path / "mirror")
    )
    plan = make_plan(load_config(file))
    assert [model.note for model in plan.models] == ["no weights", ""]
    failing = [line for line in plan.warnings if line.startswith("will fail")]
    assert len(failing) == 1
    assert "no *.safetensors weights in" in failing[0]
    # Random weights need none.
    random = load_config(file, ["models.0.weights=random"])
    assert not [line for line in make_plan(random).warnings if line.startswith("will fail")]


def test_plan_asks_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(address: str) -> None:
        raise AssertionError(address)

    monkeypatch.setattr(presence, "silence_of", asked)
    endpoint = {"id": "m", "engine": "openai", "base_url": "http://localhost:1/v1"}
    make_plan(load_config(write_config(tmp_path, [CHOICES], [endpoint, {"id": "org/elsewhere"}])))


def test_more_examples_than_an_own_file_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_task(tmp_path, "mine", 4)
    text = "name: a\nmodels: [{id: mock/a, engine: mock}]\ntasks:\n  - {file: mine.jsonl, fewshot: 4}\n"
    Path("c.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        make_plan(load_config("c.yaml"))
    place, _, rule = str(caught.value).partition(": ")
    assert place == "c.yaml:4:5"
    assert rule.endswith("mine.jsonl: fewshot: 4 needs 5 rows, there are 4: say at most 3")
    make_plan(load_config("c.yaml", ["tasks.0.fewshot=3"]))


def test_more_examples_than_a_split_has(tmp_path: Path) -> None:
    folder = tmp_path / "mirror" / "datasets" / "org" / "set"
    folder.mkdir(parents=True)
    rows = [json.dumps({"q": f"{number}+1", "a": str(number + 1)}) for number in range(6)]
    (folder / "test.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (folder / "train.jsonl").write_text("\n".join(rows[:2]), encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(
        "task: mine\ndataset_path: org/set\ntest_split: test\nfewshot_split: train\nnum_fewshot: 1\n"
        "output_type: generate_until\ndoc_to_text: '{{q}}'\ndoc_to_target: '{{a}}'\n"
        "generation_kwargs: {until: ['\\n']}\n"
        "metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]\n",
        encoding="utf-8",
    )
    entry = {"task": str(tmp_path / "mine.yaml"), "fewshot": 3}
    file = write_config(tmp_path, [entry], mirror=str(tmp_path / "mirror"))
    plan = make_plan(load_config(file))
    message = "will fail: task mine: fewshot: 3, but the data has 2 examples: say fewshot: 2 or fewer"
    assert message in plan.warnings
    assert "not on this machine" not in " ".join(plan.warnings)
    assert make_plan(load_config(file, ["tasks.0.fewshot=2"])).tasks[0].items == 6
