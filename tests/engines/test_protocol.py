"""What holds for every engine: run against each registered backend that can run here."""

from __future__ import annotations

import ast
import dataclasses
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from pydantic import Field, ValidationError
from support.endpoint import Server
from support.runs import ROOT, write_config

from harness.config import load_config
from harness.config.schema import ModelSpec
from harness.engines import Engine, ModelFiles, engine_identity, find_model, open_engine, registry
from harness.engines.backend import EVERYTHING, Backend
from harness.engines.options import EngineOptions
from harness.engines.protocol import GenerateOnly
from harness.engines.transformers.engine import TransformersEngine
from harness.engines.vllm.package import find_package
from harness.errors import ConfigError, ModelError
from harness.evaluation.plan import make_plan
from harness.items import Choice, Completion, Item, Passage

TINY = "bundled/tiny-qwen"
CHOICES = [
    Choice(f"c{n}", ((f"Question {n}: 1+{n}=", "2"), (f"Question {n}: 1+{n}=", " three"), ("中国", "的首都")))
    for n in range(5)
]
TEXTS = [Completion(f"t{n}", f"Once upon a time {n}", ("\n",), max_tokens=4 + n) for n in range(5)]
PASSAGES = [Passage(f"p{n}", f"The capital of country {n} is a city. " * (n + 1)) for n in range(3)]
METHODS: dict[str, Sequence[Any]] = {"score": CHOICES, "generate": TEXTS, "perplexity": PASSAGES}


@dataclasses.dataclass
class Opened:
    """An engine that answers, and what it was opened from."""

    backend: Backend
    spec: ModelSpec
    files: ModelFiles
    engine: Engine

    def answers(self, method: str, items: Sequence[Any]) -> dict[str, Any]:
        """Answers by key; what a clock or another answer decides is left out."""
        given = list(getattr(self.engine, method)(items))
        assert len(given) == len({answer.key for answer in given})
        return {answer.key: answer for answer in given}


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """An endpoint that our own engine stands behind."""
    engine = open_engine(ModelSpec(id=TINY, engine="transformers", dtype="float32"), device="cpu")
    assert isinstance(engine, TransformersEngine)
    with Server(engine, TINY) as started:
        yield started
    engine.close()


@pytest.fixture(scope="module", params=registry.names())
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    """One engine of each kind, on the CPU."""
    backend = registry.backend(request.param)
    if "vllm" in backend.packages and (find_package() is None):
        pytest.skip("vLLM is not installed")
    spec = ModelSpec(id=TINY, engine=backend.name, dtype="float32")
    if backend.asks_endpoint:
        spec = request.getfixturevalue("server").spec(tokenizer=TINY, chat_template=False, max_length=512)
    files = find_model(spec)
    engine = open_engine(spec, files, "cpu")
    yield Opened(backend, spec, files, engine)
    engine.close()


@pytest.mark.parametrize("method", METHODS)
def test_each_item_gets_one_answer_in_any_order_and_batch(opened: Opened, method: str) -> None:
    if method not in opened.backend.can(opened.spec):
        with pytest.raises(ModelError):
            opened.answers(method, METHODS[method])
        return
    items: list[Item] = list(METHODS[method])
    whole = opened.answers(method, items)
    assert whole.keys() == {item.key for item in items}
    apart = opened.answers(method, items[3:]) | opened.answers(method, items[2::-1])
    for key, answer in whole.items():
        assert same(answer, apart[key]), key
    assert opened.answers(method, []) == {}


def same(one: Any, other: Any) -> bool:
    """Equal but for clocks, who computed what, and the rounding of another batch."""
    for field in ("text", "finish", "output_ids", "lengths", "greedy", "truncated", "rules", "predicted"):
        if getattr(one, field, None) != getattr(other, field, None):
            return False
    figures = [
        getattr(answer, "logprobs", None) or [getattr(answer, "logprob", 0)] for answer in (one, other)
    ]
    return list(figures[0]) == pytest.approx(list(figures[1]), abs=2e-4)


def test_scores_say_what_they_are_of(opened: Opened) -> None:
    for item in CHOICES:
        (score,) = opened.engine.score([item])
        assert len(score.logprobs) == len(score.lengths) == len(score.greedy) == len(item.pairs)
        assert all(value <= 0.01 for value in score.logprobs)
        assert score.tokens.prompt >= score.tokens.computed >= 0
    for likelihood in opened.engine.perplexity(PASSAGES):
        assert likelihood.logprob < 0 < likelihood.predicted


def test_texts_keep_their_budget_and_lose_their_stops(opened: Opened) -> None:
    for answer in opened.answers("generate", TEXTS).values():
        assert answer.finish in ("eos", "stop", "length", "filter", "unknown")
        assert "\n" not in answer.text
    exact = Completion("ids", "", (), 6, prompt_ids=(40, 50, 60), ignore_eos=True)
    if opened.backend.asks_endpoint:
        return
    (answer,) = opened.engine.generate([exact])
    assert answer.tokens.output == len(answer.output_ids or ()) == 6
    assert answer.key == "ids"


def test_what_it_says_of_itself_is_its_identity(opened: Opened) -> None:
    info, identity = opened.engine.info, engine_identity(opened.spec, "cpu", opened.files)
    assert info.engine == identity["engine"] == opened.backend.name
    assert info.device == identity["device"]
    assert opened.backend.asks_endpoint or (info.versions, info.dtype) == (
        identity["versions"],
        identity["dtype"],
    )
    assert identity == engine_identity(opened.spec, "cpu", opened.files)
    assert "findings" not in info.to_dict()


def test_a_closed_engine_answers_no_more(opened: Opened) -> None:
    if opened.backend.simulated or opened.backend.asks_endpoint:
        engine = open_engine(opened.spec, opened.files, "cpu")
        engine.close()
        engine.close()
        with pytest.raises(RuntimeError, match="closed"):
            list(engine.generate(TEXTS))


BACKENDS = [pytest.param(registry.backend(name), id=name) for name in registry.names()]


@pytest.mark.parametrize("backend", BACKENDS)
def test_options_are_typed_described_and_have_roles(backend: Backend) -> None:
    options = backend.options
    schema = options.model_json_schema()
    for name, field in options.model_fields.items():
        assert field.description, name
        assert field.annotation is not Any, name
        shape = schema["properties"][name]
        kinds = [shape, *shape.get("anyOf", ())]
        if any(kind.get("type") in ("integer", "number") for kind in kinds):
            bounds = {"minimum", "exclusiveMinimum"}
            assert any(bounds & kind.keys() for kind in kinds), f"{name} has no least value"
    assert options.not_in_identity >= {
        name for name, role in options.roles().items() if role.part == "nothing"
    }
    with pytest.raises(ModelError, match="zzz"):
        options.of(ModelSpec(id="m", engine=backend.name, engine_args={"zzz_no_option": 1}))


CHANGED: dict[str, dict[str, Any]] = {
    "transformers": {"attention": "eager", "generation_defaults": False},
    "vllm": {
        "env": {"A": "1"},
        "multi_token": "whole",
        "generation_defaults": False,
        "kv_cache_dtype": "fp8",
        "quantization": "fp8",
        "enforce_eager": True,
        "enable_prefix_caching": True,
    },
    "openai": {"api": "chat", "extra_body": {"a": 1}, "omit": ["seed"]},
    "mock": {"answer": "x"},
}
"""Values other than the default where `another` has none. ``lora`` names files, and has a test of
its own.
"""


def another(options: type[EngineOptions], name: str) -> Any:
    """A value of an option that is not its default; None where none is found that it takes."""
    field = options.model_fields[name]
    default = field.get_default(call_default_factory=True)
    tried: list[Any] = [*get_args(field.annotation), 5, "x", ["x"], {"x": "1"}, not default]
    if isinstance(default, int | float):
        tried = [not default if isinstance(default, bool) else default + 1, default / 2, default - 1, *tried]
    for value in tried:
        try:
            taken = getattr(options.model_validate({name: value}), name)
        except ValidationError:
            continue
        if taken != default:
            return value
    return None


def test_another_value_is_found_for_every_sort_of_option() -> None:
    class Options(EngineOptions):
        unit: Literal["letters", "words"] = "letters"
        share: float = Field(0.5, gt=0, le=1)
        few: int = Field(3, ge=1, le=3)
        left_out: list[str] = Field(default_factory=list)
        headers: dict[str, str] = Field(default_factory=dict)
        table: Path = Path("a.csv")
        often: bool = True
        pattern: str = Field("aaa", pattern="^a+$")

    found = {name: another(Options, name) for name in Options.model_fields}
    assert found.pop("pattern") is None
    assert found == {
        "unit": "words",
        "share": 0.25,
        "few": 2,
        "left_out": ["x"],
        "headers": {"x": "1"},
        "table": "x",
        "often": False,
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_options_keep_their_roles(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.engines.vllm.identity.versions", lambda label: {})
    url = "http://localhost:9/v1" if backend.asks_endpoint else None
    base = ModelSpec(id=TINY, engine=backend.name, base_url=url)
    before = backend.identity(base, "cpu", None)
    for name, role in backend.options.roles().items():
        value = CHANGED.get(backend.name, {}).get(name)
        value = another(backend.options, name) if value is None else value
        if value is None and backend.name not in registry.BUILT_IN:
            continue
        if name == "lora":
            continue
        after = backend.identity(base.model_copy(update={"engine_args": {name: value}}), "cpu", None)
        assert (after == before) is (role.part == "nothing"), name


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_answers_every_question(backend: Backend) -> None:
    spec = ModelSpec(id="m", engine=backend.name, base_url="http://h/v1" if backend.asks_endpoint else None)
    assert backend.name == backend.name.lower()
    assert backend.can(spec) <= EVERYTHING
    assert backend.gpus(spec) in (None, 0)
    assert (backend.gpu_share(spec), backend.quantization(spec)) == (None, None)
    assert (backend.plan_note(spec) is None) is backend.loads_files
    from harness.config.schema import Speed

    if backend.asks_endpoint:
        with pytest.raises(ConfigError, match="name the model's tokenizer"):
            backend.bench_args(spec, "cpu", Speed())
    else:
        backend.options.model_validate(backend.bench_args(spec, "cpu", Speed()))


def test_backends_import_nothing_heavy() -> None:
    code = (
        "import sys; from harness.engines import registry; names = [one.name for one in"
        " registry.working()];"
        "heavy = ('torch', 'transformers', 'vllm', 'lm_eval', 'httpx2', 'pandas', 'huggingface_hub');"
        "print(len(names), [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split(maxsplit=1) == [str(len(registry.names())), "[]\n"]


def test_an_unknown_engine_is_named_with_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"m: no engine is called 'vlm'; did you mean 'vllm'\?"):
        find_model(ModelSpec(id="m", engine="vlm"))


def comparisons(tree: ast.AST) -> Iterator[ast.expr]:
    """Texts that something is compared with, by an operator or in a match."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                yield from side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
        elif isinstance(node, ast.MatchValue):
            yield node.value


def test_no_code_asks_for_an_engines_name() -> None:
    """What differs between engines is a question to their backend, so that an engine of another
    package is treated as one of ours.
    """
    package, found = ROOT / "harness", []
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).parts
        own = parts[1] if parts[0] == "engines" and len(parts) > 2 else None
        for side in comparisons(ast.parse(file.read_text(encoding="utf-8"))):
            name = side.value if isinstance(side, ast.Constant) else None
            if name in registry.BUILT_IN and name != own:
                found.append(f"{Path(*parts)}:{side.lineno}: {name}")
    assert not found


class Writer(GenerateOnly):
    """An engine that only generates."""


def test_an_engine_without_log_probabilities_says_so() -> None:
    for method, items in (("score", CHOICES), ("perplexity", PASSAGES)):
        with pytest.raises(ModelError, match="no log-probabilities"):
            getattr(Writer(), method)(items)


def test_a_plan_names_what_an_engine_cannot_be_asked(tmp_path: Path) -> None:
    model = {"id": "far", "engine": "openai", "base_url": "http://127.0.0.1:9/v1"}
    path = write_config(tmp_path, [{"task": "zh_reading"}, {"task": "zh_word_problems"}], [model])
    (line,) = [line for line in make_plan(load_config(path)).warnings if "zh_reading" in line]
    assert line == (
        "far: engine openai can only generate here, so these tasks will fail: zh_reading; ask"
        " NAME-gen, of a file"
        " of your own say form: generated"
    )
    path = write_config(tmp_path, [{"task": "zh_reading"}], [{"id": TINY, "engine": "transformers"}])
    assert not any("can only" in line for line in make_plan(load_config(path)).warnings)
