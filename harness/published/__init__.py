"""What others published: ratings, who made the rated models, prices. Read here, checked here; nothing without a source gets in."""

from harness.published.models import RatedModel, rated_models
from harness.published.prices import Price, load_prices
from harness.published.ratings import Rating, load_ratings
from harness.published.sources import Source, sources

__all__ = ["Price", "RatedModel", "Rating", "Source", "load_prices", "load_ratings", "rated_models", "sources"]
