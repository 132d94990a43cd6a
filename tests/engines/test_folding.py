"""Messages that a template refuses, leaves out or rewrites: everything that was asked stands in the
prompt, or it is said what is lost.

The templates are the published ones of the models named (their tokenizer_config.json on the hub),
or kinds of them.
"""

from __future__ import annotations

import pytest

from harness.engines.folding import FoldedMessages, adapt, fold_system, merge_turns
from harness.engines.protocol import Message
from harness.engines.template import TemplateFile
from harness.errors import ModelError

GEMMA = (  # google/gemma-2-2b-it
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') "
    "}}{% endif %}"
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = "
    "message['role'] %}{% endif %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)
MISTRAL = (  # mistralai/Mistral-7B-Instruct-v0.1
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) "
    "%}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
SILENT = (
    "{% for m in messages %}{% if m.role in ('user', 'assistant') %}<{{ m.role }}>{{ m.content }}"
    "{% endif %}{% endfor %}"
)
FIRST_ONLY = (
    "{% for m in messages %}{% if m.role != 'system' or loop.first %}<{{ m.role }}>{{ m.content.strip() }}"
    "{% endif %}{% endfor %}"
)
BROKEN = "{% for m in messages %}{{ m.content + None }}{% endfor %}"
CUTTING = "{% for m in messages %}<{{ m.role }}>{{ m.content.split('</think>')[-1] }}{% endfor %}"
FORGETFUL = "{{ messages[0].content }}<last>{{ messages[-1].content }}"
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


def ask(source: str, *turns: tuple[str, str]) -> tuple[str, FoldedMessages]:
    template = TemplateFile(source, TOKENS)
    return adapt([{"role": role, "content": text} for role, text in turns], template.render)


@pytest.mark.parametrize("source", [GEMMA, MISTRAL, SILENT], ids=["gemma", "mistral", "silent"])
def test_a_system_message_that_is_refused_or_ignored_stands_in_the_first_user_turn(source: str) -> None:
    prompt, adapted = ask(
        source, ("system", "Answer in French."), ("user", "One?"), ("assistant", "Un"), ("user", "Two?")
    )
    assert "Answer in French.\n\nOne?" in prompt
    assert prompt.count("Answer in French.") == 1
    assert adapted == FoldedMessages(folded=True)


@pytest.mark.parametrize("source", [GEMMA, MISTRAL], ids=["gemma", "mistral"])
def test_neighbours_of_one_role_are_merged_where_a_template_wants_them_in_turn(source: str) -> None:
    prompt, adapted = ask(source, ("user", "Read this."), ("user", "One?"))
    assert "Read this.\n\nOne?" in prompt
    assert adapted == FoldedMessages(merged=True)
    prompt, adapted = ask(source, ("system", "S."), ("user", "Read this."), ("user", "One?"))
    assert "S.\n\nRead this.\n\nOne?" in prompt
    assert adapted == FoldedMessages(folded=True, merged=True)


def test_a_template_that_takes_everything_is_left_alone() -> None:
    prompt, adapted = ask(FIRST_ONLY, ("system", " S\n"), ("user", " One?\n\n"), ("assistant", "1"))
    assert prompt == "<system>S<user>One?<assistant>1"
    assert adapted == FoldedMessages()


def test_a_second_system_message_that_is_left_out_is_folded_too() -> None:
    prompt, adapted = ask(FIRST_ONLY, ("system", "S."), ("system", "T."), ("user", "One?"))
    assert adapted.lost == ()
    assert "T." in prompt


def test_thoughts_cut_out_of_examples_are_said_and_no_loss() -> None:
    prompt, adapted = ask(CUTTING, ("user", "One?"), ("assistant", "<think>hm</think>1"), ("user", "Two?"))
    assert "hm" not in prompt
    assert adapted == FoldedMessages(cut_thoughts=True)


def test_what_stands_nowhere_in_the_prompt_is_told() -> None:
    _, adapted = ask(FORGETFUL, ("user", "First."), ("assistant", "An example's answer"), ("user", "Last."))
    assert adapted.lost == ("An example's answer",)


def test_a_template_that_takes_no_form_of_the_messages_is_an_error_of_one_line() -> None:
    with pytest.raises(ModelError, match="the chat template refused the messages"):
        ask(BROKEN, ("user", "One?"))


def test_folding_without_a_user_turn_or_without_words() -> None:
    assert fold_system([{"role": "system", "content": "S"}]) == [{"role": "user", "content": "S"}]
    one: list[Message] = [{"role": "system", "content": " "}, {"role": "user", "content": "q"}]
    assert fold_system(one) == [{"role": "user", "content": "q"}]
    assert merge_turns([]) == []
