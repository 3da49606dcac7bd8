"""All that a vault's records earned, over every study that the ledger settled, and how to get what was not paid.

The ledger says which runs there were; the hub hands out each one's public file, which is believed only if the ledger
settled on its receipt. Usually the hub has paid a payout to its one-time address already; where it has not, the owner
claims it alone, to any address, by the one-time key's signature.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Engine

from nebula.ledger.client.settlements import check_settled, read_settlements
from nebula.ledger.client.studies import Settled, Studies
from nebula.ledger.client.token import Token
from nebula.ledger.relay import Outcome
from nebula.protocol.errors import IntegrityError, NebulaError, NotPermittedError, RejectedInputError
from nebula.protocol.ids import Address, Hash32, to_hex
from nebula.protocol.keys import OwnerKeys
from nebula.protocol.merkle import payout_tree
from nebula.protocol.money import wei_from_wire
from nebula.protocol.receipt import PublicRun
from nebula.protocol.typed_data import Authorization, Domain, claim_digest, transfer_digest
from nebula.transport.public import PublicFiles
from nebula.vault.direct import Direct
from nebula.vault.enrol import Network
from nebula.vault.payouts import OwnPayout, open_leaf, own_leaves

_NEVER_ENDS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Earning:
    """One payout of one record, as the ledger has it: paid or not, and what its one-time address still holds."""

    payout: OwnPayout
    public: PublicRun
    paid: bool
    held_wei: int

    @property
    def amount_wei(self) -> int:
        """What the record earned."""
        return wei_from_wire(self.payout.leaf.amount_wei)


class Lost(StrEnum):
    """What of a run a hub has altered, lost or refused."""

    RUN = "run"  # nothing of it can be read
    LEAF = "leaf"  # one record's leaf
    LEAVES = "leaves"  # what there is was read; some may be missing


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What cannot be read of a run, and why. ``record``: whose leaf it is; None where it is no single leaf."""

    what: Lost
    study: Hash32
    run: Hash32
    record: Address | None
    error: NebulaError


def read_earnings(engine: Engine, owner: OwnerKeys, network: Network) -> Iterator[Earning | Unreadable]:
    """Yield what the vault's records earned, run by run.

    SECURITY: what the hub hands out for one run may be wrong, or a refusal. That run, or that leaf, is reported, and
    so are leaves that may be missing; all others are read.

    Raises:
        UnavailableError: the ledger or the hub is away.
    """
    settings = network.settings
    for settled in read_settlements(network.ledger, settings.studies_contract, first_block=settings.deployed_block):
        try:
            public = _public_run(network, settled)
            leaves = own_leaves(engine, network.hub, public.signed.receipt)
        except NebulaError as error:
            if error.code == "peer.away":
                raise
            yield Unreadable(Lost.RUN, settled.study, settled.run, None, error)
            continue
        payouts = []
        for record, sealed in leaves.found:
            try:
                payouts.append(open_leaf(record, sealed, owner, public.signed.receipt))
            except (IntegrityError, RejectedInputError) as error:
                yield Unreadable(Lost.LEAF, settled.study, settled.run, record.record, error)
        yield from _as_paid(network, public, payouts)
        try:
            leaves.check_whole(public.statement)
        except IntegrityError as error:
            yield Unreadable(Lost.LEAVES, settled.study, settled.run, None, error)


def _as_paid(network: Network, public: PublicRun, payouts: list[OwnPayout]) -> Iterator[Earning]:
    """Say of one run's payouts what the ledger knows."""
    indices = [payout.leaf.payout_index for payout in payouts]
    paid = _studies(network).are_claimed(public.signed.receipt.study, indices) if indices else []
    held = _balances(network, [payout.key.address for payout in payouts])
    for payout, is_paid, held_wei in zip(payouts, paid, held, strict=True):
        yield Earning(payout, public, is_paid, held_wei)


def claim(network: Network, earning: Earning, receiver: Address | None, direct: Direct) -> Outcome:
    """Have an unpaid payout paid to a receiver, by default to its one-time address.

    Raises:
        NotPermittedError: the ledger refuses; somebody may have claimed it at the same moment.
        UnavailableError: the ledger is away; the claim waits and is sent again.
    """
    leaf, payouts = earning.payout.leaf, earning.public.payouts
    payout = payouts[leaf.payout_index]
    if (payout.address, payout.amount_wei) != (leaf.payout_address, leaf.amount_wei):
        raise IntegrityError("vault.payout", "the run's public file has another payout than the owner's leaf")
    tree = payout_tree(payouts)
    if to_hex(tree.root) != earning.public.signed.receipt.payout_root:
        raise IntegrityError("vault.payout", "the run's public payouts are not those of its receipt")
    to = receiver or leaf.payout_address
    domain = Domain(network.settings.chain_id, network.settings.studies_contract)
    signature = earning.payout.key.sign_digest(claim_digest(domain, leaf.study, index=leaf.payout_index, receiver=to))
    proof = tree.proof(leaf.payout_index)
    call = _studies(network).claim(leaf.study, payout, proof, receiver=to, signature=signature)
    return direct.send(f"claim-{leaf.study}-{leaf.payout_index}-{to}", call)


def move(network: Network, earning: Earning, receiver: Address, direct: Direct) -> Outcome:
    """Move what a one-time address holds to a receiver; the wallet pays the gas (EIP-3009).

    Raises:
        NotPermittedError: there is nothing on it.
        UnavailableError: the ledger is away; the transfer waits and is sent again.
    """
    key, leaf = earning.payout.key, earning.payout.leaf
    if not earning.held_wei:
        raise NotPermittedError("vault.spent", f"{key.address} holds nothing any more")
    # One transfer per payout: its name is its nonce, so doing it again is doing it once.
    nonce = bytes.fromhex(leaf.run[2:])
    authorization = Authorization(
        owner=key.address,
        receiver=receiver,
        amount_wei=earning.held_wei,
        valid_after=0,
        valid_before=_NEVER_ENDS,
        nonce=nonce,
    )
    token = _token(network)
    signature = key.sign_digest(transfer_digest(token.domain(network.settings.chain_id), authorization))
    call = token.transfer_with_authorization(authorization, signature)
    return direct.send(f"move-{key.address}-{receiver}", call)


def _public_run(network: Network, settled: Settled) -> PublicRun:
    public = PublicFiles(network.settings.hub_url).run(settled.run)
    if public is None:
        raise IntegrityError(
            "vault.run",
            f"the hub does not hand out run {settled.run}, which the ledger has settled",
            hint="anyone else's copy of the run's public file would do; ask the hub's operator",
        )
    return check_settled(public, settled, Domain(network.settings.chain_id, network.settings.studies_contract))


def _balances(network: Network, addresses: list[Address]) -> list[int]:
    if network.settings.token_contract is None:
        return [0] * len(addresses)
    return _token(network).balances_wei(addresses) if addresses else []


def _studies(network: Network) -> Studies:
    return Studies(network.ledger, network.settings.studies_contract)


def _token(network: Network) -> Token:
    if network.settings.token_contract is None:
        raise RejectedInputError(
            "vault.token", "the vault's settings do not name the token's contract", hint="add token_contract to them"
        )
    return Token(network.ledger, network.settings.token_contract)
