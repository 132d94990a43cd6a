"""Vote files for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd


def metadata(
    length: tuple[int, int], headers: tuple[int, int] = (0, 0), bold: tuple[int, int] = (0, 0)
) -> dict[str, Any]:
    """LMArena's conv_metadata of two answers."""
    found: dict[str, Any] = {}
    for place, side in enumerate("ab"):
        found[f"sum_assistant_{side}_tokens"] = length[place]
        found[f"header_count_{side}"] = {"h1": 0, "h2": headers[place], "h3": None}
        found[f"bold_count_{side}"] = {"**": bold[place], "__": 1}
        found[f"list_count_{side}"] = {"ordered": 2 * place, "unordered": 1}
    return found


BATTLES = [
    {
        "model_a": "x",
        "model_b": "y",
        "winner": "model_a",
        "language": "Chinese",
        "conv_metadata": metadata((100, 50), (2, 0)),
    },
    {
        "model_a": "y",
        "model_b": "x",
        "winner": "model_a",
        "language": "English",
        "conv_metadata": metadata((10, 29), bold=(3, 1)),
    },
    {
        "model_a": "x",
        "model_b": "y",
        "winner": "tie (bothbad)",
        "language": "Chinese",
        "conv_metadata": metadata((7, 7)),
    },
    {
        "model_a": "y",
        "model_b": "x",
        "winner": "model_b",
        "language": "English",
        "conv_metadata": metadata((7, 8)),
    },
]


def written(folder: Path, kind: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"votes.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "\n", encoding="utf-8")
    elif kind == "json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    elif kind == "parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        flat = [
            {key: json.dumps(value) if isinstance(value, dict) else value for key, value in row.items()}
            for row in rows
        ]
        pd.DataFrame(flat).to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
    return path
