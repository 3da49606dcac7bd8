"""What every command of a buyer opens first."""

from nebula.buyer import Buyer
from nebula.buyer.settings import BuyerSettings, load_settings
from nebula.buyer.shelf import Shelf
from nebula.cli.options import BuyerOptions


def open_buyer(at: BuyerOptions) -> tuple[BuyerSettings, Buyer]:
    """Open the buyer's settings and keys."""
    settings = load_settings(at.buyer_folder / "settings.json")
    return settings, Buyer(settings, at.buyer_folder)


def open_shelf(at: BuyerOptions) -> Shelf:
    """Open the shelf of the studies that were published from here."""
    return Shelf(at.buyer_folder / "studies")
