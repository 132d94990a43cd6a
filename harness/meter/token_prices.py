"""What the tokens of a model behind an endpoint cost: the config's ``price:``, else the published
list (harness/data/published/prices.yaml).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.config.schema import ModelSpec
from harness.published import TokenPrice, load_prices

OWN = "the config's price:"
MILLION = 1_000_000
_SELLERS = {"googleapis.com": "google.dev", "together.xyz": "together.ai"}
"""Domains of endpoints whose prices stand on a page of another domain."""


@dataclass(frozen=True)
class TokenRates:
    """Money per million tokens.

    ``cached_input`` is what a prompt token read from the server's cache costs; ``currency`` an ISO
    code, never converted; ``source`` is ``the config's price:`` or a page, ``date`` (ISO) the day
    of a list.
    """

    input: float
    output: float
    cached_input: float
    currency: str
    source: str
    date: str | None = None

    def cost(self, prompt: float, output: float, cached: float = 0) -> float:
        """Money for so many tokens; ``cached`` of the prompt's were read from the server's cache.

        Thoughts are output tokens, as every seller counts them.
        """
        fresh = max(0.0, prompt - cached)
        return math.fsum((fresh * self.input, cached * self.cached_input, output * self.output)) / MILLION


def token_rates(spec: ModelSpec) -> TokenRates | None:
    """What a million of a model's tokens cost; None where that is not known.

    The config's own ``price:`` goes first. Else an endpoint's model is looked up in the published
    list, by its exact name and by the seller: a page of the endpoint's own domain. So a model that
    is served at home is never charged at its maker's price.
    """
    if spec.price is not None:
        own = spec.price
        cached = own.input if own.cached_input is None else own.cached_input
        return TokenRates(own.input, own.output, cached, own.currency, OWN)

    listed = _listed(spec)
    if listed is None:
        return None
    return TokenRates(
        listed.input, listed.output, listed.input, "USD", listed.source, listed.date.isoformat()
    )


def why_no_rates(spec: ModelSpec) -> str:
    """Why `token_rates` gives None, and what to write."""
    return f"no price of {spec.id} is known here; say price: {{input: …, output: …}} per million tokens"


def _listed(spec: ModelSpec) -> TokenPrice | None:
    """The published price of exactly this model by the seller whose endpoint is asked."""
    host = urlsplit(spec.base_url or "").hostname
    if host is None:
        return None

    name = spec.id.rsplit("/", 1)[-1].lower()
    price = next((one for key, one in load_prices().items() if key.lower() == name), None)
    return price if price is not None and _domain(urlsplit(price.source).hostname) == _domain(host) else None


def _domain(host: str | None) -> str:
    """The last two labels of a host, by the domain of the seller's pages."""
    domain = ".".join((host or "").split(".")[-2:])
    return _SELLERS.get(domain, domain)
