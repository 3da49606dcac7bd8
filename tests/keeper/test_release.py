"""Step 8: shares go to an attested session that the ledger knows, under consent and within budget, and nowhere else."""

import pytest
from sqlalchemy import func, select, update

from keeper.world import PANEL, RUN, World, fresh_hash
from nebula.database import reading, writing
from nebula.keeper import log
from nebula.keeper.budgets import spent_budgets
from nebula.keeper.consent import read_decisions
from nebula.keeper.reasons import CONSENT, NO_PART, sentence
from nebula.keeper.tables import decisions, enrolments
from nebula.protocol.duo import Permission
from nebula.protocol.errors import IntegrityError, NebulaError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.messages import DecisionsRequest, ReleaseRequest
from nebula.protocol.record import MANIFEST
from nebula.protocol.study import PartKind, ResultClass


def spent(world: World, record: str) -> int:
    with reading(world.engine) as connection:
        return spent_budgets(connection, [record]).get(record, 0)


def log_length(world: World) -> int:
    with reading(world.engine) as connection:
        return connection.scalars(select(func.count()).select_from(decisions)).one()


def code(world: World, session: object, *records: str) -> str:
    with pytest.raises(NebulaError) as refused:
        world.release(session, *records)  # type: ignore[arg-type]
    return refused.value.code


def test_a_session_opens_its_shares_and_nobody_else_does(world: World) -> None:
    owner, study = world.owner(), world.study()
    session, other = world.session(study), world.session(study)
    (released,) = world.release(session, owner.record).released
    bundle = session.open(released, world.keeper.address)
    assert bundle.shares[0] == owner.bundle.shares[0]
    assert released.manifest_location == owner.enrolment.manifest_location
    with pytest.raises(IntegrityError):
        other.open(released, world.keeper.address)
    session.run = fresh_hash()
    with pytest.raises(IntegrityError):
        session.open(released, world.keeper.address)


def test_only_the_shares_of_the_parts_that_the_study_needs_are_released(world: World) -> None:
    owner, session = world.owner(), world.session(world.study(parts=(PartKind.GENOTYPES,)))
    (released,) = world.release(session, owner.record).released
    kinds = {share.kind for share in session.open(released, world.keeper.address).shares}
    assert kinds == {MANIFEST, "genotypes"}


def test_of_a_record_on_several_panels_only_the_share_on_the_studys_is_released(world: World) -> None:
    owner = world.owner(panels=(fresh_hash(), PANEL, fresh_hash()))
    session = world.session(world.study(parts=(PartKind.GENOTYPES,)))
    (released,) = world.release(session, owner.record).released
    assert [share.panel for share in session.open(released, world.keeper.address).shares] == [None, PANEL]


def test_a_record_without_what_the_study_needs_is_refused_and_pays_nothing(world: World) -> None:
    """The hub named it all the same. Its owner reads why; the session's host does not."""
    owner = world.owner(panels=(fresh_hash(),), privacy_budget_micro_rho=100)
    session = world.session(world.study(result_class=ResultClass.NOISED, privacy_micro_rho=10))
    (refused,) = world.release(session, owner.record).refused
    assert refused.reasons == (CONSENT,)
    (decision,) = read_decisions(world.keeper, DecisionsRequest(), owner.record).decisions
    assert decision.reasons == (sentence(NO_PART),)
    assert spent(world, owner.record) == 0


def test_a_session_that_is_not_on_the_ledger_gets_nothing(world: World) -> None:
    owner = world.owner()
    assert code(world, world.appraised(world.study()), owner.record) == "session.not-registered"


def test_a_session_that_i_did_not_appraise_gets_nothing_even_if_it_is_registered(world: World) -> None:
    owner, study = world.owner(), world.study()
    assert code(world, world.new_session(study), owner.record) == "session.unknown"


def test_a_session_of_another_study_or_run_gets_nothing(world: World) -> None:
    owner, study, other = world.owner(), world.study(), world.study()
    session = world.session(study)
    session.study = other
    assert code(world, session, owner.record) == "session.purpose"
    session.study, session.run = study, fresh_hash()
    assert code(world, session, owner.record) == "session.purpose"


def test_a_session_whose_code_lost_its_approval_gets_nothing(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    world.ledger.approvals.clear()
    assert code(world, session, owner.record) == "session.not-approved"


def test_a_suspended_buyer_gets_nothing(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    del world.ledger.buyers[world.buyer.address]
    assert code(world, session, owner.record) == "buyer.standing"


def test_a_study_gets_nothing_before_its_panel_stands_deep_enough_on_the_ledger(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    world.ledger.published_at[session.study.panel] = world.ledger.number + 1
    with pytest.raises(NotPermittedError) as refused:
        world.release(session, owner.record)
    assert refused.value.code == "study.panel"

    world.keeper = world.restarted(confirmations=2)
    world.ledger.mine()
    with pytest.raises(UnavailableError, match="panel is not confirmed"):
        world.release(session, owner.record)
    world.ledger.mine(2)
    assert len(world.release(session, owner.record).released) == 1


def test_a_settled_study_and_one_past_its_deadline_get_nothing(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    world.ledger.set_open(study_id(session.study), is_open=False)
    assert code(world, session, owner.record) == "study.not-open"
    late = world.session(world.study(deadline=int(world.at.timestamp()) + 60), run=fresh_hash())
    world.pass_time(seconds=61)
    assert code(world, late, owner.record) == "study.deadline"


def test_the_ledgers_clock_ends_a_study_too(world: World) -> None:
    owner = world.owner()
    session = world.session(world.study(deadline=int(world.at.timestamp()) + 60))
    world.ledger.now += 61
    assert code(world, session, owner.record) == "study.deadline"


def test_while_the_ledger_is_away_or_old_nothing_is_released(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    world.keeper = world.restarted(max_block_age_seconds=30)
    world.at = world.at.replace(minute=31)
    assert code(world, session, owner.record) == "ledger.behind"
    world.ledger.away = True
    with pytest.raises(UnavailableError):
        world.release(session, owner.record)


def test_a_withdrawn_record_is_refused_from_its_block_on(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    assert world.release(session, owner.record).refused == ()
    world.ledger.withdraw(owner.record)
    (refused,) = world.release(session, owner.record).refused
    assert refused.reasons == ("withdrawn",)


def test_records_that_are_not_held_are_refused_one_by_one(world: World) -> None:
    owner, stranger = world.owner(), world.stranger()
    answer = world.release(world.session(world.study()), stranger.record, owner.record)
    assert [(item.record, item.reasons) for item in answer.refused] == [(stranger.record, ("not-held",))]
    assert [item.record for item in answer.released] == [owner.record]


def test_the_session_learns_that_consent_is_missing_but_not_why(world: World) -> None:
    session = world.session(world.study())
    answers = [
        world.release(session, world.owner(**policy).record).refused[0].reasons
        for policy in (
            {"permission": Permission.POA},
            {"price_floor_wei": "6"},
            {"buyers_denied": (world.buyer.address,)},
        )
    ]
    assert set(answers) == {("consent",)}


def test_a_record_stands_on_a_page_once(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    with pytest.raises(RejectedInputError, match="twice"):
        world.release(session, owner.record, owner.record)


def test_budgets_add_up_over_studies_until_they_are_spent(world: World) -> None:
    owner = world.owner(privacy_budget_micro_rho=100)
    for run, total in (("0x" + "21" * 32, 40), ("0x" + "22" * 32, 80)):
        session = world.session(world.study(privacy_micro_rho=40), run=run)
        assert world.release(session, owner.record).refused == ()
        assert spent(world, owner.record) == total
    session = world.session(world.study(privacy_micro_rho=40), run="0x" + "23" * 32)
    assert world.release(session, owner.record).refused[0].reasons == ("consent",)
    assert spent(world, owner.record) == 80


def test_asking_again_gives_the_share_again_and_spends_nothing_more(world: World) -> None:
    owner, session = world.owner(), world.session(world.study(privacy_micro_rho=7))
    (first,) = world.release(session, owner.record).released
    world.keeper = world.restarted()
    (again,) = world.release(session, owner.record).released
    assert session.open(first, world.keeper.address) == session.open(again, world.keeper.address)
    assert (spent(world, owner.record), log_length(world)) == (7, 1)


def test_a_restarted_session_of_the_same_run_does_not_pay_twice(world: World) -> None:
    owner, study = world.owner(privacy_budget_micro_rho=7), world.study(privacy_micro_rho=7)
    world.release(world.session(study), owner.record)
    restarted = world.session(study)
    assert world.release(restarted, owner.record).refused == ()
    assert (spent(world, owner.record), log_length(world)) == (7, 2)


def test_a_smaller_budget_under_a_new_policy_refuses_what_is_already_spent(world: World) -> None:
    owner, study = world.owner(privacy_budget_micro_rho=10), world.study(privacy_micro_rho=7)
    world.release(world.session(study), owner.record)
    world.change_policy(owner, 2, privacy_budget_micro_rho=5)
    assert world.release(world.session(study), owner.record).released == ()


def test_a_keeper_that_dies_before_it_seals_has_noted_the_use_and_gives_the_share_when_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, session = world.owner(), world.session(world.study(privacy_micro_rho=7))

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("nebula.keeper.release.seal", die)
        with pytest.raises(KeyboardInterrupt):
            world.release(session, owner.record)
    assert spent(world, owner.record) == 7
    assert world.release(session, owner.record).refused == ()
    assert (spent(world, owner.record), log_length(world)) == (7, 1)


def test_a_keeper_that_dies_while_it_writes_has_done_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, session = world.owner(), world.session(world.study(privacy_micro_rho=7))

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("nebula.keeper.release.log.append", die)
        with pytest.raises(KeyboardInterrupt):
            world.release(session, owner.record)
    assert (spent(world, owner.record), log_length(world)) == (0, 0)


def test_a_damaged_record_does_not_hold_up_the_others(world: World) -> None:
    damaged, sound = world.owner(), world.owner()
    with writing(world.engine) as connection:
        connection.execute(
            update(enrolments).where(enrolments.c.record == damaged.record).values(sealed_shares=bytes(500))
        )
    answer = world.release(world.session(world.study()), damaged.record, sound.record)
    assert [(item.record, item.reasons) for item in answer.refused] == [(damaged.record, ("damaged",))]
    assert [item.record for item in answer.released] == [sound.record]


def test_every_decision_stands_in_the_log_with_its_block(world: World) -> None:
    yes, no = world.owner(), world.owner(permission=Permission.POA)
    session = world.session(world.study())
    answer = world.release(session, yes.record, no.record)
    with reading(world.engine) as connection:
        (entry,) = log.about(connection, no.record, after=0, limit=5)
        assert log.verify_log(connection) == 2
    assert (entry.released, entry.reasons, entry.study, entry.run) == (
        False,
        ("purpose",),
        study_id(session.study),
        RUN,
    )
    assert (entry.block_number, entry.block_hash) == (answer.block_number, answer.block_hash)


def test_a_page_that_is_refused_leaves_no_trace(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    del world.ledger.buyers[world.buyer.address]
    with pytest.raises(NotPermittedError):
        world.release(session, owner.record)
    assert log_length(world) == 0


def test_a_page_has_at_most_a_thousand_records() -> None:
    from nebula.protocol.wire import parser, to_canonical

    records = tuple("0x" + f"{number:040x}" for number in range(1001))
    raw = to_canonical(ReleaseRequest(study=RUN, run=RUN, records=records))
    with pytest.raises(RejectedInputError, match="length <= 1000"):
        parser(ReleaseRequest)(raw)
