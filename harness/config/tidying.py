"""Names in a config as they are compared everywhere (`harness.names.tidy`), and what was
changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.config.source import YamlNode
from harness.names import alike, tidy

NAMED = {
    "models": ("name",),
    "tasks": ("task", "suite", "name"),
    "expect": ("task", "model", "metric", "filter"),
}
"""Keys whose values join things: a model's row, a task's results, an expectation's cell."""
PATHS = (".yaml", ".yml")


def tidy_names(root: YamlNode) -> list[str]:
    """Tidies names in place; one line per name that was changed, and one where names of models look
    alike.
    """
    notes = []
    for part, keys in NAMED.items():
        for entry in _entries(root, part):
            for key in keys:
                node = entry.child(key)
                if (
                    node is None
                    or not isinstance(node.value, str)
                    or node.value.endswith(PATHS)
                    or node.value == tidy(node.value)
                ):
                    continue
                notes.append(f"{node.place}: {key}: {node.value!r} is read as {tidy(node.value)!r}")
                node.value = tidy(node.value)

    # Names that only look alike are left, for nobody can tell which was meant.
    names = [
        node.value
        for entry in _entries(root, "models")
        if (node := entry.child("name")) and isinstance(node.value, str)
    ]

    notes += [
        f"models that differ by case, separators or look-alike letters alone: {', '.join(group)}; name them "
        "so that they can be told apart"
        for group in alike(names)
    ]
    return notes


def _entries(root: YamlNode, part: str) -> Iterator[YamlNode]:
    node = root.child(part)
    if node is not None and isinstance(node.value, list):
        yield from (entry for entry in node.value if isinstance(entry.value, dict))
