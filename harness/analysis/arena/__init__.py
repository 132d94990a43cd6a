"""Ratings from pairwise votes (docs/arena.md).

Bradley–Terry with ties as half wins, their intervals, style control and rank intervals. Bradley and
Terry, Biometrika 39 (1952); the scale, the sandwich and the rank are LMArena's (arXiv 2403.04132).
"""

from harness.analysis.arena.fit import Fit
from harness.analysis.arena.ratings import Ratings, make_ratings
from harness.analysis.arena.tally import read_votes
from harness.analysis.arena.votes import Votes

__all__ = ["Fit", "Ratings", "Votes", "make_ratings", "read_votes"]
