from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from audit.miniature import Miniature, sign
from nebula.attestation.appraisal import production_policy
from nebula.attestation.roots import TrustRoot
from nebula.audit.facts import RunFacts
from nebula.audit.ledger import read_run
from nebula.audit.report import AuditReport
from nebula.audit.run import RESULT_CHECK, RUN_CHECKS, audit_run, check_run
from nebula.ledger.client import LedgerClient, Network
from nebula.ledger.client.sessions import Approval
from nebula.ledger.client.studies import StudyState
from nebula.protocol.errors import IntegrityError, UnavailableError
from nebula.protocol.keys import SigningKey
from nebula.protocol.receipt import PublicRun
from nebula.protocol.signed_by_control_key import sign_document
from nebula.protocol.wire import parser, to_canonical

OTHER = "0x" + "99" * 32
STRANGER = "0x" + "98" * 20
change = msgspec.structs.replace


@pytest.fixture(scope="module")
def facts(miniature: Miniature) -> RunFacts:
    return read_run(miniature.public, miniature.network)


def names(report: AuditReport) -> set[str]:
    return {check.name for check in report.failed}


def test_an_honest_run_passes_every_check_by_name_and_in_order(miniature: Miniature) -> None:
    report = audit_run(miniature.public, miniature.network, [miniature.root], result=miniature.result)

    assert report.failed == ()
    assert report.require_passed() is report
    assert [check.name for check in report.checks] == [name for name, _ in (*RUN_CHECKS, RESULT_CHECK)]
    assert all(check.sentence for check in report.checks)
    assert parser(AuditReport)(to_canonical(report)) == report


def test_the_audit_needs_nothing_but_a_node_and_public_files(miniature: Miniature) -> None:
    elsewhere = Network(LedgerClient(miniature.network.client.url), miniature.network.addresses)
    assert audit_run(miniature.public, elsewhere, [miniature.root]).passed


def test_simulated_hardware_is_said_loudly(miniature: Miniature, facts: RunFacts) -> None:
    report = check_run(miniature.public, facts, [miniature.root])
    (said,) = [check.sentence for check in report.checks if check.name == "simulated"]
    assert report.simulated
    assert "SIMULATED" in said


def test_an_auditor_who_wants_real_hardware_refuses_a_simulation(miniature: Miniature, facts: RunFacts) -> None:
    strict = production_policy(frozenset({miniature.public.evidence.study.measurement}))
    assert names(check_run(miniature.public, facts, [miniature.root], strict)) == {"enclave"}


def test_an_auditor_who_does_not_know_the_root_believes_no_quote(miniature: Miniature, facts: RunFacts) -> None:
    report = check_run(miniature.public, facts, [TrustRoot.intel()])
    assert names(report) == {"quote", "enclave"}
    assert report.simulated
    with pytest.raises(IntegrityError) as failed:
        report.require_passed()
    assert failed.value.code == "audit.quote"


def test_a_ledger_that_is_away_is_no_verdict(miniature: Miniature) -> None:
    away = Network(LedgerClient("http://127.0.0.1:9", sleep=lambda _: None), miniature.network.addresses)
    with pytest.raises(UnavailableError):
        audit_run(miniature.public, away, [miniature.root])


# Another file: what the hub could serve instead


def receipt(**fields: Any) -> Callable[[Miniature], PublicRun]:
    """A receipt that says something else, signed by the session: as if the enclave's key had been stolen."""

    def forge(miniature: Miniature) -> PublicRun:
        forged = change(miniature.public.signed.receipt, **fields)
        return change(miniature.public, signed=sign(miniature.market, forged, miniature.session))

    return forge


def evidence(**fields: Any) -> Callable[[Miniature], PublicRun]:
    return lambda m: change(m.public, evidence=change(m.public.evidence, **fields))


def study(**fields: Any) -> Callable[[Miniature], PublicRun]:
    return lambda m: evidence(study=change(m.public.evidence.study, **fields))(m)


def payout(place: int, /, **fields: Any) -> Callable[[Miniature], PublicRun]:
    def forge(miniature: Miniature) -> PublicRun:
        payouts = list(miniature.public.payouts)
        payouts[place] = change(payouts[place], **fields)
        return change(miniature.public, payouts=tuple(payouts))

    return forge


def statement(**fields: Any) -> Callable[[Miniature], PublicRun]:
    return lambda m: change(m.public, statement=change(m.public.statement, **fields))


def a_strangers_statement(miniature: Miniature) -> PublicRun:
    forged = sign_document(change(miniature.public.statement, dropped={}), SigningKey.generate().secret)
    return change(miniature.public, statement=forged)


FORGED: list[tuple[str, str, Callable[[Miniature], PublicRun]]] = [
    ("statement", "a withdrawal more", statement(dropped={"withdrawn": 2})),
    ("statement", "nobody left out", statement(dropped={})),
    ("statement", "other sealed leaves", statement(leaves_digest=OTHER)),
    ("statement", "another run's counts", statement(receipt=OTHER)),
    ("statement", "counts that a stranger signed", a_strangers_statement),
    ("statement", "no signature", statement(signature=bytes(65))),
    ("study", "a friendlier title", study(title="Weight")),
    ("study", "another price", study(price_per_record_wei="1")),
    ("study", "another chain", study(chain_id=1)),
    ("panel", "another panel", study(panel=OTHER)),
    ("analysis", "other parameters", study(parameters={"trait": "height", "pcs": 3})),
    ("analysis", "unknown parameters", study(parameters={"colour": "red"})),
    ("session", "another session key", evidence(session_key=b"x" * 32)),
    ("enclave", "another nonce list", lambda m: evidence(nonces=m.public.evidence.nonces[:2])(m)),
    ("quote", "a shorter quote", lambda m: evidence(quote=m.public.evidence.quote[:-1])(m)),
    ("consent-block", "an invented first block", evidence(consent_block_hash=OTHER)),
    ("receipt", "another session", receipt(session=STRANGER)),
    ("settlement", "another use root", receipt(use_root=OTHER)),
    ("settlement", "another run", receipt(run=OTHER)),
    ("session", "another run", receipt(run=OTHER)),
    ("study", "another study", receipt(study=OTHER)),
    ("measurement", "other code", receipt(measurement=OTHER)),
    ("simulated", "a simulation that hides it", receipt(simulated=False)),
    ("measurement", "a simulation that hides it", receipt(simulated=False)),
    ("analysis", "another analysis", receipt(analysis_digest=OTHER)),
    ("consent-block", "an invented block", receipt(consent_block_hash=OTHER)),
    ("consent-block", "a block to come", receipt(consent_block_number=10**9)),
    ("consent-block", "a number beyond every ledger", receipt(consent_block_number=2**63 - 1)),
    ("privacy", "a budget spent", receipt(privacy_micro_rho=1)),
    ("record-count", "one record more", receipt(record_count=6)),
    ("amounts", "another sum", receipt(amount_wei="1")),
    ("escrow", "another sum", receipt(amount_wei="1")),
    ("payout-root", "another payout root", receipt(payout_root=OTHER)),
    ("payout-root", "another owner", payout(1, address=STRANGER)),
    ("claims", "another owner", payout(1, address=STRANGER)),
    ("claims", "another single owner", payout(2, address=STRANGER)),
    ("amounts", "another amount", payout(1, amount_wei="1")),
    ("amounts", "an amount beyond every ledger", payout(1, amount_wei="9" * 39)),
    ("payout-root", "payouts out of order", payout(1, index=7)),
    ("record-count", "one address twice", lambda m: payout(1, address=m.public.payouts[0].address)(m)),
    ("claims", "payouts left out", lambda m: change(m.public, payouts=m.public.payouts[:3])),
    ("payout-root", "no payouts", lambda m: change(m.public, payouts=())),
    ("votes", "one vote", lambda m: change(m.public, votes=m.public.votes[:1])),
    ("votes", "no votes", lambda m: change(m.public, votes=())),
    ("votes", "one vote twice", lambda m: change(m.public, votes=(m.public.votes[0],) * 2)),
    (
        "votes",
        "a stranger's vote",
        lambda m: change(m.public, votes=(m.public.votes[0], change(m.public.votes[1], keeper=STRANGER))),
    ),
    ("quote", "other collateral", lambda m: change(m.public, collateral=b"{}")),
    ("quote", "collateral with a space", lambda m: change(m.public, collateral=b" " + m.public.collateral)),
]


@pytest.mark.parametrize(("check", "what", "forge"), FORGED, ids=[f"{check}: {what}" for check, what, _ in FORGED])
def test_a_forged_file_fails_the_check_that_is_about_it(
    miniature: Miniature, check: str, what: str, forge: Callable[[Miniature], PublicRun]
) -> None:
    assert check in names(audit_run(forge(miniature), miniature.network, [miniature.root]))


def test_a_receipt_that_was_altered_is_not_the_sessions(miniature: Miniature) -> None:
    signed = miniature.public.signed
    altered = change(signed, receipt=change(signed.receipt, use_root=OTHER))
    report = audit_run(change(miniature.public, signed=altered), miniature.network, [miniature.root])
    assert names(report) == {"receipt", "statement", "settlement"}


# Another ledger: what should never stand there, and would be seen


def moved(change_last: Callable[[Any], Any], name: str) -> Callable[[RunFacts], RunFacts]:
    """Alter the last token movement in the transaction of the fact with a name."""

    def alter(facts: RunFacts) -> RunFacts:
        placed = facts.claims[-1] if name == "claims" else getattr(facts, name)
        transfers = dict(facts.transfers)
        items = list(transfers[placed.transaction_hash])
        items[-1] = replace(items[-1], transfer=change_last(items[-1].transfer))
        transfers[placed.transaction_hash] = tuple(items)
        return replace(facts, transfers=transfers)

    return alter


def event(name: str, **fields: Any) -> Callable[[RunFacts], RunFacts]:
    def alter(facts: RunFacts) -> RunFacts:
        placed = getattr(facts, name)
        return replace(facts, **{name: replace(placed, event=replace(placed.event, **fields))})

    return alter


def more(transfer: Any) -> Any:
    return replace(transfer, amount=transfer.amount + 1)


def astray(transfer: Any) -> Any:
    return replace(transfer, receiver=STRANGER)


def claimed(place: int, **fields: Any) -> Callable[[RunFacts], RunFacts]:
    def alter(facts: RunFacts) -> RunFacts:
        claims = list(facts.claims)
        claims[place] = replace(claims[place], event=replace(claims[place].event, **fields))
        return replace(facts, claims=tuple(claims))

    return alter


ODD: list[tuple[str, str, Callable[[RunFacts], RunFacts]]] = [
    ("study", "never funded", lambda f: replace(f, funded=None)),
    ("study", "other terms funded", event("funded", terms_digest=OTHER)),
    ("settlement", "never settled", lambda f: replace(f, settled=None)),
    ("settlement", "settled on another receipt", event("settled", receipt=OTHER)),
    ("settlement", "settled on another result", event("settled", result_digest=OTHER)),
    ("settlement", "settled on more records", event("settled", record_count=6)),
    ("payout-root", "settled on other payouts", event("settled", payout_root=OTHER)),
    ("session", "never registered", lambda f: replace(f, session=None)),
    ("quote", "never registered", lambda f: replace(f, session_block=None)),
    ("session", "registered with other evidence", event("session", evidence=OTHER)),
    ("session", "registered for another run", event("session", run=OTHER)),
    ("session", "registered too late", lambda f: replace(f, session=replace(f.session, block_number=10**6))),
    ("consent-block", "registered too late", lambda f: replace(f, session=replace(f.session, block_number=10**6))),
    ("consent-block", "settled too early", lambda f: replace(f, settled=replace(f.settled, block_number=1))),
    ("votes", "a suspended keeper", lambda f: replace(f, standing=dict.fromkeys(f.standing, False))),
    ("votes", "a higher threshold", lambda f: replace(f, vote_threshold=3)),
    ("panel", "a panel that nobody published", lambda f: replace(f, panel_published=False)),
    ("measurement", "code never approved", lambda f: replace(f, approvals=(Approval.NONE, Approval.SIMULATED))),
    ("measurement", "code revoked", lambda f: replace(f, approvals=(Approval.SIMULATED, Approval.NONE))),
    ("measurement", "approved as genuine", lambda f: replace(f, approvals=(Approval.GENUINE, Approval.GENUINE))),
    ("measurement", "funded for other code", event("funded", measurement=OTHER)),
    ("escrow", "a larger fee", event("settled", fee_wei=1)),
    ("escrow", "a smaller refund", event("settled", refund_wei=1)),
    ("escrow", "funded with too little", moved(more, "funded")),
    ("escrow", "refunded to somebody else", moved(astray, "settled")),
    ("escrow", "tokens that never moved", lambda f: replace(f, transfers={})),
    ("escrow", "refunded afterwards", lambda f: replace(f, state=StudyState.REFUNDED)),
    ("claims", "more left than there should be", lambda f: replace(f, escrow_wei=1)),
    ("claims", "paid to somebody else", moved(astray, "claims")),
    ("claims", "paid too much", moved(more, "claims")),
    ("claims", "paid twice", lambda f: replace(f, claims=(*f.claims, f.claims[-1]))),
    ("claims", "a claim untold", lambda f: replace(f, claims=f.claims[:1])),
    ("claims", "a payout outside the tree", claimed(1, subtree=3)),
    ("claims", "a claim of nothing", claimed(1, paid=0)),
    ("claims", "another amount", claimed(1, amount_wei=1)),
    ("claims", "another owner", claimed(0, owner=STRANGER)),
    ("claims", "another receiver", claimed(0, receiver=STRANGER)),
]


@pytest.mark.parametrize(("check", "what", "alter"), ODD, ids=[f"{check}: {what}" for check, what, _ in ODD])
def test_an_odd_ledger_fails_the_check_that_is_about_it(
    miniature: Miniature, facts: RunFacts, check: str, what: str, alter: Callable[[RunFacts], RunFacts]
) -> None:
    assert check in names(check_run(miniature.public, alter(facts), [miniature.root]))


def test_another_chain_is_no_verdict_but_an_alarm(miniature: Miniature) -> None:
    elsewhere = Network(miniature.network.client, change(miniature.network.addresses, chain_id=1))
    with pytest.raises(IntegrityError):
        audit_run(miniature.public, elsewhere, [miniature.root])
