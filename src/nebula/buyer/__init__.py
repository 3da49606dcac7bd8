"""The researcher's side: publish a study, fund it, have it run, open its result."""

from nebula.buyer.client import Buyer
from nebula.buyer.settings import BuyerSettings

__all__ = ["Buyer", "BuyerSettings"]
