"""What the test server answers: completions and chats of the real model, and refusals in the words of
OpenAI or FastAPI.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.engines.tokenizer import ChatTemplate
from harness.items import Completion, Sampling, ThinkTags
from harness.thoughts import scan
from support.endpoint_logprobs import MODEL_LOCK, echo, prompt_logprobs

if TYPE_CHECKING:
    from support.endpoint import Behaviour, Server


def refusal(behaviour: Behaviour, refused: list[str], body: dict[str, Any]) -> tuple[int, bytes]:
    """HTTP status and body for fields that are not taken."""
    if behaviour.strict:
        complaints = [
            {
                "type": "extra_forbidden",
                "loc": ["body", name],
                "msg": "Extra inputs are not permitted",
                "input": body[name],
            }
            for name in refused
        ]
        return 422, json.dumps({"detail": complaints}).encode()
    text = f"Unrecognized request argument supplied: {refused[0]}"
    if refused[0] == "max_tokens":
        text = "Unsupported parameter: 'max_tokens' is not supported with this model. "
        text += "Use 'max_completion_tokens' instead."
    return 400, json.dumps(
        {"error": {"message": text, "type": "invalid_request_error", "param": None, "code": None}}
    ).encode()


def complete(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    """A plain completion."""
    prompt, behaviour = body["prompt"], server.behaviour
    if isinstance(prompt, str):
        ids = server.engine.encoder.encode([prompt])[prompt]
    elif behaviour.ids:
        ids = list(prompt)
    else:
        raise ValueError("prompt: expected a string")
    choice, written = _written(server, body, ids)
    if "prompt_logprobs" in body and "prompt_logprobs" in behaviour.scoring:
        choice["prompt_logprobs"] = prompt_logprobs(server, ids)
    if body.get("echo") and "echo" in behaviour.scoring:
        choice["logprobs"] = echo(server, ids)
    return _reply("text_completion", choice, len(ids), written)


def chat(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    """A chat completion, through the model's own template."""
    thinking = body.get("chat_template_kwargs", {}).get("enable_thinking")
    prompt = ChatTemplate(server.engine.encoder, thinking)(
        body["messages"], body.get("add_generation_prompt", True)
    )
    ids = server.engine.encoder.encode([prompt])[prompt]
    choice, written = _written(server, body, ids)
    message = {"role": "assistant", "content": choice.pop("text")}
    if server.behaviour.reasoning:
        text = message["content"]
        tags = ThinkTags("<think>", "</think>", opened=prompt.rstrip().endswith("<think>"))
        start = scan(text, tags).start
        thought, answer = (text, None) if start is None else (text[:start], text[start:])
        bare = thought.strip().removeprefix("<think>").removesuffix("</think>")
        message |= {"content": answer, server.behaviour.reasoning: bare}
    return _reply("chat.completion", choice | {"message": message}, len(ids), written)


def _written(server: Server, body: dict[str, Any], ids: list[int]) -> tuple[dict[str, Any], int]:
    budget = body.get("max_completion_tokens") or body.get("max_tokens") or 16
    if server.behaviour.max_model_len and len(ids) + budget > server.behaviour.max_model_len:
        most = server.behaviour.max_model_len
        raise ValueError(f"maximum context length is {most} tokens, asked for {len(ids)} + {budget}")
    settings = (
        {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "repetition_penalty": 1.0, "seed": 0}
        | server.behaviour.defaults
        | body
    )
    sampling = Sampling(
        settings["temperature"],
        settings["top_p"],
        max(settings["top_k"], 0),
        settings["repetition_penalty"],
        settings["seed"],
    )
    item = Completion(
        "k",
        "",
        tuple(body.get("stop", ())),
        budget,
        sampling,
        prompt_ids=tuple(ids),
        ignore_eos=body.get("ignore_eos", False),
    )
    with MODEL_LOCK:
        (answer,) = server.engine.generate([item])
    text = answer.text
    for special in server.behaviour.specials if body.get("skip_special_tokens", True) else ():
        text = text.replace(special, "")
    choice: dict[str, Any] = {
        "index": 0,
        "text": text,
        "finish_reason": "length" if answer.finish == "length" else "stop",
    }
    if body.get("return_token_ids"):
        choice["token_ids"] = list(answer.output_ids or ())
    return choice, answer.tokens.output


def _reply(kind: str, choice: dict[str, Any], prompt: int, written: int) -> dict[str, Any]:
    usage = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
    return {"id": "x", "object": kind, "choices": [choice], "usage": usage}


def chunks(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The same answer as a stream: the role, texts in pieces of three characters, the end, the
    counts.
    """
    (choice,) = answer["choices"]
    message = choice.get("message") or {}
    texts = {name: value for name, value in (message or choice).items() if isinstance(value, str)}
    ends = {key: choice[key] for key in ("finish_reason", "stop_reason") if key in choice}
    for name in ("role", *ends):
        texts.pop(name, None)

    # A thought goes before the answer, as a model writes it.
    pieces = [
        {name: text[start : start + 3]}
        for name, text in sorted(texts.items(), key=lambda pair: pair[0] in ("content", "text"))
        for start in range(0, len(text), 3)
    ]
    deltas = [{"role": "assistant", "content": ""}, *pieces] if message else pieces
    shape = [{"delta": delta} if message else delta for delta in deltas]
    last: dict[str, Any] = {"delta": {}} if message else {"text": ""}
    if "token_ids" in choice:
        last |= {"token_ids": choice["token_ids"]}
    whole = [{"index": 0, "finish_reason": None, **part} for part in shape]
    head = {key: answer[key] for key in ("id", "object")}
    parts = [*whole, {"index": 0, **last, **ends}]
    return [
        *({**head, "choices": [part]} for part in parts),
        {**head, "choices": [], "usage": answer["usage"]},
    ]
