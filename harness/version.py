"""The harness's own version, kept here so that nothing heavy is needed to know it."""

__version__ = "0.1.0"
