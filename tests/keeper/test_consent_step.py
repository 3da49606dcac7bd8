"""Step 3: new policies, approvals, and what owners may read of the log."""

import msgspec
import pytest

from keeper.world import PANEL, World, fresh_hash
from nebula.keeper.consent import read_decisions, update_policies
from nebula.keeper.match import match
from nebula.keeper.snapshot import Snapshots
from nebula.protocol.consent import Mode
from nebula.protocol.duo import Permission
from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.funding import study_id
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import (
    Approval,
    ApproveRequest,
    DecisionsAnswer,
    DecisionsRequest,
    MatchRequest,
    PolicyRequest,
    PolicyUpdate,
)
from nebula.protocol.signed_by_control_key import UNSIGNED, sign_document


def decisions(world: World, record: str, after: int = 0) -> DecisionsAnswer:
    return read_decisions(world.keeper, DecisionsRequest(after=after), record)


def test_a_policy_counts_from_the_block_in_which_the_ledger_commits_to_it(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    assert world.send_policy(owner, 2, permission=Permission.POA).refused == ()
    assert world.release(session, owner.record).refused == ()
    world.ledger.put(owner.record, owner.commitment, 2)
    assert world.release(session, owner.record).released == ()


def test_a_policy_that_the_ledger_does_not_name_releases_nothing(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    world.ledger.put(owner.record, bytes(25) + b"\1", 2)
    (refused,) = world.release(session, owner.record).refused
    assert refused.reasons == ("not-current",)


def test_an_old_policy_does_not_come_back_under_a_new_version(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    world.ledger.put(owner.record, owner.commitment, 2)
    (refused,) = world.release(session, owner.record).refused
    assert refused.reasons == ("not-current",)


def test_only_the_control_key_changes_a_policy(world: World) -> None:
    owner = world.owner()
    unsigned = PolicyUpdate(
        record=owner.record,
        version=2,
        manifest_commitment=owner.manifest_commitment,
        policy=owner.policy,
        signature=UNSIGNED,
    )
    forged = sign_document(unsigned, SigningKey.generate().secret)
    (refused,) = update_policies(world.keeper, PolicyRequest(updates=(forged,))).refused
    assert refused.error.code == "document.signature"


def test_a_policy_without_shares_under_it_is_refused(world: World) -> None:
    owner = world.stranger()
    (refused,) = world.send_policy(owner, 2).refused
    assert refused.error.code == "policy.not-held"


def test_another_records_policy_cannot_be_slipped_in(world: World) -> None:
    owner, other = world.owner(), world.owner()
    owner.policy = other.policy
    (refused,) = world.send_policy(owner, 2).refused
    assert refused.error.code == "policy.record"


def test_an_owner_who_wants_to_be_asked_is_asked_and_then_takes_part(world: World) -> None:
    owner, study = world.owner(mode=Mode.ASK), world.study()
    session = world.session(study)
    answer = match(world.keeper, Snapshots(world.keeper), MatchRequest(study=study), world.hub.address)
    assert (answer.records, answer.refused) == ((), {"approval": 1})
    assert decisions(world, owner.record).waiting == (study,)
    assert world.release(session, owner.record).released == ()

    world.approve(owner, study)
    assert decisions(world, owner.record).waiting == ()
    assert [item.record for item in world.release(session, owner.record).released] == [owner.record]


def test_an_owner_is_not_asked_about_a_study_that_is_settled_or_refunded(world: World) -> None:
    owner, study = world.owner(mode=Mode.ASK), world.draft()
    match(world.keeper, Snapshots(world.keeper), MatchRequest(study=study), world.hub.address)
    assert decisions(world, owner.record).waiting == (study,)
    world.ledger.set_open(study_id(study))
    assert decisions(world, owner.record).waiting == (study,)
    world.ledger.set_open(study_id(study), is_open=False)
    assert decisions(world, owner.record).waiting == ()


def test_an_owner_is_not_asked_about_studies_that_their_policy_refuses_anyway(world: World) -> None:
    owner = world.owner(mode=Mode.ASK, permission=Permission.POA)
    match(world.keeper, Snapshots(world.keeper), MatchRequest(study=world.study()), world.hub.address)
    assert decisions(world, owner.record).waiting == ()


def test_an_owner_is_not_asked_about_studies_on_a_panel_that_their_record_is_not_on(world: World) -> None:
    owner = world.owner(mode=Mode.ASK)
    for panel in (PANEL, fresh_hash()):
        study = world.study(panel=panel)
        match(world.keeper, Snapshots(world.keeper), MatchRequest(study=study), world.hub.address)
        assert (study in decisions(world, owner.record).waiting) == (panel == PANEL)


def test_an_approval_holds_for_one_study_only(world: World) -> None:
    owner, study, other = world.owner(mode=Mode.ASK), world.study(), world.study()
    world.approve(owner, study)
    assert world.release(world.session(other), owner.record).released == ()


def test_nobody_approves_for_another(world: World) -> None:
    owner, study = world.owner(mode=Mode.ASK), world.study()
    unsigned = Approval(record=owner.record, study=study_id(study), signature=UNSIGNED)
    forged = sign_document(unsigned, SigningKey.generate().secret)
    from nebula.keeper.consent import approve

    with pytest.raises(IntegrityError, match="not signed by"):
        approve(world.keeper, ApproveRequest(approvals=(forged,)))


def test_an_approval_of_an_unknown_record_is_refused(world: World) -> None:
    with pytest.raises(RejectedInputError, match="no share"):
        world.approve(world.stranger(), world.study())


def test_an_owner_reads_every_reason_in_words_and_nobody_else_does(world: World) -> None:
    owner, other = world.owner(permission=Permission.POA, price_floor_wei="99"), world.owner()
    session = world.session(world.study())
    (refused,) = world.release(session, owner.record).refused
    assert refused.reasons == ("consent",)

    (decision,) = decisions(world, owner.record).decisions
    assert decision.released is False
    assert decision.reasons == (
        "the study's purpose is not one that the consent allows",
        "the study pays less than the consent asks",
    )
    assert decisions(world, other.record).decisions == ()


def test_decisions_come_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nebula.keeper.consent.DECISIONS_PAGE", 2)
    owner = world.owner()
    for number in range(3):
        world.release(world.session(world.study(), run="0x" + f"{number:02x}" * 32), owner.record)
    first = decisions(world, owner.record)
    rest = decisions(world, owner.record, after=first.decisions[-1].sequence)
    assert (len(first.decisions), first.more, len(rest.decisions), rest.more) == (2, True, 1, False)


def test_a_signature_for_one_kind_of_document_is_none_for_another(world: World) -> None:
    owner = world.owner()
    forged = PolicyUpdate(
        record=owner.record,
        version=2,
        manifest_commitment=owner.manifest_commitment,
        policy=msgspec.structs.replace(owner.policy, price_floor_wei="0"),
        signature=owner.enrolment.signature,
    )
    (refused,) = update_policies(world.keeper, PolicyRequest(updates=(forged,))).refused
    assert refused.error.code in ("document.signature", "signature.invalid")
