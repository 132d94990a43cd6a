"""The articles' claims, each one question over runs and published figures.

Claim, measurement, uncertainty, verdict (docs/studies.md).
"""
