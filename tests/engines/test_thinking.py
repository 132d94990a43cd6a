"""What a model does before it answers, told from its real template: the mirror's, and published
lines of families that it lacks.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.mirror import models_or_skip

from harness.config.presets import preset_or_none
from harness.config.schema import ModelSpec
from harness.engines.template import TemplateFile, switches_of, thinking_options
from harness.engines.thinking import local_tokenizer, thinking_of
from harness.engines.tokenizer import ChatTemplate, read_tokenizer

R1 = "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"
MIRRORED = [
    # model, thinking, kind, opening marker
    (R1, None, "thinks", "<think>"),
    ("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", True, "thinks", "<think>"),
    ("deepseek-ai/DeepSeek-R1", None, "thinks", "<think>"),
    ("Qwen/Qwen3-0.6B", None, "thinks", "<think>"),
    ("Qwen/Qwen3-8B", True, "thinks", "<think>"),
    ("Qwen/Qwen3-8B", False, "closed", None),
    ("openai/gpt-oss-20b", None, "thinks", "<|channel|>analysis<|message|>"),
    ("moonshotai/Kimi-K2-Instruct", None, "instruct", None),
    ("meta-llama/Llama-3.1-8B-Instruct", None, "instruct", None),
    ("meta-llama/Llama-3.2-1B-Instruct", None, "instruct", None),
    ("Qwen/Qwen2.5-7B-Instruct", None, "instruct", None),
    ("THUDM/chatglm3-6b", None, "instruct", None),
    ("openbmb/MiniCPM-2B-sft-bf16", None, "instruct", None),
]
ASKED = "{% endfor %}{% if add_generation_prompt %}<|assistant|>"
TURN = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}" + ASKED
CUTS = "{% for m in messages %}<|{{ m.role }}|>{{ m.content.split('</think>')[-1] }}" + ASKED
PUBLISHED: dict[str, tuple[str, dict[bool | None, str]]] = {
    # The lines that decide, from each family's chat template on the hub (chat_template.jinja or
    # tokenizer_config.json).
    "zai-org/GLM-4.5": (
        "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{{- '/nothink' if (m.role == 'user' and "
        "enable_thinking is defined and not"
        " enable_thinking and not m.content.endswith('/nothink')) else '' }}{% endfor %}{%- if "
        "add_generation_prompt -%}<|assistant|>"
        "{{- '\n<think></think>' if (enable_thinking is defined and not enable_thinking) else '' -}}{%- "
        "endif -%}",
        {None: "thinks", True: "thinks", False: "closed"},
    ),
    "moonshotai/Kimi-K2-Thinking": (
        "{% for m in messages %}<|im_{{ m.role }}|>{% if m.role == 'assistant' %}<think>{{ "
        "m.get('reasoning_content', '') }}</think>"
        "{% endif %}{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt "
        "%}<|im_assistant|>assistant<|im_middle|>{% endif %}",
        {None: "thinks", True: "thinks"},
    ),
    "deepseek-ai/DeepSeek-V3.1": (
        "{% if not thinking is defined %}{% set thinking = false %}{% endif %}"
        "{% for m in messages %}<｜{{ m.role }}｜>{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}{{'<｜Assistant｜>'}}{%- if not thinking %}{{'</think>'}}"
        "{%- else %}{{'<think>'}}{%- endif %}{% endif %}",
        {None: "closed", True: "thinks", False: "closed"},
    ),
    "Qwen/Qwen3-4B-Thinking-2507": (CUTS + "\n<think>\n{% endif %}", {None: "thinks", False: "refused"}),
    "ByteDance-Seed/Seed-OSS-36B-Instruct": (
        "{% set budget = thinking_budget if thinking_budget is defined else -1 %}"
        + TURN
        + "{% if budget == 0 %}<seed:think>"
        "<seed:cot_budget_reflect>The current thinking budget is 0, so I will directly answer the "
        "question.</seed:cot_budget_reflect>\n"
        "</seed:think>{% endif %}{% endif %}{# <seed:think> </seed:think> #}",
        {None: "thinks", True: "thinks", False: "closed"},
    ),
    "LGAI-EXAONE/EXAONE-Deep-7.8B": (TURN + "<thought>\n{% endif %}", {None: "thinks", False: "refused"}),
    "mistralai/Magistral-Small-2507": (
        "{% set default = 'Your thinking process must follow the template below: [THINK]Your "
        "thoughts[/THINK]Here, provide a response.' %}" + TURN + "{% endif %}",
        {None: "thinks"},
    ),
    "ibm-granite/granite-3.2-8b-instruct": (
        "{% if thinking %}You think before you answer: 'Here is my thought process:'{% endif %}"
        + TURN
        + "{% endif %}",
        {None: "closed", True: "thinks", False: "closed"},
    ),
    "unknown/fine-tune": (TURN + "{% endif %}", {None: "instruct", True: "thinks", False: "instruct"}),
}


def spec_of(name: str, thinking: bool | None) -> ModelSpec:
    """As a config makes it: with what the preset says, where there is one."""
    preset = preset_or_none(name)
    told = preset.thinking if preset is not None and thinking is None else thinking
    return ModelSpec(
        id=name, chat_template=True, thinking=told, think_tags=preset.think_tags if preset else None
    )


@pytest.mark.parametrize(("name", "thinking", "kind", "opening"), MIRRORED)
def test_real_templates(name: str, thinking: bool | None, kind: str, opening: str | None) -> None:
    folder = models_or_skip() / "models" / name
    found = thinking_of(spec_of(name, thinking), folder)
    assert (found.kind, found.tags.open if found.tags else None, found.refusal) == (kind, opening, None)
    unknown = thinking_of(
        ModelSpec(id="org/fine-tune", chat_template=True, thinking=thinking), folder
    )  # no preset helps
    assert (unknown.kind, unknown.tags.open if unknown.tags else None) == (kind, opening)
    assert unknown.found == (opening is not None)
    assert any(finding.kind == "tags_from_files" for finding in unknown.findings) == (opening is not None)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_templates(name: str, tmp_path: Path) -> None:
    source, kinds = PUBLISHED[name]
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"chat_template": source, "bos_token": {"content": "<s>"}})
    )
    for thinking, kind in kinds.items():
        found = thinking_of(ModelSpec(id="org/any", chat_template=True, thinking=thinking), tmp_path)
        assert ("refused" if found.refusal else found.kind) == kind, (name, thinking, found)


@pytest.mark.parametrize("name", [R1, "openai/gpt-oss-20b", "deepseek-ai/DeepSeek-R1"])
def test_thinking_false_is_refused_where_the_template_has_no_switch(name: str) -> None:
    found = thinking_of(spec_of(name, False), models_or_skip() / "models" / name)
    assert found.refusal is not None
    assert "\n" not in found.refusal
    assert "thinking: false cannot be had" in found.refusal
    assert "-gen" in found.refusal


def test_without_a_template_a_model_is_asked_as_a_base_model() -> None:
    assert thinking_of(ModelSpec(id=R1, chat_template=False, thinking=True), None).kind == "base"


def test_without_files_the_config_and_the_preset_tell() -> None:
    assert thinking_of(spec_of(R1, None), None).kind == "thinks"
    assert thinking_of(spec_of("Qwen/Qwen3-8B", False), None).kind == "closed"
    assert thinking_of(ModelSpec(id="org/x", chat_template=True), None).kind == "instruct"
    endpoint = ModelSpec(
        id="deepseek-reasoner",
        engine="openai",
        base_url="http://localhost/v1",
        chat_template=True,
        think_tags=("<think>", "</think>"),
    )
    assert local_tokenizer(endpoint, models_or_skip()) is None
    assert thinking_of(endpoint, None).kind == "thinks"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", "You are Qwen, created by Alibaba Cloud."),
        ("meta-llama/Llama-3.1-8B-Instruct", "Cutting Knowledge Date: December 2023"),
        ("openai/gpt-oss-20b", "You are ChatGPT, a large language model trained by OpenAI."),
        ("moonshotai/Kimi-K2-Instruct", "You are a helpful assistant"),
        ("Qwen/Qwen3-8B", None),
        (R1, None),
        ("THUDM/chatglm3-6b", None),
        ("openbmb/MiniCPM-2B-sft-bf16", None),
    ],
)
def test_a_system_prompt_that_the_template_writes_by_itself_is_told(name: str, words: str | None) -> None:
    found = thinking_of(spec_of(name, None), models_or_skip() / "models" / name)
    told = [
        str(finding.values["text"]) for finding in found.findings if finding.kind == "default_system_prompt"
    ]
    assert [text[: len(words or "") + 1] for text in told] == ([f"'{words}"] if words else [])


@pytest.mark.parametrize("name", sorted({name for name, *_ in MIRRORED}))
@pytest.mark.parametrize("thinking", [None, True, False])
def test_a_template_read_from_its_file_renders_as_the_tokenizer_does(
    name: str, thinking: bool | None
) -> None:
    folder = models_or_skip() / "models" / name
    template = TemplateFile.read(folder)
    assert template is not None
    chat = ChatTemplate(read_tokenizer(ModelSpec(id=name), folder), thinking)
    assert chat.source == template.source
    messages = [
        {"role": role, "content": text}
        for role, text in (("user", "1+1?"), ("assistant", "2"), ("user", "2+2?"))
    ]
    assert template.render(messages, **thinking_options(template.source, thinking)) == chat(messages)


def test_markers_in_the_vocabulary_alone_do_not_make_a_model_think(tmp_path: Path) -> None:
    """Qwen3-4B-Instruct-2507 never thinks, and its tokenizer has the tokens: it is compared by
    log-probabilities as before.
    """
    tokens = {
        str(151667 + place): {"content": text, "special": False}
        for place, text in enumerate(("<think>", "</think>"))
    }
    config = {"chat_template": TURN + "{% endif %}", "added_tokens_decoder": tokens}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert thinking_of(ModelSpec(id="org/any", chat_template=True), tmp_path).kind == "instruct"
    told = thinking_of(ModelSpec(id="org/any", chat_template=True, thinking=True), tmp_path)
    assert told.kind == "thinks"
    assert told.tags is not None
    assert told.tags.open == "<think>"


def test_switches_are_names_that_the_template_reads() -> None:
    assert switches_of("{% if enable_thinking %}") == ("enable_thinking",)
    assert switches_of("{% if thinking is defined %}{{ message.thinking }}") == ("thinking",)
    assert switches_of("{{ message.thinking }} {% if 'thinking' in message %}") == ()
    assert switches_of("You are thinking of it: {{ thinking_budget }}") == ("thinking", "thinking_budget")
