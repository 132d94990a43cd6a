"""Every text that is shown in more than one language: one catalogue, one way to say it.

A text has a key, ``topic.name``, and stands in ``harness/data/texts/TOPIC.yaml``, or in one of the
files of ``harness/data/texts/TOPIC/``, in every language of `LANGUAGES`.
"""

from harness.texts.store import LANGUAGES, catalogue, every_language, say, topics
from harness.texts.words import Words

__all__ = ["LANGUAGES", "Words", "catalogue", "every_language", "say", "topics"]
