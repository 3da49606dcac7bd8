"""Whoever runs the enclave's machine: restarts, pauses, replays, feeds old blocks and other studies' inputs.

It gets no key, or there is no receipt. Here the keeper is a real one, the hardware simulated, and everything that the
host ever carried is at its hands again. Forged frames and noise on the pipe: enclave/test_host_pipe.py.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from keeper.world import NOW, World
from nebula.attestation.appraisal import production_policy
from nebula.attestation.roots import TrustRoot
from nebula.attestation.simulator.pki import DevelopmentPki
from nebula.keeper.appraise import MAX_CONSENT_BLOCK_AGE, QuoteJudge, appraise
from nebula.keeper.confirm import confirm
from nebula.protocol.errors import NebulaError, NotPermittedError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import AppraiseRequest, ConfirmRequest
from nebula.protocol.sealing import SealingKey
from nebula.protocol.session_vote import session_vote
from nebula.protocol.trust_roots import is_simulated
from simulators.sgx import MEASUREMENT, SgxHardware
from simulators.storage import MemoryStorage
from simulators.studies import World as RunWorld
from simulators.studies import make_world


@pytest.fixture(scope="module")
def hardware(tmp_path_factory: pytest.TempPathFactory) -> SgxHardware:
    return SgxHardware(DevelopmentPki.create(tmp_path_factory.mktemp("sgx") / "pki", at=NOW), at=NOW)


@pytest.fixture
def world(tmp_path: Path, hardware: SgxHardware) -> Iterator[World]:
    found = World(f"sqlite:///{tmp_path}/keeper.db", hardware)
    yield found
    found.engine.dispose()


def refused(action: Any) -> str:
    with pytest.raises(NebulaError) as refusal:
        action()
    return refusal.value.code


# Quotes and nonces, once more


def test_a_quote_that_was_good_once_is_good_for_nothing_else(world: World) -> None:
    """The host keeps a session's evidence and shows it for itself, for another study, run, key, or to get it twice."""
    study, other = world.study(), world.study(title="Another study")
    session = world.appraised(study)
    evidence = session.evidence
    assert evidence is not None
    mine = SigningKey.generate()
    thefts: list[dict[str, Any]] = [
        {"session": mine.address},
        {"session_key": SealingKey.generate().public_key},
        {"study": other},
        {"run": "0x" + "22" * 32},
        {"consent_block_number": evidence.consent_block_number - 1},
        {"nonces": evidence.nonces[:1]},
    ]
    for theft in thefts:
        stolen = msgspec.structs.replace(evidence, **theft)
        request = AppraiseRequest(evidence=stolen)
        code = refused(partial(appraise, world.keeper, world.judge, request, stolen.session))
        assert code in ("nonce.spent", "nonce.none", "appraisal.block", "appraisal.nonce")


def test_a_nonce_of_yesterday_starts_no_session(world: World) -> None:
    session = world.new_session(world.study())
    nonce = world.nonce(session)
    world.pass_time(minutes=11)
    evidence = world.evidence(session, nonce)
    assert refused(lambda: world.appraise(session, evidence)) == "nonce.none"


def test_one_nonce_starts_one_session(world: World) -> None:
    study = world.study()
    first, second = world.new_session(study), world.new_session(study)
    nonce = world.nonce(first)
    world.appraise(first, world.evidence(first, nonce))
    assert refused(lambda: world.appraise(second, world.evidence(second, nonce))) == "nonce.none"


# Blocks


def test_old_and_invented_blocks_start_no_session(world: World) -> None:
    study = world.study()
    session = world.new_session(study)
    old = world.ledger.newest_block()
    world.ledger.mine(MAX_CONSENT_BLOCK_AGE + 1)
    for number, digest, code in (
        (old.number, old.hash, "appraisal.old-block"),
        (world.ledger.number, old.hash, "appraisal.block"),
        (world.ledger.number + 1, old.hash, "ledger.behind"),
    ):
        evidence = world.evidence(session, world.nonce(session), consent_block_number=number, consent_block_hash=digest)
        assert refused(lambda evidence=evidence: world.appraise(session, evidence)) == code


def test_a_session_that_was_paused_sees_the_world_as_it_is_now(world: World) -> None:
    """The host stops the worker after its shares came, and lets it go on when consent, study or buyer are gone."""
    owner, study = world.owner(), world.study()
    session = world.session(study)
    assert world.release(session, owner.record).released
    question = ConfirmRequest(study=study_id(study), run=session.run, records=(owner.record,))
    assert confirm(world.keeper, question, session.address).refused == ()
    world.ledger.withdraw(owner.record)
    assert confirm(world.keeper, question, session.address).refused == (owner.record,)
    world.pass_time(days=31)
    assert refused(lambda: confirm(world.keeper, question, session.address)) == "study.deadline"
    assert refused(lambda: world.release(session, owner.record)) == "study.deadline"


def test_a_keepers_node_that_the_host_starved_decides_nothing(world: World) -> None:
    owner, study = world.owner(), world.study()
    session = world.session(study)
    world.keeper = world.restarted(max_block_age_seconds=60)
    world.at = world.at.replace(minute=59)
    with pytest.raises(UnavailableError):
        world.release(session, owner.record)


# Two sessions, another study's inputs


def test_two_sessions_of_one_run_get_keys_that_are_each_their_own(world: World) -> None:
    owner, study = world.owner(), world.study()
    first, second = world.session(study), world.session(study)
    released = world.release(first, owner.record).released[0]
    assert world.release(second, owner.record).released
    assert refused(lambda: second.open(released, world.keeper.address)) == "sealing.not-opened"


def test_shares_of_one_study_are_none_in_another(world: World) -> None:
    owner = world.owner()
    session = world.session(world.study())
    other = world.study(title="Another study")
    request_elsewhere = ConfirmRequest(study=study_id(other), run=session.run, records=(owner.record,))
    assert refused(lambda: confirm(world.keeper, request_elsewhere, session.address)) == "session.purpose"


def test_answers_of_an_earlier_session_are_no_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host replays, for every question, what keepers answered the session before."""
    monkeypatch.setattr("nebula.enclave.keepers.PAUSE_SECONDS", 0.0)
    world: RunWorld = make_world(MemoryStorage())
    recorded: list[bytes] = []
    for keeper in world.keepers:
        keeper.bend_answer = lambda raw: recorded.append(raw) or raw
    world.run()
    tape = iter(recorded * 10)
    for keeper in world.keepers:
        keeper.bend_answer = lambda _raw: next(tape)
    with pytest.raises(NebulaError) as refusal:
        world.run()
    assert refusal.value.code in ("message.signature", "message.reply")


def test_another_studys_records_are_refused_and_another_panel_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from simulators.records import make_panel, panel_object

    monkeypatch.setattr("nebula.enclave.keepers.PAUSE_SECONDS", 0.0)
    world = make_world(MemoryStorage())
    world.panel_location = panel_object(make_panel(12), world.storage)
    assert refused(world.run) == "run.panel"


# Simulated hardware (promise 9)


def test_simulated_hardware_passes_for_real_nowhere(world: World, hardware: SgxHardware) -> None:
    """A production keeper, whatever else it was told to trust; a policy; the ledger; the study's own word."""
    study = world.study()
    session = world.new_session(study)
    evidence = world.evidence(session, world.nonce(session))
    strict = QuoteJudge(
        world.collateral,
        (hardware.pki.trust_root, TrustRoot.intel()),
        production_policy(frozenset({MEASUREMENT})),
    )
    code = refused(lambda: appraise(world.keeper, strict, AppraiseRequest(evidence=evidence), session.address))
    assert code.startswith("appraisal.")
    as_genuine = {(MEASUREMENT, world.trust_root): False}
    world.ledger.approvals = as_genuine
    assert refused(lambda: world.appraise(session, evidence)) == "appraisal.not-approved"
    assert is_simulated(world.trust_root)


def test_an_owner_who_trusts_intel_gives_simulated_hardware_nothing(world: World) -> None:
    owner = world.owner(trust_roots=(TrustRoot.intel().fingerprint,))
    session = world.session(world.study())
    assert world.release(session, owner.record).released == ()


def test_a_study_that_claims_intels_root_is_not_served_by_a_simulation(world: World) -> None:
    intel = TrustRoot.intel().fingerprint
    world.ledger.approvals[MEASUREMENT, intel] = False
    study = world.study(trust_root=intel)
    session = world.new_session(study)
    evidence = world.evidence(session, world.nonce(session))
    with pytest.raises(NotPermittedError):
        world.appraise(session, evidence)


def test_a_simulated_session_that_claims_to_be_genuine_stays_simulated_on_the_ledger(world: World) -> None:
    owner, study = world.owner(), world.study()
    session = world.appraised(study)
    assert session.evidence is not None
    world.ledger.register_session(session_vote(session.evidence), simulated=False)
    assert refused(lambda: world.release(session, owner.record)) == "session.not-registered"
