"""The articles' claims, each one question over runs and published figures: claim, measurement,
uncertainty, verdict (docs/studies.md).
"""
