"""Where a story stopped: so that one that was interrupted is gone on with, and its escrow not locked twice."""

from pathlib import Path

from nebula.localnet.places import write
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import Document, parser


class Bookmark(Document, frozen=True, kw_only=True):
    """What ``story.json`` says.

    Attributes:
        cast: whom the network in this folder is about.
        study: the study under way; None between two stories.
        withdrawing: who withdraws from it.
    """

    cast: str
    study: StudyDocument | None = None
    withdrawing: Address | None = None


_parse = parser(Bookmark)


def open_bookmark(folder: Path, cast: str) -> Bookmark:
    """Return a folder's bookmark; a new one where no story was told yet.

    Raises:
        RejectedInputError: the folder holds a story about others.
    """
    try:
        found = _parse((folder / "story.json").read_bytes())
    except FileNotFoundError:
        return Bookmark(cast=cast)
    if found.cast != cast:
        raise RejectedInputError(
            "demo.other-story",
            f"{folder} holds a network about {found.cast}",
            hint="choose another --dir, or ask for the same people again",
        )
    return found


def place_bookmark(folder: Path, bookmark: Bookmark) -> None:
    """Keep a bookmark."""
    write(folder / "story.json", bookmark)
