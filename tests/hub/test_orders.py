"""What an enclave host may ask of the hub, and what it may not hand in."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select

from nebula.database import reading
from nebula.hub import outputs, tables
from nebula.hub.state import RunState
from nebula.protocol.errors import IntegrityError, NotPermittedError, RejectedInputError
from nebula.protocol.ids import to_hex
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import CandidatesRequest, OrderRequest, OwnersReport, RunProgress, RunReport
from nebula.protocol.receipt import RunOutput, SealedLeaf, SignedReceipt
from nebula.protocol.run_statement import leaves_digest
from nebula.protocol.signed_by_control_key import sign_document
from nebula.protocol.study import ResultClass
from nebula.protocol.typed_data import Domain, receipt_digest
from simulators.hub import HOST, OTHER_HOST, SimulatedHub, simulated_hub
from simulators.studies import CHAIN_ID, STUDIES

STRANGER = "0x" + "66" * 20
pytestmark = pytest.mark.xdist_group("dbos")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[SimulatedHub]:
    with simulated_hub(tmp_path) as found:
        found.ask()
        found.await_state(RunState.ORDERED)
        yield found


def test_the_same_order_is_given_until_it_is_reported(hub: SimulatedHub) -> None:
    ask = OrderRequest(measurement=hub.document.measurement)
    first = hub.orders.next_order(ask, HOST).order
    assert first == hub.orders.next_order(ask, HOST).order

    hub.report(hub.make_output())
    assert hub.orders.next_order(ask, HOST).order is None


def test_the_records_of_an_order_come_in_pages_ascending(hub: SimulatedHub) -> None:
    records: list[str] = []
    more = True
    while more:
        after = records[-1] if records else None
        page = hub.orders.candidates(CandidatesRequest(run=hub.run, after=after, limit=5), HOST)
        records, more = [*records, *page.records], page.more
    assert records == sorted(owner.record for owner in hub.world.owners)
    with pytest.raises(NotPermittedError):
        hub.orders.candidates(CandidatesRequest(run=hub.run), STRANGER)


def test_pages_that_were_handed_in_before_a_kill_are_handed_in_again_without_harm(hub: SimulatedHub) -> None:
    output = hub.make_output()
    hub.hand_in_pages(output, 2)
    hub.stop()
    hub.start()
    hub.report(output)

    hub.await_state(RunState.PAID)
    with reading(hub.engine) as connection:
        assert outputs.page_of_payouts(connection, hub.run, after=0, limit=100) == (output.payouts, None)
        assert outputs.page_of_leaves(connection, hub.run, after=0, limit=100) == (output.leaves, None)


def test_what_another_session_handed_in_is_no_part_of_the_run(hub: SimulatedHub) -> None:
    hub.hand_in_pages(hub.make_output(), 3)
    output = hub.make_output()
    hub.report(output)

    with reading(hub.engine) as connection:
        assert outputs.page_of_payouts(connection, hub.run, after=0, limit=100) == (output.payouts, None)
        counted = [
            connection.scalar(select(func.count()).select_from(table)) for table in (tables.payouts, tables.leaves)
        ]
    assert counted == [24, 24]


def test_a_host_spoils_no_page_of_a_session_that_another_runs(hub: SimulatedHub) -> None:
    """The first page of its number counts: a garbled one would cost the run its try."""
    output = hub.make_output()
    spoilt = msgspec.structs.replace(next(output.pages(7)), leaves=tuple(map(garbled, output.leaves[:7])))
    request = OwnersReport(run=hub.run, session=output.head.signed.receipt.session, page=spoilt)
    with pytest.raises(NotPermittedError) as refusal:
        hub.orders.owners(request, OTHER_HOST)
    assert refusal.value.code == "hub.host"

    hub.report(output)
    hub.await_state(RunState.PAID)


def test_a_report_before_all_pages_is_refused(hub: SimulatedHub) -> None:
    output = hub.make_output()
    hub.hand_in_pages(output, 3)
    with pytest.raises(IntegrityError):
        hub.orders.report(RunReport(run=hub.run, head=output.head), HOST)
    assert hub.stand().state is RunState.ORDERED


@pytest.mark.parametrize("wrong", ["session", "numbers", "leaves", "beyond", "stranger"])
def test_a_page_that_no_run_could_have_is_not_kept(hub: SimulatedHub, wrong: str) -> None:
    output = hub.make_output()
    session, page = output.head.signed.receipt.session, next(output.pages(5))
    sender = STRANGER if wrong == "stranger" else HOST
    if wrong == "session":
        session = STRANGER
    elif wrong == "numbers":
        page = msgspec.structs.replace(page, first=1)
    elif wrong == "leaves":
        page = msgspec.structs.replace(page, leaves=page.leaves[1:])
    elif wrong == "beyond":
        moved = tuple(msgspec.structs.replace(payout, index=999 + place) for place, payout in enumerate(page.payouts))
        page = msgspec.structs.replace(page, first=999, payouts=moved)

    with pytest.raises((RejectedInputError, NotPermittedError)):
        hub.orders.owners(OwnersReport(run=hub.run, session=session, page=page), sender)
    with reading(hub.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.payouts)) == 0


def test_other_code_gets_no_order(hub: SimulatedHub) -> None:
    assert hub.orders.next_order(OrderRequest(measurement="0x" + "00" * 32), HOST).order is None


def test_who_is_no_host_of_this_hub_gets_and_hands_in_nothing(hub: SimulatedHub) -> None:
    progress = RunProgress(run=hub.run, stage="x", done=0, total=1)
    with pytest.raises(NotPermittedError):
        hub.orders.next_order(OrderRequest(measurement=hub.document.measurement), STRANGER)
    with pytest.raises(NotPermittedError):
        hub.orders.progress(progress, STRANGER)
    with pytest.raises(NotPermittedError):
        hub.orders.report(RunReport(run=hub.run), STRANGER)


def test_progress_is_shown_while_the_run_is_with_the_enclave_and_no_longer(hub: SimulatedHub) -> None:
    hub.orders.progress(RunProgress(run=hub.run, stage="assembling", done=3, total=24), HOST)
    assert hub.stand().detail == "assembling 3/24"

    hub.report(hub.make_output())
    hub.await_state(RunState.PAID)
    hub.orders.progress(RunProgress(run=hub.run, stage="assembling", done=4, total=24), HOST)
    assert hub.stand().detail is None


def test_the_output_of_a_session_that_was_not_handed_in_is_refused(hub: SimulatedHub) -> None:
    output = hub.world.run(msgspec.structs.replace(hub.world.order, run=hub.run))

    with pytest.raises(RejectedInputError) as refusal:
        hub.report(output)
    assert refusal.value.code == "hub.session"
    assert hub.stand().state is RunState.ORDERED


def garbled(leaf: SealedLeaf) -> SealedLeaf:
    return msgspec.structs.replace(leaf, sealed=leaf.sealed[:-1] + bytes([leaf.sealed[-1] ^ 1]))


LEAVES_OF_A_LYING_HOST: dict[str, Callable[[tuple[SealedLeaf, ...]], tuple[SealedLeaf, ...]]] = {
    "a garbled leaf": lambda leaves: (garbled(leaves[0]), *leaves[1:]),
    "another name": lambda leaves: (msgspec.structs.replace(leaves[0], locator=bytes(16)), *leaves[1:]),
    "another order": lambda leaves: leaves[::-1],
    "one twice, one lost": lambda leaves: (leaves[1], *leaves[1:]),
}


@pytest.mark.parametrize("lie", LEAVES_OF_A_LYING_HOST)
def test_leaves_that_the_session_did_not_seal_are_refused_by_a_hub(hub: SimulatedHub, lie: str) -> None:
    """An owner who cannot read their leaf cannot find their tokens."""
    output = hub.make_output()
    with pytest.raises(IntegrityError) as refusal:
        hub.report(replace(output, leaves=LEAVES_OF_A_LYING_HOST[lie](output.leaves)))
    assert refusal.value.code == "hub.output"
    assert hub.stand().state is RunState.ORDERED


def test_a_host_cannot_sign_for_the_leaves_itself(hub: SimulatedHub) -> None:
    output = hub.make_output()
    leaves = (garbled(output.leaves[0]), *output.leaves[1:])
    statement = msgspec.structs.replace(output.head.statement, leaves_digest=leaves_digest(leaves))
    for forged in (statement, sign_document(statement, SigningKey.generate().secret)):
        head = msgspec.structs.replace(output.head, statement=forged)
        with pytest.raises(IntegrityError):
            hub.report(replace(output, head=head, leaves=leaves))
    assert hub.stand().state is RunState.ORDERED


def made_by(hub: SimulatedHub, session: SigningKey, *, receipt: str | None = None) -> RunOutput:
    """An output of a session whose key a test has; its statement may be about another receipt."""
    output = hub.world.run(msgspec.structs.replace(hub.world.order, run=hub.run))
    evidence = msgspec.structs.replace(output.head.evidence, session=session.address)
    voted = msgspec.structs.replace(hub.world.host.registered[-1], evidence=evidence)
    hub.orders.register_session(voted, HOST)
    about = msgspec.structs.replace(output.head.signed.receipt, session=session.address)
    digest = receipt_digest(Domain(CHAIN_ID, STUDIES), about)
    statement = msgspec.structs.replace(output.head.statement, receipt=receipt or to_hex(digest))
    head = msgspec.structs.replace(
        output.head,
        evidence=evidence,
        signed=SignedReceipt(receipt=about, signature=session.sign_digest(digest)),
        statement=sign_document(statement, session.secret),
    )
    return replace(output, head=head)


def test_a_statement_of_the_same_session_about_another_receipt_is_refused(hub: SimulatedHub) -> None:
    """Every owner's vault would refuse the run, after the ledger had settled it."""
    session = SigningKey.generate()
    with pytest.raises(IntegrityError) as refusal:
        hub.report(made_by(hub, session, receipt="0x" + "99" * 32))
    assert refusal.value.code == "statement.receipt"
    assert hub.stand().state is RunState.ORDERED

    hub.report(made_by(hub, SigningKey.generate()))
    hub.await_state(RunState.PAID)


@pytest.mark.parametrize("part", ["payouts", "leaves", "run"])
def test_an_output_whose_parts_do_not_belong_together_is_refused_whole(hub: SimulatedHub, part: str) -> None:
    output = hub.make_output()
    if part == "run":
        receipt = msgspec.structs.replace(output.head.signed.receipt, run="0x" + "99" * 32)
        signed = msgspec.structs.replace(output.head.signed, receipt=receipt)
        altered = replace(output, head=msgspec.structs.replace(output.head, signed=signed))
    else:
        altered = replace(output, **{part: getattr(output, part)[:-1]})

    with pytest.raises((IntegrityError, RejectedInputError)):
        hub.report(altered)
    assert hub.stand().state is RunState.ORDERED
    with reading(hub.engine) as connection:
        assert outputs.page_of_leaves(connection, hub.run, after=0, limit=10) == ((), None)


DISCOVERY = {
    "analysis": "discovery@1",
    "parameters": {},
    "result_class": ResultClass.NOISED,
    "privacy_micro_rho": 500_000,
}


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[SimulatedHub]:
    """A hub with a discovery that stands."""
    with simulated_hub(tmp_path, **DISCOVERY) as found:
        found.ask()
        found.await_state(RunState.ORDERED)
        yield found


def test_a_discovery_is_for_hosts_that_ask_for_one_and_a_study_for_the_others(standing: SimulatedHub) -> None:
    measurement = standing.document.measurement
    assert standing.orders.next_order(OrderRequest(measurement=measurement), HOST).order is None
    order = standing.orders.next_order(OrderRequest(measurement=measurement, work="discoveries"), HOST).order
    assert order is not None
    assert order.run == standing.run


def test_who_has_joined_or_left_is_in_or_out_of_a_discoverys_next_order(standing: SimulatedHub) -> None:
    def named() -> set[str]:
        ask = OrderRequest(measurement=standing.document.measurement, work="discoveries")
        assert standing.orders.next_order(ask, HOST).order is not None
        return set(standing.orders.candidates(CandidatesRequest(run=standing.run), HOST).records)

    first, newcomer = named(), "0x" + "ff" * 20
    for keeper in standing.keepers:
        keeper.records = [*keeper.records[1:], newcomer]
    assert named() == first - {standing.world.owners[0].record} | {newcomer}


def test_a_discovery_of_too_few_waits_for_more(standing: SimulatedHub) -> None:
    ask = OrderRequest(measurement=standing.document.measurement, work="discoveries")
    for keeper in standing.keepers:
        keeper.records = keeper.records[:5]
    assert standing.orders.next_order(ask, HOST).order is None
    assert standing.stand().state is RunState.ORDERED


def test_a_discovery_that_is_over_gives_its_deposit_back(standing: SimulatedHub) -> None:
    standing.pass_the_deadline()
    ended = standing.await_state(RunState.REFUNDED)
    assert ended.detail is not None
    assert ended.detail.startswith("the discovery is over")
