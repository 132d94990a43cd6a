"""The models that are measured: real shapes and tokenizers with seeded weights, as files that every
peer reads.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from engine_bench.model import make as make_small

QWEN = "Qwen/Qwen2.5-0.5B-Instruct"


def make(name: str, folder: Path, mirror: Path, dtype: str) -> Path:
    """``small`` (84M parameters in Qwen2's shape), ``qwen`` (Qwen2.5-0.5B in full), a name of the
    mirror, or a folder, used as it is.
    """
    if name == "small":
        return make_small(folder, mirror, dtype)
    if Path(name).is_dir():
        return Path(name)
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    # Speed needs the shape alone: the weights are random, the tokenizer is the real one.
    source = mirror / "models" / (QWEN if name == "qwen" else name)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(
        AutoConfig.from_pretrained(source), dtype=getattr(torch, dtype)
    ).save_pretrained(folder)
    for file in source.iterdir():
        if file.name != "config.json":
            shutil.copyfile(file, folder / file.name)
    return folder
