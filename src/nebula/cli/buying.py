"""What every command of a buyer opens first."""

from dataclasses import dataclass

from nebula.buyer import Buyer
from nebula.buyer.settings import BuyerSettings, load_settings
from nebula.buyer.shelf import Shelf
from nebula.cli.options import BuyerOptions
from nebula.protocol.ids import Hash32
from nebula.protocol.study import StudyDocument


@dataclass(frozen=True, slots=True)
class OwnStudy:
    """A study that was published from here, and its buyer."""

    buyer: Buyer
    study: Hash32
    document: StudyDocument


def open_buyer(at: BuyerOptions) -> tuple[BuyerSettings, Buyer]:
    """Open the buyer's settings and keys."""
    settings = load_settings(at.buyer_folder / "settings.json")
    return settings, Buyer(settings, at.buyer_folder)


def open_shelf(at: BuyerOptions) -> Shelf:
    """Open the shelf of the studies that were published from here."""
    return Shelf(at.buyer_folder / "studies")


def open_study(at: BuyerOptions, wanted: str) -> OwnStudy:
    """Open the one study of a buyer whose id begins so.

    Raises:
        RejectedInputError: there is no buyer, or no such study, or there are several.
    """
    _, buyer = open_buyer(at)
    study, document = open_shelf(at).find(wanted)
    return OwnStudy(buyer, study, document)
