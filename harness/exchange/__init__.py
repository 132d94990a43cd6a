"""Other tools' formats: what lm-eval left becomes a run."""
