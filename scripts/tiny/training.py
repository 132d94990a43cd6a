"""Train one family's model from nothing and write it in the hub's layout."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from tiny.corpus import DRILLS, MIX, Document, stream
from tiny.families import Family
from tiny.optim import Muon
from tiny.start import wire
from tiny.tokens import WINDOW, in_qwen2_layout, train_tokenizer

ROW = 384  # Tokens in a row of packed documents.
ROWS = 4  # Rows in a batch.
SHAPE: dict[str, Any] = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": WINDOW,
    "tie_word_embeddings": True,
    "rms_norm_eps": 1e-6,
}
KINDS = (*MIX, "drill")
Row = tuple[list[int], list[float], list[int]]


def build_model(family: Family, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    """An untrained model of the family's architecture."""
    ids: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": None,
    }
    torch.manual_seed(family.seed)
    model: PreTrainedModel
    if family.architecture == "llama":
        # Llama has no attention biases by default; the structured start needs them.
        model = LlamaForCausalLM(LlamaConfig(**SHAPE, **ids, head_dim=32, attention_bias=True))
    else:
        model = Qwen2ForCausalLM(Qwen2Config(**SHAPE, **ids))
    wire(model)
    return model


def start_from(model: PreTrainedModel, base: Path) -> None:
    """Copy the base's weights; rows of tokens that the base does not have keep their random
    start.
    """
    taught = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    words = int(AutoTokenizer.from_pretrained(base).backend_tokenizer.get_vocab_size(with_added_tokens=False))
    table = model.get_input_embeddings().weight
    own = table.detach().clone()
    own[:words] = taught.get_input_embeddings().weight.detach()[:words]
    shared = {
        name: value
        for name, value in taught.state_dict().items()
        if "embed" not in name and "lm_head" not in name
    }
    model.load_state_dict(shared, strict=False)
    with torch.no_grad():
        table.copy_(own)


def encode(doc: Document, tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[float]]:
    """Token ids of the document and the loss weight of each token."""
    coded = tokenizer(doc.text, add_special_tokens=False, return_offsets_mapping=True)
    bounds, end = [], 0
    for piece, weight in doc.pieces:
        end += len(piece)
        bounds.append((end, weight))
    weights, at = [], 0
    for _, stop in coded["offset_mapping"]:
        while stop > bounds[at][0]:
            at += 1
        weights.append(bounds[at][1])
    return coded["input_ids"], weights


def rows(family: Family, tokenizer: PreTrainedTokenizerFast) -> Iterator[Row]:
    """Rows of ROW tokens: whole documents one after the other, the rest left out of the loss."""
    ids: list[int] = []
    weights: list[float] = []
    owners: list[int] = []
    for number, doc in enumerate(stream(family, family.seed, start=DRILLS[1] if family.base else 0)):
        new_ids, new_weights = encode(doc, tokenizer)
        new_weights[0] = 0.0
        ids += new_ids
        weights += new_weights
        kind = KINDS.index(doc.items[0].kind if doc.items else "drill")
        owners += [number * len(KINDS) + kind] * len(new_ids)
        if len(ids) >= ROW:
            yield ids[:ROW], weights[:ROW], owners[:ROW]
            ids, weights, owners = [], [], []


def batches(
    family: Family, tokenizer: PreTrainedTokenizerFast
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Endless batches: ids, loss weights, kinds, and a mask that keeps every token inside its own
    document.
    """
    source = rows(family, tokenizer)
    causal = torch.ones(ROW, ROW, dtype=torch.bool).tril()
    while True:
        ids, weights, owners = zip(*(next(source) for _ in range(ROWS)), strict=True)
        owner = torch.tensor(owners)
        mask = (owner[:, None, :, None] == owner[:, None, None, :]) & causal
        yield torch.tensor(ids), torch.tensor(weights), owner % len(KINDS), mask


def optimizers(model: PreTrainedModel) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for embeddings, norms and biases."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim < 2 or "embed" in n]
    return [
        Muon(matrices, lr=0.01, weight_decay=0.01),
        torch.optim.AdamW(others, lr=3e-3, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def schedule(step: int, steps: int) -> float:
    """Share of the peak learning rate: a short warm-up, a plateau, and a decay over the last
    half.
    """
    if step < 40:
        return (step + 1) / 40
    left = (steps - step) / (steps * 0.5)
    return min(1.0, 0.02 + 0.98 * left) if left < 1 else 1.0


class Report:
    """Moving averages of the loss of answer tokens, kind by kind, in nats."""

    def __init__(self) -> None:
        self.average: dict[str, float] = {}

    def add(self, losses: torch.Tensor, weights: torch.Tensor, kinds: torch.Tensor) -> None:
        """Take in one batch."""
        for number, kind in enumerate(KINDS):
            weight = weights[kinds == number]
            chosen = (kinds == number) & (weights == (weight.amax() if len(weight) else 2.0))
            if bool(chosen.any()):
                now = losses[chosen].mean().item()
                self.average[kind] = self.average.get(kind, now) + 0.05 * (now - self.average.get(kind, now))

    def __str__(self) -> str:
        return " ".join(f"{kind} {value:.2f}" for kind, value in self.average.items())


def train(
    family: Family, tokenizer: PreTrainedTokenizerFast, steps: int, base: Path | None
) -> PreTrainedModel:
    """Train for the given number of optimizer steps, from the base's weights if there is one, and
    print the answers' loss now and then.
    """
    model = build_model(family, tokenizer)
    if base:
        start_from(model, base)
    opts = optimizers(model)
    peaks = [opt.param_groups[0]["lr"] for opt in opts]
    source = batches(family, tokenizer)

    began, report = time.monotonic(), Report()
    model.train()
    for step in range(steps):
        ids, weights, kinds, mask = next(source)
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
        losses = functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")

        # The weights are those of the tokens that are predicted, one to the right.
        share = weights[:, 1:].flatten()
        loss = (losses * share).sum() / share.sum()
        torch.autograd.backward(loss)
        for opt, peak in zip(opts, peaks, strict=True):
            opt.param_groups[0]["lr"] = peak * schedule(step, steps)
            opt.step()
            opt.zero_grad()

        report.add(losses.detach(), share, kinds[:, 1:].flatten())
        if step % 100 == 99:
            print(
                f"{family.name} step {step + 1}/{steps} {report} {time.monotonic() - began:.0f} s", flush=True
            )
    return model.eval()


def save(family: Family, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write weights (bf16), configuration and tokenizer as the hub lays them out."""
    folder.mkdir(parents=True, exist_ok=True)
    stops = [tokenizer.convert_tokens_to_ids(token) for token in family.stops]
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=stops,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=False,
    )
    model.to(torch.bfloat16).save_pretrained(folder)
    if family.architecture == "qwen2":
        tokenizer = in_qwen2_layout(family, tokenizer)
    tokenizer.save_pretrained(folder, save_jinja_files=False)
    # The class name that both older and newer releases of transformers know.
    settings = folder / "tokenizer_config.json"
    layout = json.loads(settings.read_text(encoding="utf-8"))
    layout["tokenizer_class"] = "PreTrainedTokenizerFast"
    settings.write_text(json.dumps(layout, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(0o644)


def rebuild(family: Family, folder: Path, steps: int | None = None) -> None:
    """Train the family's tokenizer and model and write both into `folder`; a base is looked for
    beside it.
    """
    tokenizer = train_tokenizer(family)
    base = folder.parent / family.base if family.base else None
    save(family, train(family, tokenizer, steps or family.steps, base), tokenizer, folder)
