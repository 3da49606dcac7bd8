"""Steps 6 and 7: nonces and votes, over quotes of simulated hardware that are verified for real."""

import pytest

from keeper.world import RUN, EnclaveSession, World, fresh_hash
from nebula.attestation.claims import TcbStatus
from nebula.attestation.collateral import parse_collateral
from nebula.attestation.simulator.collateral import CollateralFaults
from nebula.attestation.simulator.cpu import EnclaveShape
from nebula.keeper.appraise import QuoteJudge, appraise
from nebula.keeper.nonces import LIFETIME_SECONDS
from nebula.protocol.errors import NebulaError, NotPermittedError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.messages import AppraiseRequest
from nebula.protocol.receipt import Evidence, KeeperNonce
from nebula.protocol.session_vote import check_vote
from simulators.sgx import CollateralDouble


def code(world: World, session: EnclaveSession, evidence: Evidence) -> str:
    with pytest.raises(NebulaError) as refused:
        world.appraise(session, evidence)
    return refused.value.code


@pytest.fixture
def session(world: World) -> EnclaveSession:
    return world.new_session(world.study())


def test_a_vote_is_the_keepers_signature_over_what_the_ledger_registers(world: World, session: EnclaveSession) -> None:
    evidence = world.evidence(session, world.nonce(session))
    answer = world.appraise(session, evidence)
    assert check_vote(answer.vote, evidence, world.keeper.sessions) == world.keeper.address
    assert parse_collateral(answer.collateral) == world.collateral.collateral_for(b"", at=world.at)


def test_asked_again_the_same_vote_is_given_also_by_a_restarted_keeper(world: World, session: EnclaveSession) -> None:
    evidence = world.evidence(session, world.nonce(session))
    first = world.appraise(session, evidence)
    world.keeper = world.restarted()
    world.collateral.away = True
    assert world.appraise(session, evidence) == first


def test_a_nonce_is_used_once(world: World, session: EnclaveSession) -> None:
    nonce = world.nonce(session)
    world.appraise(session, world.evidence(session, nonce))
    world.ledger.mine()
    assert code(world, session, world.evidence(session, nonce)) == "nonce.spent"
    with pytest.raises(NotPermittedError, match="restart makes a new session"):
        world.nonce(session)


def test_nonces_never_repeat(world: World, session: EnclaveSession) -> None:
    assert len({world.nonce(session) for _ in range(20)}) == 20


def test_only_the_last_nonce_of_a_session_counts(world: World, session: EnclaveSession) -> None:
    earlier, later = world.nonce(session), world.nonce(session)
    assert code(world, session, world.evidence(session, earlier)) == "appraisal.nonce"
    world.appraise(session, world.evidence(session, later))


def test_a_nonce_expires(world: World, session: EnclaveSession) -> None:
    evidence = world.evidence(session, world.nonce(session))
    world.pass_time(seconds=LIFETIME_SECONDS + 1)
    assert code(world, session, evidence) == "nonce.none"


def test_a_stolen_nonce_is_worth_nothing(world: World, session: EnclaveSession) -> None:
    nonce = world.nonce(session)
    thief = world.new_session(session.study)
    assert code(world, thief, world.evidence(thief, nonce)) == "nonce.none"
    world.nonce(thief)
    assert code(world, thief, world.evidence(thief, nonce)) == "appraisal.nonce"
    world.appraise(session, world.evidence(session, nonce))


def test_a_nonce_for_one_run_is_none_for_another(world: World, session: EnclaveSession) -> None:
    nonce = world.nonce(session)
    session.run = fresh_hash()
    assert code(world, session, world.evidence(session, nonce)) == "nonce.none"


def test_a_nonce_is_given_for_funded_studies_only(world: World) -> None:
    session = world.new_session(world.draft())
    with pytest.raises(NotPermittedError, match="not funded"):
        world.nonce(session)


def test_a_session_shows_its_own_evidence_only(world: World, session: EnclaveSession) -> None:
    evidence = world.evidence(session, world.nonce(session))
    with pytest.raises(NotPermittedError, match="its own evidence"):
        appraise(world.keeper, world.judge, AppraiseRequest(evidence=evidence), world.buyer.address)


def test_every_field_that_the_quote_binds_is_bound(world: World, session: EnclaveSession) -> None:
    import msgspec

    evidence = world.evidence(session, world.nonce(session))
    for change in (
        {"session_key": world.new_session(session.study).sealing.public_key},
        {"nonces": (evidence.nonces[0], KeeperNonce(keeper="0x" + "0a" * 20, nonce=b"\1" * 32))},
    ):
        assert code(world, session, msgspec.structs.replace(evidence, **change)) == "appraisal.report-data"


def test_a_weak_session_key_is_refused(world: World, session: EnclaveSession) -> None:
    evidence = world.evidence(session, world.nonce(session), session_key=bytes(32))
    assert code(world, session, evidence) == "sealing.weak-key"


def test_the_consent_block_must_stand_on_my_ledger_and_be_recent(world: World, session: EnclaveSession) -> None:
    nonce = world.nonce(session)
    evidence = world.evidence(session, nonce, consent_block_hash=fresh_hash())
    assert code(world, session, evidence) == "appraisal.block"
    ahead = world.evidence(session, nonce, consent_block_number=world.ledger.number + 1)
    assert code(world, session, ahead) == "ledger.behind"
    old = world.evidence(session, nonce)
    world.ledger.mine(300)
    assert code(world, session, old) == "appraisal.old-block"


def test_code_that_the_ledger_does_not_approve_gets_no_vote(world: World, session: EnclaveSession) -> None:
    evidence = world.evidence(session, world.nonce(session))
    world.ledger.approvals.clear()
    assert code(world, session, evidence) == "appraisal.not-approved"


def test_simulated_hardware_that_is_approved_as_genuine_gets_no_vote(world: World, session: EnclaveSession) -> None:
    evidence = world.evidence(session, world.nonce(session))
    world.ledger.approvals = dict.fromkeys(world.ledger.approvals, False)
    assert code(world, session, evidence) == "appraisal.not-approved"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"measurement": "0x" + "66" * 32}, "appraisal.measurement"),
        ({"shape": EnclaveShape(debug=True)}, "quote.debug"),
        ({"shape": EnclaveShape(config_id=b"\1" * 64)}, "appraisal.config-id"),
    ],
)
def test_an_enclave_that_the_policy_does_not_allow_gets_no_vote(
    world: World, session: EnclaveSession, change: dict[str, object], expected: str
) -> None:
    nonce = world.nonce(session)
    world.hardware = world.hardware.but(**change)
    found = code(world, session, world.evidence(session, nonce))
    assert found == expected or found.split(".")[1] == expected.split(".")[1]


def test_a_platform_that_fell_behind_gets_no_vote(world: World, session: EnclaveSession) -> None:
    behind = world.hardware.but(faults=CollateralFaults(tcb_status=TcbStatus.OUT_OF_DATE))
    world.judge = QuoteJudge(CollateralDouble(behind), world.judge.roots, world.judge.policy)
    assert code(world, session, world.evidence(session, world.nonce(session))) == "appraisal.tcb-status"


def test_a_production_keeper_refuses_simulated_hardware(world: World, session: EnclaveSession) -> None:
    from dataclasses import replace

    world.judge = replace(world.judge, policy=replace(world.judge.policy, production=True))
    evidence = world.evidence(session, world.nonce(session))
    assert code(world, session, evidence) == "appraisal.simulated-hardware"


def test_without_collateral_there_is_no_vote_and_the_nonce_stays(world: World, session: EnclaveSession) -> None:
    evidence = world.evidence(session, world.nonce(session))
    world.collateral.away = True
    with pytest.raises(UnavailableError):
        world.appraise(session, evidence)
    world.collateral.away = False
    world.appraise(session, evidence)


def test_a_study_that_names_other_code_gets_no_vote(world: World) -> None:
    measurement = "0x" + "77" * 32
    world.ledger.approvals[measurement, world.trust_root] = True
    session = world.new_session(world.study(measurement=measurement))
    assert code(world, session, world.evidence(session, world.nonce(session))) == "appraisal.measurement"


def test_a_settled_study_and_one_past_its_deadline_get_no_vote(world: World, session: EnclaveSession) -> None:
    evidence = world.evidence(session, world.nonce(session))
    world.ledger.set_open(study_id(session.study), is_open=False)
    assert code(world, session, evidence) == "study.not-open"
    late = world.new_session(world.study(deadline=int(world.at.timestamp()) + 60))
    evidence = world.evidence(late, world.nonce(late))
    world.pass_time(seconds=61)
    assert code(world, late, evidence) == "study.deadline"


def test_a_funding_that_is_not_deep_enough_opens_nothing(deep_world: World) -> None:
    world = deep_world
    session = world.new_session(world.study())
    with pytest.raises(UnavailableError, match="too few blocks"):
        world.nonce(session)
    world.ledger.mine(2)
    with pytest.raises(UnavailableError, match="not confirmed"):
        world.nonce(session)
    world.ledger.mine(1)
    world.appraise(session, world.evidence(session, world.nonce(session)))
    assert session.run == RUN
