"""A buyer and a discovery's session: a question and its answer, each sealed, so that who carries them reads nothing."""

from typing import Annotated

import msgspec

from nebula.protocol.beacon import BeaconRequest, BeaconResponse
from nebula.protocol.ids import Hash32, PublicKey
from nebula.protocol.messages.parties import ErrorAnswer, Kind
from nebula.protocol.wire import Document

MAX_LETTER_BYTES = 128 * 1024
Letter = Annotated[bytes, msgspec.Meta(min_length=48, max_length=MAX_LETTER_BYTES)]
"""A sealed question or answer."""


class DiscoveryQuestion(Document, frozen=True, kw_only=True):
    """How many people fit? ``reply_key``: what the answer is to be sealed to."""

    study: Hash32
    run: Hash32
    reply_key: PublicKey
    request: BeaconRequest


class DiscoveryAnswer(Document, frozen=True, kw_only=True):
    """The response, and the block by which those counted permit it; or why there is none."""

    response: BeaconResponse | None = None
    block_number: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    block_hash: Hash32 | None = None
    error: ErrorAnswer | None = None


QUESTION = Kind("discovery.question", DiscoveryQuestion, DiscoveryAnswer)
