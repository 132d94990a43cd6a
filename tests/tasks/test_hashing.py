"""What decides a mark is hashed; what only explains it is not."""

from __future__ import annotations

from pathlib import Path

from harness.tasks import hashing


def test_explanations_are_no_code() -> None:
    one = '''"""Reads."""
import re

# Why: B stands first in many answers.
def read(text: str) -> str:
    """The letter."""
    mark = "# no comment"  # a comment

    return mark
'''
    other = one.replace("The letter.", "What it says.").replace("  # a comment", "").replace("\n\n", "\n\n\n")
    assert hashing.code_of(one) == hashing.code_of(other)
    assert hashing.code_of(one) == "\n".join(
        ["import re", "def read(text: str) -> str:", '    mark = "# no comment"', "    return mark"]
    )
    assert hashing.code_of(one) != hashing.code_of(one.replace("return mark", "return text"))


def test_the_rule_for_thoughts_counts() -> None:
    """Where a thought ends decides what is read, so a change of that rule marks anew."""
    names = {path.name for path in hashing.READERS}
    assert names == {"reading", "thoughts.py", "thought_markers.py"}
    assert all(Path(path).exists() for path in hashing.READERS)
