"""Synthetic bilingual world, items and training code behind the bundled tiny models and tasks."""
