"""A run from its match to its last payout, or to the refund; whatever is away, refuses, or is killed."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from nebula.database import reading, writing
from nebula.hub import outputs, state
from nebula.hub.run import close_overdue, start_run
from nebula.hub.settle import GOES_BACK, WENT_BACK
from nebula.hub.state import RunState
from nebula.ledger.client.studies import StudyState
from nebula.protocol.errors import NotPermittedError, RejectedInputError
from nebula.protocol.messages import ErrorAnswer, RunReport
from nebula.protocol.receipt import OwnersPage, Payout, PublicRun
from simulators.hub import HOST, SimulatedHub, simulated_hub

pytestmark = pytest.mark.xdist_group("dbos")  # one DBOS per process


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[SimulatedHub]:
    with simulated_hub(tmp_path) as found:
        yield found


def test_a_run_goes_from_its_match_to_its_last_payout(hub: SimulatedHub) -> None:
    hub.ask()
    hub.await_state(RunState.ORDERED)
    hub.report(hub.make_output())

    assert hub.await_state(RunState.PAID).detail is None
    assert (len(hub.effects.settled), hub.effects.paid, hub.effects.refunds) == (1, [0], 0)


def test_asking_again_finds_the_same_run(hub: SimulatedHub) -> None:
    assert hub.ask() == hub.ask()
    hub.await_state(RunState.ORDERED)
    hub.ask()
    assert hub.stand().state is RunState.ORDERED


def test_without_an_escrow_nothing_is_run(hub: SimulatedHub) -> None:
    hub.effects.state = StudyState.UNKNOWN
    with pytest.raises(NotPermittedError) as refusal:
        hub.ask()
    assert refusal.value.code == "hub.not-funded"


def test_while_keepers_are_away_the_buyer_is_told_and_the_run_goes_on_when_they_are_back(hub: SimulatedHub) -> None:
    for keeper in hub.keepers[:2]:
        keeper.away = True
    hub.ask()
    hub.await_that(lambda: hub.stand().detail is not None)
    assert hub.stand().state is RunState.MATCHING
    assert hub.stand().detail == "waiting: only 1 of 3 keepers answer, and 2 are needed"

    hub.keepers[0].away = False
    hub.await_state(RunState.ORDERED)


def test_while_the_ledger_is_away_settlement_waits(hub: SimulatedHub) -> None:
    hub.effects.away = 2
    hub.ask()
    hub.await_state(RunState.ORDERED)
    hub.report(hub.make_output())

    hub.await_that(lambda: hub.stand().detail == "waiting: the ledger does not answer")
    hub.await_state(RunState.PAID)
    assert len(hub.effects.settled) == 1


def test_a_receipt_that_the_ledger_refuses_ends_the_run_with_its_reason_and_is_not_tried_again(
    hub: SimulatedHub,
) -> None:
    hub.effects.refusal = "the keepers do not vouch for this session"
    hub.ask()
    hub.await_state(RunState.ORDERED)
    hub.report(hub.make_output())

    failed = hub.await_state(RunState.FAILED)
    assert failed.detail == f"the ledger refuses: the keepers do not vouch for this session; {GOES_BACK}"
    assert len(hub.effects.settled) == 1
    assert not hub.effects.paid


def test_what_an_enclave_refuses_ends_the_run_with_its_reason(hub: SimulatedHub) -> None:
    hub.ask()
    hub.await_state(RunState.ORDERED)
    refusal = ErrorAnswer(family="not-permitted", code="run.too-few-records", message="too few records")
    hub.orders.report(RunReport(run=hub.run, error=refusal), HOST)

    assert hub.await_state(RunState.FAILED).detail == f"too few records; {GOES_BACK}"


def test_after_the_deadline_without_a_receipt_the_whole_escrow_goes_back(hub: SimulatedHub) -> None:
    hub.ask()
    hub.await_state(RunState.ORDERED)
    hub.pass_the_deadline()

    assert hub.await_state(RunState.REFUNDED).detail == f"no result came by the study's deadline; {WENT_BACK}"
    assert hub.effects.refunds == 1
    assert hub.ask() == hub.run  # asking where it stands is no error
    hub.report(hub.make_output())  # and what comes now is too late
    assert hub.stand().state is RunState.REFUNDED


def test_a_match_that_keepers_never_answered_fails_at_the_deadline(hub: SimulatedHub) -> None:
    for keeper in hub.keepers:
        keeper.away = True
    hub.ask()
    hub.await_that(lambda: hub.stand().detail is not None)
    hub.pass_the_deadline()
    hub.await_state(RunState.FAILED)

    hub.pass_the_deadline()
    hub.await_state(RunState.REFUNDED)


def test_a_failed_run_keeps_its_reason_when_the_escrow_goes_back_and_waits_for_the_ledger(hub: SimulatedHub) -> None:
    hub.ask()
    hub.await_state(RunState.ORDERED)
    refusal = ErrorAnswer(family="not-permitted", code="run.too-few-records", message="too few records")
    hub.orders.report(RunReport(run=hub.run, error=refusal), HOST)
    hub.effects.away = 1
    hub.pass_the_deadline()

    assert hub.await_state(RunState.REFUNDED).detail == f"too few records; {WENT_BACK}"


def test_before_the_deadline_nothing_goes_back(hub: SimulatedHub) -> None:
    hub.ask()
    hub.await_state(RunState.ORDERED)
    close_overdue(hub.runs, hub.parties)

    assert hub.stand().state is RunState.ORDERED
    assert hub.effects.refunds == 0


def test_too_few_matches_are_told_without_their_number(tmp_path: Path) -> None:
    with simulated_hub(tmp_path, min_records=25) as hub:
        hub.ask()
        detail = hub.await_state(RunState.FAILED).detail

    assert detail == f"fewer records match than the 25 that the study needs; {GOES_BACK}"


def test_a_hub_killed_between_keeping_a_report_and_telling_the_run_goes_on(hub: SimulatedHub) -> None:
    hub.ask()
    hub.await_state(RunState.ORDERED)
    hub.orders._settle = lambda _run: None
    hub.report(hub.make_output())
    hub.stop()
    hub.start()

    hub.await_state(RunState.PAID)
    assert len(hub.effects.settled) == 1


def test_a_run_that_was_opened_and_not_begun_is_begun_by_the_next_start(hub: SimulatedHub) -> None:
    with writing(hub.engine) as connection:
        state.add_run(connection, hub.run, hub.study, deadline=hub.document.deadline)
    hub.stop()
    hub.start()

    hub.await_state(RunState.ORDERED)


def test_a_hub_killed_while_it_waits_for_an_enclave_goes_on_waiting(hub: SimulatedHub) -> None:
    hub.ask()
    hub.await_state(RunState.ORDERED)
    hub.stop()
    hub.start()
    hub.report(hub.make_output())

    hub.await_state(RunState.PAID)


def test_reporting_twice_changes_nothing(hub: SimulatedHub) -> None:
    hub.ask()
    hub.await_state(RunState.ORDERED)
    output = hub.make_output()
    hub.report(output)
    hub.report(output)
    hub.await_state(RunState.PAID)
    hub.report(output)

    assert hub.stand().state is RunState.PAID
    assert len(hub.effects.settled) == 1


def test_a_subtree_that_the_ledger_refuses_does_not_keep_the_others_from_being_paid(hub: SimulatedHub) -> None:
    hub.effects.refused_subtrees = {1}
    hub.ask()
    hub.await_state(RunState.ORDERED)
    output = hub.make_output()
    many = tuple(Payout(index=index, address="0x" + "01" * 20, amount_wei="2") for index in range(300))
    page = OwnersPage(first=0, payouts=many, leaves=output.leaves)
    receipt = msgspec.structs.replace(output.head.signed.receipt, record_count=300)
    public = PublicRun(
        signed=msgspec.structs.replace(output.head.signed, receipt=receipt),
        evidence=output.head.evidence,
        collateral=b"",
        votes=(),
        payouts=(),
        statement=output.head.statement,
    )
    with writing(hub.engine) as connection:
        outputs.keep_owners(connection, hub.run, receipt.session, page)
        outputs.keep_output(connection, public, output.head.sealed_result)
    hub.stop()
    hub.start()

    hub.await_state(RunState.PAID)
    assert sorted(hub.effects.paid) == [0, 2]


def test_an_order_names_no_more_records_than_the_buyer_pays_for(tmp_path: Path) -> None:
    with simulated_hub(tmp_path, max_records=21) as hub:
        hub.ask()
        hub.await_state(RunState.ORDERED)
        with reading(hub.engine) as connection:
            chosen, _ = state.page_of_candidates(connection, hub.run, after=None, limit=100)

    assert len(chosen) == 21
    assert set(chosen) < set(hub.keepers[0].records)


def test_a_study_that_was_not_published_is_not_run(hub: SimulatedHub) -> None:
    with pytest.raises(RejectedInputError) as refusal:
        start_run(hub.runs, hub.parties, "0x" + "99" * 32)
    assert refusal.value.code == "hub.study"
