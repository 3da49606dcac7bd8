"""The hub asks a keeper which records it would release."""

from typing import Annotated

import msgspec

from nebula.protocol.ids import Address
from nebula.protocol.messages.parties import Kind
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import Document

MATCH_PAGE = 50_000


class MatchRequest(Document, frozen=True, kw_only=True):
    """Which records would you release for this study? Paged by record id."""

    study: StudyDocument
    after: Address | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MATCH_PAGE)] = MATCH_PAGE


class MatchAnswer(Document, frozen=True, kw_only=True):
    """The records a keeper would release, and of the others only counts by reason."""

    records: Annotated[tuple[Address, ...], msgspec.Meta(max_length=MATCH_PAGE)]
    refused: dict[str, int]
    next_after: Address | None = None


MATCH = Kind("keeper.match", MatchRequest, MatchAnswer)
