"""An engineer: a model behind an endpoint; accuracy, latency, cost, thresholds, a gate."""

from __future__ import annotations

CONFIG = """\
name: endpoint
models:
  - id: {model}
    engine: openai
    base_url: "{url}"
    price: {{input: 0.15, output: 0.60}}
tasks:
  - {{file: questions.csv, language: zh, form: generative}}
expect:
  - {{task: questions, model: {name}, metric: exact_match, min: {least}}}
"""
