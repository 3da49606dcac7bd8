"""Step 5: which records match, and how little the hub learns about those that do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.world import PANEL, World, fresh_hash
from nebula.keeper.match import match
from nebula.keeper.snapshot import PartColumn, Snapshots
from nebula.protocol.consent import permits
from nebula.protocol.duo import Permission, Purpose
from nebula.protocol.errors import NotPermittedError, RejectedInputError
from nebula.protocol.funding import run_id, study_id
from nebula.protocol.messages import MatchAnswer, MatchRequest
from nebula.protocol.record import Dealing
from nebula.protocol.study import BuyerFacts, PartKind, PurposeTerms, ResultClass, StudyDocument, StudyTerms


def ask(world: World, study: StudyDocument, snapshots: Snapshots | None = None, **page: object) -> MatchAnswer:
    request = MatchRequest(study=study, **page)
    return match(world.keeper, snapshots or Snapshots(world.keeper), request, world.hub.address)


def test_the_hub_learns_ids_of_those_who_permit_and_of_the_others_only_counts(world: World) -> None:
    yes = [world.owner() for _ in range(3)]
    for _ in range(2):
        world.owner(permission=Permission.POA)
    world.owner(price_floor_wei="99", permission=Permission.POA)
    answer = ask(world, world.study())
    assert answer.records == tuple(sorted(owner.record for owner in yes))
    assert answer.refused == {"purpose": 3, "price": 1}


def test_a_study_is_matched_before_it_is_funded(world: World) -> None:
    owner = world.owner()
    assert ask(world, world.draft()).records == (owner.record,)


def test_nobody_but_the_hub_may_ask(world: World) -> None:
    with pytest.raises(NotPermittedError, match="only this network's hub"):
        match(world.keeper, Snapshots(world.keeper), MatchRequest(study=world.study()), world.buyer.address)


def test_pages_give_every_record_once_and_never_a_reason_for_one(world: World) -> None:
    owners = {world.owner().record for _ in range(5)}
    world.owner(permission=Permission.POA)
    study, snapshots = world.study(), Snapshots(world.keeper)
    found: list[str] = []
    answer = ask(world, study, snapshots, limit=1)
    assert answer.refused == {"purpose": 1}
    while True:
        found += answer.records
        if answer.next_after is None:
            break
        answer = ask(world, study, snapshots, limit=1, after=answer.next_after)
        assert answer.refused == {}
    assert sorted(owners) == found


def test_a_snapshot_follows_the_ledger_and_the_database(world: World) -> None:
    snapshots, study = Snapshots(world.keeper), world.study()
    first, second = world.owner(), world.owner()
    assert set(ask(world, study, snapshots).records) == {first.record, second.record}

    world.ledger.withdraw(first.record)
    answer = ask(world, study, snapshots)
    assert (answer.records, answer.refused) == ((second.record,), {"withdrawn": 1})

    world.change_policy(second, 2, permission=Permission.POA)
    assert ask(world, study, snapshots).refused == {"withdrawn": 1, "purpose": 1}

    third = world.stranger()
    world.enrol(third)
    assert ask(world, study, snapshots).refused == {"withdrawn": 1, "purpose": 1, "not-current": 1}
    world.ledger.put(third.record, third.commitment, 1)
    assert ask(world, study, snapshots).records == (third.record,)


def test_a_snapshot_reads_only_what_changed(world: World) -> None:
    snapshots, study = Snapshots(world.keeper), world.study()
    owners = [world.owner() for _ in range(4)]
    ask(world, study, snapshots)
    before = world.ledger.reads
    world.ledger.withdraw(owners[0].record)
    world.ledger.mine(5)
    ask(world, study, snapshots)
    assert world.ledger.reads == before + 1


def test_a_reorganisation_starts_the_snapshot_afresh(world: World) -> None:
    snapshots, study, owner = Snapshots(world.keeper), world.study(), world.owner()
    world.ledger.withdraw(owner.record)
    assert ask(world, study, snapshots).records == ()
    world.ledger.reorganise(owner.record)
    assert ask(world, study, snapshots).records == (owner.record,)


def test_a_spent_budget_refuses(world: World) -> None:
    owner = world.owner(privacy_budget_micro_rho=100)
    costly = {"privacy_micro_rho": 60, "result_class": ResultClass.NOISED}
    world.release(world.session(world.study(**costly)), owner.record)
    assert ask(world, world.study(**costly)).refused == {"budget": 1}
    assert ask(world, world.study(privacy_micro_rho=40)).records == (owner.record,)


def test_a_match_counts_what_a_release_would_take(world: World) -> None:
    world.dealing = Dealing(keepers=3, threshold=2)
    owner = world.owner(privacy_budget_micro_rho=100)
    assert ask(world, world.study(privacy_micro_rho=67)).refused == {"budget": 1}
    study = world.study(privacy_micro_rho=66)
    assert ask(world, study).records == (owner.record,)
    assert world.release(world.session(study), owner.record).refused == ()


def test_a_policy_for_a_disease_covers_studies_of_its_kinds(world: World) -> None:
    owner = world.owner(permission=Permission.DS, diseases=("MONDO:0005015",))
    about = PurposeTerms(purposes=(Purpose.DISEASE,), diseases=("MONDO:0005148",))
    other = PurposeTerms(purposes=(Purpose.DISEASE,), diseases=("MONDO:0004975",))
    assert ask(world, world.study(purpose=about)).records == (owner.record,)
    assert ask(world, world.study(purpose=other)).refused == {"disease": 1}


def test_matching_decides_as_permits_does(world: World) -> None:
    rng = np.random.default_rng(7)
    permissions = list(Permission)
    owners = [
        world.owner(permission=permissions[rng.integers(5)], price_floor_wei=str(rng.integers(3, 7))) for _ in range(40)
    ]
    study = world.study()
    buyer = world.ledger.buyers[world.buyer.address]
    terms = StudyTerms(document=study, buyer=buyer, disease_closure=frozenset())
    one_by_one = {owner.record for owner in owners if permits(owner.policy, terms, at=world.at).permitted}
    assert set(ask(world, study).records) == one_by_one


def test_records_match_on_the_panels_and_with_the_parts_that_they_have(world: World) -> None:
    """Records of two panels: a study on either draws from those that can be used in it, and from no others."""
    cohort, consumer = PANEL, fresh_hash()
    on_cohort = [world.owner(panels=(cohort,)).record for _ in range(2)]
    on_consumer = world.owner(panels=(consumer,)).record
    on_both = world.owner(panels=(cohort, consumer)).record
    without_phenotypes = world.owner(panels=(consumer,), others=()).record
    snapshots = Snapshots(world.keeper)

    answer = ask(world, world.study(panel=cohort), snapshots)
    assert (set(answer.records), answer.refused) == ({*on_cohort, on_both}, {"no-part": 2})
    answer = ask(world, world.study(panel=consumer), snapshots)
    assert (set(answer.records), answer.refused) == ({on_consumer, on_both}, {"no-part": 3})
    genotypes_alone = world.study(panel=consumer, parts=(PartKind.GENOTYPES,))
    assert set(ask(world, genotypes_alone, snapshots).records) == {on_consumer, on_both, without_phenotypes}
    assert ask(world, world.study(panel=fresh_hash()), snapshots).refused == {"no-part": 5}


def test_a_record_matches_on_a_further_panel_from_the_version_on_that_has_it(world: World) -> None:
    further, snapshots = fresh_hash(), Snapshots(world.keeper)
    owner, study = world.owner(), world.study(panel=further)
    assert ask(world, study, snapshots).refused == {"no-part": 1}
    world.renew(owner, 2, panels=(PANEL, further))
    assert ask(world, study, snapshots).records == ()
    world.ledger.put(owner.record, owner.commitment, 2)
    assert ask(world, study, snapshots).records == (owner.record,)
    assert ask(world, world.study(), snapshots).records == (owner.record,)


@given(st.lists(st.frozensets(st.sampled_from("abc"))), st.frozensets(st.sampled_from("abc")))
def test_parts_are_decided_a_column_at_a_time_as_one_by_one(
    parts: list[frozenset[str]], needed: frozenset[str]
) -> None:
    assert PartColumn.encode(parts).have(needed).tolist() == [needed <= one for one in parts]


@pytest.mark.parametrize("others", [(), (PartKind.PHENOTYPES,), (PartKind.SURVEY, PartKind.PHENOTYPES)])
@pytest.mark.parametrize("panels", [(), (PANEL,), ("0x" + "01" * 32,), ("0x" + "01" * 32, PANEL)])
def test_what_matches_is_what_is_released(world: World, panels: tuple[str, ...], others: tuple[PartKind, ...]) -> None:
    owner = world.owner(panels=panels, others=others)
    for parts in ((PartKind.GENOTYPES,), (PartKind.GENOTYPES, PartKind.PHENOTYPES), tuple(PartKind)[2:]):
        study = world.study(parts=parts)
        matches = ask(world, study).records == (owner.record,)
        assert bool(world.release(world.session(study), owner.record).released) == matches


def test_a_buyer_who_is_not_in_good_standing_learns_nothing(world: World) -> None:
    study = world.study()
    del world.ledger.buyers[world.buyer.address]
    with pytest.raises(NotPermittedError, match="good standing"):
        ask(world, study)


def test_a_study_on_a_panel_that_nobody_published_learns_nothing(world: World) -> None:
    study = world.draft()
    world.ledger.published_at[study.panel] = world.ledger.number + 1
    with pytest.raises(NotPermittedError) as refused:
        ask(world, study)
    assert refused.value.code == "study.panel"
    assert "nebula panel publish" in str(refused.value.hint)
    world.ledger.mine()
    assert ask(world, study).records == ()


def test_complete_statistics_are_for_accredited_buyers(world: World) -> None:
    study = world.study(result_class=ResultClass.FULL)
    owner = world.owner(result_classes=(ResultClass.FULL,))
    with pytest.raises(NotPermittedError, match="accredited"):
        ask(world, study)
    world.ledger.buyers[world.buyer.address] = BuyerFacts(
        address=world.buyer.address, country="CH", non_profit=True, accredited=True
    )
    assert ask(world, study).records == (owner.record,)


@pytest.mark.parametrize("change", [{"chain_id": 1}, {"keepers": ("0x" + "0a" * 20,)}])
def test_a_study_of_another_network_is_refused(world: World, change: dict[str, object]) -> None:
    with pytest.raises(RejectedInputError):
        ask(world, world.draft(**change))


def test_who_has_paid_for_a_run_matches_it_again_and_no_other(world: World) -> None:
    """A discovery is matched anew for each of its sessions; its records pay once."""
    owner = world.owner(privacy_budget_micro_rho=100)
    costly = {"result_class": ResultClass.NOISED, "privacy_micro_rho": 100}
    study = world.study(**costly)
    world.release(world.session(study, run_id(study_id(study))), owner.record)
    assert ask(world, study).records == (owner.record,)
    assert ask(world, world.study(**costly, title="Another study")).refused == {"budget": 1}
    world.change_policy(owner, 2, privacy_budget_micro_rho=99)
    assert ask(world, study).records == ()
