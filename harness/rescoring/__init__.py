"""A run's answers marked again by the present rules, without a model."""
