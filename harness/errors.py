"""The errors a person may meet. Each is one line that says the rule, the value got and what to do;
none is shown as a traceback.

The exit code travels with the error, so that the command line needs no table of its own: 0 all
cells done, 1 some cells failed, 2 wrong config or usage, 3 an expectation failed, 130 interrupted.
"""

from __future__ import annotations


class HarnessError(Exception):
    """Something a person can mend. ``exit_code`` is what the shell sees."""

    exit_code = 1


class ConfigError(HarnessError):
    """The YAML, an option or a name is wrong.

    The message may hold several lines: one a mistake, each with file:line:column.
    """

    exit_code = 2


class DataError(HarnessError):
    """A dataset cannot be read: not found anywhere, or without the split or field that a task
    needs.
    """


class ExamplesError(DataError):
    """More few-shot examples are asked for than the data holds."""


class ModelError(HarnessError):
    """A model cannot be loaded: not found, corrupted, of another shape, without a tokenizer."""


class OutOfMemoryError(HarnessError):
    """One item alone does not fit into the device's memory."""


class RunFolderError(HarnessError):
    """The run folder cannot be used: another config's run, no permission, no space."""
