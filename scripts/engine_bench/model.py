"""The model of issue 3's table: 84 million parameters in Qwen2's shape with seeded noise for
weights, and Qwen2.5's own tokenizer.
"""

from __future__ import annotations

import shutil
from pathlib import Path

SHAPE = {
    "vocab_size": 151_936,
    "hidden_size": 384,
    "intermediate_size": 1536,
    "num_hidden_layers": 12,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
    "max_position_embeddings": 32_768,
    "rope_theta": 1_000_000.0,
}
TOKENIZER = "Qwen/Qwen2.5-0.5B-Instruct"


def make(folder: Path, mirror: Path, dtype: str) -> Path:
    """Writes the model with weights in ``dtype`` to a folder, and returns it."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    model = Qwen2ForCausalLM(Qwen2Config(**SHAPE)).to(getattr(torch, dtype))
    model.save_pretrained(folder)
    for file in (mirror / "models" / TOKENIZER).iterdir():
        if file.name.startswith(("tokenizer", "vocab", "merges", "special")):
            shutil.copy(file, folder / file.name)
    return folder
