"""A session and a keeper: nonce, evidence, shares, and whether consent still stands."""

from typing import Annotated

import msgspec

from nebula.protocol.ids import Address, Hash32, Nonce, PublicKey
from nebula.protocol.messages.parties import Accepted, Kind
from nebula.protocol.receipt import Evidence, KeeperVote
from nebula.protocol.record import Location
from nebula.protocol.wire import Document

RELEASE_PAGE = 1000
Records = Annotated[tuple[Address, ...], msgspec.Meta(max_length=RELEASE_PAGE)]


class NonceRequest(Document, frozen=True, kw_only=True):
    """A starting session asks for a nonce to put into its quote."""

    study: Hash32
    run: Hash32


class NonceAnswer(Document, frozen=True, kw_only=True):
    """A nonce, the keeper's key to be sealed to, and the newest block that its own node has."""

    nonce: Nonce
    key: PublicKey
    block_number: int
    block_hash: Hash32


class AppraiseRequest(Document, frozen=True, kw_only=True):
    """A session shows its evidence."""

    evidence: Evidence


class AppraiseAnswer(Document, frozen=True, kw_only=True):
    """The keeper's vote, and the collateral it judged by."""

    vote: KeeperVote
    collateral: bytes


class ReleaseRequest(Document, frozen=True, kw_only=True):
    """A registered session asks for shares of one page of records."""

    study: Hash32
    run: Hash32
    records: Records


class ReleasedShares(Document, frozen=True, kw_only=True):
    """One record's shares, sealed to the session."""

    record: Address
    manifest_commitment: Hash32
    manifest_location: Location
    sealed: Annotated[bytes, msgspec.Meta(max_length=16_384)]


class RefusedRecord(Document, frozen=True, kw_only=True):
    """A record that was not released, and why."""

    record: Address
    reasons: tuple[str, ...]


class ReleaseAnswer(Document, frozen=True, kw_only=True):
    """What was released and refused, and the block that it was decided at."""

    released: Annotated[tuple[ReleasedShares, ...], msgspec.Meta(max_length=RELEASE_PAGE)]
    refused: Annotated[tuple[RefusedRecord, ...], msgspec.Meta(max_length=RELEASE_PAGE)]
    block_number: int
    block_hash: Hash32


class ConfirmRequest(Document, frozen=True, kw_only=True):
    """Which of these are still permitted, at the newest block?"""

    study: Hash32
    run: Hash32
    records: Records


class ConfirmAnswer(Document, frozen=True, kw_only=True):
    """The records that are no longer permitted, and the block that it was decided at."""

    refused: Records
    block_number: int
    block_hash: Hash32


class DiscoverRequest(Document, frozen=True, kw_only=True):
    """A discovery's session asks: which of these may be counted for this buyer, at the newest block?"""

    study: Hash32
    run: Hash32
    buyer: Address
    records: Records


class SpendRequest(Document, frozen=True, kw_only=True):
    """A discovery's session is about to tell a buyer a draw of noise; telling it again costs nothing.

    ``draw``: the session's name for the draw. It is salted, so that nobody reads off it what was asked.
    """

    study: Hash32
    run: Hash32
    buyer: Address
    draw: Hash32


NONCE = Kind("keeper.nonce", NonceRequest, NonceAnswer)
APPRAISE = Kind("keeper.appraise", AppraiseRequest, AppraiseAnswer)
RELEASE = Kind("keeper.release", ReleaseRequest, ReleaseAnswer)
CONFIRM = Kind("keeper.confirm", ConfirmRequest, ConfirmAnswer)
DISCOVER = Kind("keeper.discover", DiscoverRequest, ConfirmAnswer)
SPEND = Kind("keeper.spend", SpendRequest, Accepted)
