"""One entry of the catalogue: a task, group or tag, its language and its description."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from harness.errors import ConfigError
from harness.tasks.scan import read_config

Language = Literal["zh", "en"]
_ZH = re.compile(
    r"(^|[_\-./])(zh|zho|cmn|cn|chinese|han[st])([_\-./]|$)|^ceval|^cmmlu|^aclue|^tmmlu|^tmlu|^zhoblimp"
    r"|^agieval_(cn|gaokao|jec)|^(c3|ocnli|cluewsc|cmrc|chid|afqmc)",
    re.IGNORECASE,
)
_EN_FAMILIES = (
    "mmlu|arc_easy|arc_challenge|ai2_arc|hellaswag|piqa|siqa|social_iqa|winogrande|openbookqa|boolq|copa|cb|rte|wic|multirc|record|wsc"
    "|gsm8k|gsm_plus|truthfulqa|gpqa|leaderboard|bbh|ifeval|minerva_math|minerva_math500|math500|hendrycks_math|hendrycks_ethics|aime|aime24|aime25|humaneval"
    "|mbpp|lambada_openai|lambada_standard|wikitext|pile|c4|drop|triviaqa|nq_open|race|sciq|squad|squadv2|squad_completion|commonsense_qa"
    "|logiqa|logiqa2|qasper|blimp|glue|super-glue|toxigen|anli|mathqa|asdiv|agieval_en|agieval_aqua|agieval_lsat|agieval_sat|webqs"
    "|babi|coqa|mutual|headqa_en|medqa|medmcqa|pubmedqa|bbq|crows_pairs_english|unscramble|winogender|score|metabench"
)
_EN = re.compile(rf"^({_EN_FAMILIES})(_|-|$)|(^|[_\-])(en|eng|english|eng_latn)(_|$)", re.IGNORECASE)
_OTHER = re.compile(
    r"spanish|arabic|turkish|few_shot_en|^(flores|ntrex|mafand|tatoeba|salt|translation|hrm8k)"
    r"|^(mmlu_prox|mmlu-prox)_(?!en)"
    r"|_(am|ar|bn|cs|de|el|es|eu|fr|ha|he|hi|hy|id|ig|it|ja|ko|ms|nl|pl|pt|ro|ru|sr|sw|te|th|uk|vi|yo)$",
    re.IGNORECASE,
)
"""Tasks in other languages, and translation between two.

The names of both hold what the rules for English look for.
"""


@dataclass(frozen=True)
class CatalogueEntry:
    """One name.

    ``members`` are a tag's tasks; ``config`` are lm-eval keys that a derived task adds to its
    template YAML.
    """

    name: str
    kind: Literal["task", "group", "tag"]
    path: Path | None
    source: Literal["own", "harness", "lm-eval"]
    members: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def language(self) -> Language | None:
        """The language that the name shows.

        For the harness's own tasks the YAML's ``metadata: {language: …}`` comes first.
        """
        declared = _declared_language(self.path) if self.source != "lm-eval" and self.path else None
        return declared or guess_language(self.name)

    @property
    def description(self) -> str:
        """One line: the YAML's ``metadata: {description: …}``, or the README's heading."""
        if self.kind == "tag":
            return f"tag of {len(self.members)} tasks"
        if self.path is None:
            return ""
        if self.source != "lm-eval":
            text = (_metadata(self.path) or {}).get("description")
            return str(text) if text else ""
        return _heading(self.path.parent)


def guess_language(name: str) -> Language | None:
    """zh or en by the rules that task names follow, else None."""
    if _ZH.search(name):
        return "zh"
    return "en" if _EN.search(name) and not _OTHER.search(name) else None


@lru_cache(maxsize=512)
def _metadata(path: Path) -> dict[str, Any] | None:
    try:
        metadata = read_config(path).get("metadata")
    except ConfigError:
        return None
    return metadata if isinstance(metadata, dict) else None


def _declared_language(path: Path) -> Language | None:
    language = (_metadata(path) or {}).get("language")
    return language if language in ("zh", "en") else None


@cache
def _heading(folder: Path) -> str:
    """First heading of the README in this folder or the nearest one above it.

    The search ends at lm-eval's tasks folder.
    """
    for above in (folder, *folder.parents):
        if above.name == "tasks":
            break
        try:
            lines = (above / "README.md").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        return next((line.lstrip("# ").strip() for line in lines if line.startswith("#")), above.name)
    return folder.name
