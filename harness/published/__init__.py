"""What others published: ratings, who made the rated models, prices.

Read here, checked here; nothing without a source gets in.
"""

from harness.published.models import RatedModel, rated_models
from harness.published.prices import TokenPrice, load_prices
from harness.published.ratings import PublishedRating, load_ratings
from harness.published.sources import FigureSource

__all__ = [
    "FigureSource",
    "PublishedRating",
    "RatedModel",
    "TokenPrice",
    "load_prices",
    "load_ratings",
    "rated_models",
]
