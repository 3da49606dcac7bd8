"""Find what one's records earned, check it against the receipt, and hold the key that spends it.

All of a run's sealed leaves are fetched, and one's own are looked up at home by mailbox name: asking for one
would tell the hub whose it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine

from nebula.database import reading
from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.keys import OwnerKeys, SigningKey
from nebula.protocol.merkle import use_leaf, verify_use
from nebula.protocol.messages import LEAVES, LeavesAnswer, LeavesRequest
from nebula.protocol.receipt import OwnerLeaf, PublicRun, Receipt, RunStatement, SealedLeaf, parse_owner_leaf
from nebula.protocol.record import LEAF_INFO, mailbox_locator
from nebula.protocol.run_statement import leaves_digest
from nebula.protocol.sealing import open_sealed
from nebula.protocol.stealth import one_time_key
from nebula.transport.client import Peer
from nebula.vault import state
from nebula.vault.enrol import keys_of
from nebula.vault.state import Record


@dataclass(frozen=True, slots=True)
class OwnPayout:
    """What one record earned in one run. ``key`` spends it."""

    record: Address
    leaf: OwnerLeaf
    key: SigningKey


@dataclass(frozen=True, slots=True)
class OwnLeaves:
    """The leaves, unopened, under the names of a vault's records; and the digest of all that the hub handed out."""

    found: tuple[tuple[Record, SealedLeaf], ...]
    digest: Hash32

    def check_whole(self, statement: RunStatement) -> None:
        """Check that the hub handed out just what the session sealed: else some may be missing.

        Raises:
            IntegrityError: it did not.
        """
        if self.digest != statement.leaves_digest:
            raise IntegrityError(
                "vault.leaves",
                f"the hub hands out other sealed leaves than the session of run {statement.receipt[:12]}… made",
                hint="payouts of yours may be hidden; anyone's whole copy of the leaves would show them",
            )


def own_payouts(engine: Engine, owner: OwnerKeys, hub: Peer, public: PublicRun) -> Iterator[OwnPayout]:
    """Yield what this vault's records earned in a run whose receipt and statement were verified.

    Raises:
        IntegrityError: a leaf under one of our names is not what the receipt commits to, or, after all that could be
            read, the leaves are not those that the session sealed.
    """
    leaves = own_leaves(engine, hub, public.signed.receipt)
    for record, sealed in leaves.found:
        yield open_leaf(record, sealed, owner, public.signed.receipt)
    leaves.check_whole(public.statement)


def own_leaves(engine: Engine, hub: Peer, receipt: Receipt) -> OwnLeaves:
    """Fetch all leaves of a run whose receipt was verified; keep those under the names of this vault's records."""
    records = {mailbox_locator(record.mailbox, receipt.run): record for record in all_records(engine)}
    found: dict[bytes, SealedLeaf] = {}

    def passing() -> Iterator[SealedLeaf]:
        for leaf in _fetch_leaves(hub, receipt):
            if leaf.locator in records:
                found[leaf.locator] = leaf
            yield leaf

    digest = leaves_digest(passing())
    return OwnLeaves(tuple((record, found[locator]) for locator, record in records.items() if locator in found), digest)


def open_leaf(record: Record, sealed: SealedLeaf, owner: OwnerKeys, receipt: Receipt) -> OwnPayout:
    """Open a record's leaf of a run whose receipt was verified.

    Raises:
        IntegrityError, RejectedInputError: it is not what the receipt commits to.
    """
    keys = keys_of(owner, record)
    opened = open_sealed(keys.crypt4gh_identity(), sealed.sealed, info=LEAF_INFO, aad=receipt.run.encode())
    leaf = parse_owner_leaf(opened.reveal())
    if (leaf.record, leaf.run, leaf.study) != (record.record, receipt.run, receipt.study):
        raise IntegrityError("vault.leaf", "a sealed leaf speaks of another record, run or study")
    use = use_leaf(leaf.study, leaf.record, leaf.leaf_salt)
    verify_use(use, leaf.use_index, leaf.use_proof, receipt.use_root)
    stealth = keys.stealth_keys()
    secret = one_time_key(leaf.ephemeral_public_key, stealth.viewing.secret, stealth.spending.secret)
    key = SigningKey.from_secret(secret)
    if key.address != leaf.payout_address:
        raise IntegrityError("vault.leaf", "the payout's address is not one that this record's key can spend")
    return OwnPayout(record.record, leaf, key)


def _fetch_leaves(hub: Peer, receipt: Receipt) -> Iterator[SealedLeaf]:
    # SECURITY: a hub may hand out leaves without end. After an empty page, or more leaves than records, it is not asked
    # again: what came by then has another digest than the session signed.
    left, after = receipt.record_count, 0
    while left >= 0:
        answer = hub.ask(LEAVES, LeavesRequest(run=receipt.run, after=after), LeavesAnswer)
        yield from answer.leaves
        left -= len(answer.leaves)
        if answer.next_after is None or not answer.leaves:
            return
        after = answer.next_after


def all_records(engine: Engine) -> Iterator[Record]:
    """Yield every record of a vault, page by page."""
    after = ""
    while True:
        with reading(engine) as connection:
            page = state.page_of_records(connection, after=after)
        if not page:
            return
        yield from page
        after = page[-1].record
