"""An owner's policy: the one proposed at first, changing it, withdrawing.

A change goes to every keeper first and to the ledger last: until the ledger has it, the old one holds. A
withdrawal needs nobody but the ledger: one signed message, relayed by the hub or sent by the owner alone.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
from sqlalchemy import Engine

from nebula.database import writing
from nebula.protocol.consent import COMMITMENT_BYTES, ConsentPolicy
from nebula.protocol.duo import Permission
from nebula.protocol.errors import IntegrityError, UnavailableError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.keys import OwnerKeys
from nebula.protocol.messages import (
    ENROL_PAGE,
    POLICY,
    RELAY,
    EnrolAnswer,
    PolicyRequest,
    PolicyUpdate,
    RecordPut,
    RelayAnswer,
    RelayRequest,
)
from nebula.protocol.money import wei_to_wire
from nebula.protocol.signed_by_control_key import UNSIGNED, sign_document
from nebula.protocol.study import PartKind, ResultClass
from nebula.protocol.typed_data import record_withdrawal_digest
from nebula.vault import state
from nebula.vault.current import catch_up, not_withdrawn
from nebula.vault.direct import Direct
from nebula.vault.enrol import Network, commitment_of, control_key_of, signed_put
from nebula.vault.state import Record, Stage

YEARS_VALID = 2
DEFAULT_BUDGET_MICRO_RHO = 1_000_000
WITHDRAWN = "0x" + "00" * COMMITMENT_BYTES


def first_policy(
    record: Address,
    *,
    price_floor_wei: int,
    trust_roots: Sequence[Hash32],
    at: datetime,
    permission: Permission = Permission.HMB,
    commercial_use: bool = True,
    result_classes: tuple[ResultClass, ...] = (ResultClass.NOISED, ResultClass.HITS),
) -> ConsentPolicy:
    """Return the policy that a vault proposes: health research, aggregates, two years.

    Complete summary statistics are not in it: an owner adds them after having read what they risk.
    """
    return ConsentPolicy(
        record=record,
        permission=permission,
        commercial_use=commercial_use,
        parts=(PartKind.GENOTYPES, PartKind.PHENOTYPES),
        price_floor_wei=wei_to_wire(price_floor_wei),
        result_classes=result_classes,
        trust_roots=tuple(trust_roots),
        privacy_budget_micro_rho=DEFAULT_BUDGET_MICRO_RHO,
        expires=int(at.replace(year=at.year + YEARS_VALID, day=min(at.day, 28)).timestamp()),
        salt=secrets.token_bytes(32),
    )


def change_policy(engine: Engine, owner: OwnerKeys, network: Network, record: Address, policy: ConsentPolicy) -> Record:
    """Replace a registered record's policy, and return the record as it then is.

    Killed in between, the old policy holds or the new one does; :func:`nebula.vault.current.catch_up` finds out which.

    Raises:
        NotPermittedError: the record is not registered, or withdrawn.
        UnavailableError: a keeper or the ledger is away; the old policy holds until it is done again.
    """
    current = catch_up(engine, owner, network, record)
    fresh = msgspec.structs.replace(policy, record=record, salt=secrets.token_bytes(32))
    changed = replace(current, policy=fresh, version=current.version + 1)
    _tell_keepers(owner, network, changed)
    put = signed_put(changed, owner, network.records_domain)
    network.hub.ask(RELAY, RelayRequest(puts=(put,)), RelayAnswer)
    if network.slots([record]).get(record) != (commitment_of(changed), changed.version):
        raise UnavailableError("vault.policy", "the ledger does not have the new policy yet; the old one holds")
    with writing(engine) as connection:
        state.set_policy(connection, record, fresh, version=changed.version)
    return changed


def _tell_keepers(owner: OwnerKeys, network: Network, changed: Record) -> None:
    unsigned = PolicyUpdate(
        record=changed.record,
        version=changed.version,
        manifest_commitment=changed.manifest_commitment,
        policy=changed.policy,
        signature=UNSIGNED,
    )
    request = PolicyRequest(updates=(sign_document(unsigned, control_key_of(owner, changed).secret),))
    for address, keeper in network.keepers.items():
        answer = keeper.ask(POLICY, request, EnrolAnswer)
        if len(answer.accepted) != 1:
            reason = answer.refused[0].error.message if answer.refused else "it gave no reason"
            raise UnavailableError("vault.policy", f"keeper {address} did not accept the policy: {reason}")


def withdraw(
    engine: Engine,
    owner: OwnerKeys,
    network: Network,
    records: Sequence[Address],
    *,
    direct: Direct | None = None,
    done: Callable[[int], None] = lambda _count: None,
) -> int | None:
    """End the consent of records, and return the newest block in which one ended; None if all had before.

    Args:
        engine: the vault's tables.
        owner: whose control keys sign.
        network: that it has joined.
        records: at any stage; one that is on its way to the ledger, for the first time or anew, goes no further.
        direct: the owner's own way to the ledger; without it the hub carries the withdrawals.
        done: called with how many more have ended.

    Raises:
        NotPermittedError: the consent of one has ended already.
        IntegrityError: the hub said yes, and the ledger still has the consent.
        UnavailableError: the hub or the ledger is away; done again it goes on.
    """
    newest: int | None = None
    for start in range(0, len(records), ENROL_PAGE):
        page = not_withdrawn(engine, records[start : start + ENROL_PAGE])
        while page:
            puts = _withdrawals(owner, network, page)
            block = _send_directly(network, direct, puts) if direct else _send_by_hub(network, puts)
            newest = block if block is not None else newest
            with writing(engine) as connection:
                overtaken = state.withdraw(connection, page)
            done(len(page) - len(overtaken))
            page = overtaken  # another command took them on while this one waited: what it did is ended, too
    return newest


def _withdrawals(owner: OwnerKeys, network: Network, page: Sequence[Record]) -> list[RecordPut]:
    """Sign a withdrawal of each record that is live, under a version beyond whatever the ledger or the vault knows.

    A registration that was signed may be with the hub still: it is outrun, too.
    """
    puts = []
    for current, slot in zip(page, network.records.slots([record.record for record in page]), strict=True):
        if slot.is_live or (current.stage is Stage.ACCEPTED and slot.version < current.version):
            version = max(slot.version, current.version) + 1
            digest = record_withdrawal_digest(network.records_domain, current.record, version=version)
            signature = control_key_of(owner, current).sign_digest(digest)
            puts.append(RecordPut(record=current.record, commitment=WITHDRAWN, version=version, signature=signature))
    return puts


def _send_by_hub(network: Network, puts: Sequence[RecordPut]) -> int | None:
    if not puts:
        return None
    answer = network.hub.ask(RELAY, RelayRequest(puts=tuple(puts)), RelayAnswer)
    slots = network.records.slots([put.record for put in puts])
    missing = sum(slot.is_live or slot.version < put.version for put, slot in zip(puts, slots, strict=True))
    if missing:
        raise IntegrityError(
            "vault.withdrawal",
            f"the hub did not carry {missing} withdrawals to the ledger",
            hint="send them yourself: `nebula consent withdraw RECORD --direct`",
        )
    receipts = network.ledger.receipts(list(answer.transactions))
    return max((receipt.block_number for receipt in receipts if receipt is not None), default=None)


def _send_directly(network: Network, direct: Direct, puts: Sequence[RecordPut]) -> int | None:
    newest: int | None = None
    for put in puts:
        call = network.records.withdraw(put.record, version=put.version, signature=put.signature)
        newest = direct.send(f"withdraw-{put.record}-{put.version}", call).block_number or newest
    return newest
