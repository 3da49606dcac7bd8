"""The difference attack, with every help a buyer may find: the host, t - 1 keepers, withdrawals, a second session."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from nebula.enclave import earlier_cohorts
from nebula.enclave.earlier_cohorts import leave_cohort
from nebula.protocol.errors import NotPermittedError, UnavailableError
from nebula.protocol.ids import to_bytes
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import COHORTS, KEEP_COHORT, KeptCohort
from nebula.protocol.sharing import Share, combine, key_digest
from nebula.protocol.signed_by_control_key import sign_document
from nebula.protocol.study import Condition, PartKind, ResultClass
from simulators.storage import MemoryStorage
from simulators.studies import World, make_world


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("nebula.enclave.keepers.PAUSE_SECONDS", 0.0)
    found = make_world(MemoryStorage())
    found.change(parameters={"trait": "height", "pcs": 0, "minimum_maf": 0.05})
    return found


def taller_than(world: World, people: int) -> Condition:
    """A condition that leaves out the shortest ``people``."""
    return Condition(column="height", minimum=float(np.sort(world.trait)[people]))


def refused(world: World) -> str:
    with pytest.raises(NotPermittedError) as refusal:
        world.run()
    return refusal.value.code


@pytest.mark.parametrize("people", [1, 9])
def test_two_studies_whose_conditions_differ_in_a_few_people_are_one_too_many(world: World, people: int) -> None:
    world.run()
    world.change(conditions=(taller_than(world, people),))
    assert refused(world) == "disclosure.differencing"


def test_the_first_study_may_be_the_smaller_one(world: World) -> None:
    everyone = world.study
    world.change(conditions=(taller_than(world, 3),))
    world.run()
    world.study = everyone
    assert refused(world) == "disclosure.differencing"


def test_a_refusal_says_nothing_about_numbers(world: World) -> None:
    world.run()
    world.change(conditions=(taller_than(world, 7),))
    with pytest.raises(NotPermittedError) as refusal:
        world.run()
    assert not {"7", "33", "40"} & set(refusal.value.message.split())


def test_the_same_people_may_be_studied_again_by_any_analysis(world: World) -> None:
    world.run()
    assert world.run().head.signed.receipt.record_count == 40
    world.change(parameters={"trait": "height", "covariates": ["sex"], "pcs": 0, "minimum_maf": 0.05})
    assert world.run().head.signed.receipt.record_count == 40


def test_enough_people_make_another_cohort(world: World) -> None:
    world.run()
    world.change(conditions=(taller_than(world, 10),))
    assert world.run().head.signed.receipt.record_count == 30


def test_another_buyer_is_another_story(world: World) -> None:
    world.run()
    world.change(buyer="0x" + "b2" * 20, conditions=(taller_than(world, 1),))
    assert world.run().head.signed.receipt.record_count == 39


def test_another_study_altogether_is_no_way_around(world: World) -> None:
    world.run()
    world.change(title="Weight", price_per_record_wei="77", conditions=(taller_than(world, 1),), deadline=3_000_000_000)
    assert refused(world) == "disclosure.differencing"


def test_a_study_that_runs_again_after_one_withdrawal_gives_no_second_result(world: World) -> None:
    """The host kept the first output to itself and had a second session started."""
    world.run()
    for keeper in world.keepers:
        keeper.withdrawn.add(world.owners[0].record)
    assert refused(world) == "disclosure.differencing"


def test_a_withdrawal_while_the_run_is_on_costs_nobody_the_result(world: World) -> None:
    world.host.at_stage["analysed"] = lambda: [k.withdrawn.add(world.owners[0].record) for k in world.keepers]
    assert world.run().head.signed.receipt.record_count == 39
    assert world.run().head.signed.receipt.record_count == 39


def test_a_study_without_a_result_is_not_held_against_the_next(world: World) -> None:
    world.change(min_records=40, conditions=(taller_than(world, 3),))
    assert refused(world) == "run.too-few-records"
    world.change(min_records=20, conditions=())
    assert world.run().head.signed.receipt.record_count == 40


def test_a_refused_study_is_not_held_against_the_next(world: World) -> None:
    world.run()
    world.change(conditions=(taller_than(world, 5),))
    assert refused(world) == "disclosure.differencing"
    world.change(conditions=(taller_than(world, 12),))
    assert world.run().head.signed.receipt.record_count == 28


NOISED: dict[str, Any] = {
    "analysis": "allele-frequency@1",
    "parameters": {},
    "result_class": ResultClass.NOISED,
    "privacy_micro_rho": 500_000,
}


def test_noised_results_over_everybody_neither_ask_nor_leave_anything(world: World) -> None:
    world.run()
    left = [len(keeper.cohorts) for keeper in world.keepers]
    world.change(**NOISED, parts=(PartKind.GENOTYPES,))
    for keeper in world.keepers:
        keeper.withdrawn.add(world.owners[0].record)
    assert world.run().head.signed.receipt.record_count == 39
    assert [len(keeper.cohorts) for keeper in world.keepers] == left


def test_noise_does_not_hide_how_many_people_fulfil_a_condition(world: World) -> None:
    """The receipt counts exactly: two noised studies would tell one person's height."""
    world.change(**NOISED, conditions=(taller_than(world, 1),))
    world.run()
    world.change(conditions=(taller_than(world, 2),))
    assert refused(world) == "disclosure.differencing"


# What keepers hold, and what it tells them


def test_fewer_keepers_than_the_threshold_cannot_tell_who_was_in_a_cohort(world: World) -> None:
    world.run()
    notes = [keeper.cohorts[0][1] for keeper in world.keepers]
    note = notes[0]
    assert notes == [note] * 3
    shares = [Share(i + 1, keeper.cohorts[0][2]) for i, keeper in enumerate(world.keepers)]
    for share in shares:
        assert key_digest(combine([share])) != to_bytes(note.key_digest)
        assert key_digest(share.value) != to_bytes(note.key_digest)
    assert key_digest(combine(shares[:2])) == key_digest(combine(shares[1:])) == to_bytes(note.key_digest)
    for owner in world.owners:
        assert to_bytes(owner.record) not in note.ciphertext


def test_the_host_that_carries_everything_sees_no_share(world: World) -> None:
    world.run()
    world.run()
    carried = b"".join(request.envelope for request in world.host.carried)
    shares = [keeper.cohorts[0][2] for keeper in world.keepers]
    assert all(msgspec.json.encode(share.reveal())[1:-1] not in carried for share in shares)


# Liars and losses


def hiding(_kept: KeptCohort) -> None:
    return None


def with_a_wrong_share(kept: KeptCohort) -> KeptCohort:
    return msgspec.structs.replace(kept, sealed_share=bytes(80))


def cut_short(kept: KeptCohort) -> KeptCohort:
    note = msgspec.structs.replace(kept.note, ciphertext=kept.note.ciphertext[: 16 + 8])
    return msgspec.structs.replace(kept, note=note)


def without_votes(kept: KeptCohort) -> KeptCohort:
    return msgspec.structs.replace(kept, note=msgspec.structs.replace(kept.note, votes=kept.note.votes[:1]))


@pytest.mark.parametrize("liar", [0, 1, 2])
@pytest.mark.parametrize("lie", [hiding, with_a_wrong_share, cut_short, without_votes])
def test_one_keeper_that_lies_for_the_buyer_does_not_help(world: World, liar: int, lie: Callable[..., Any]) -> None:
    world.run()
    world.keepers[liar].bend_cohort = lie
    world.change(conditions=(taller_than(world, 1),))
    assert refused(world) == "disclosure.differencing"


@pytest.mark.parametrize("liar", [0, 1, 2])
def test_one_keeper_cannot_invent_a_cohort_to_stop_a_study(world: World, liar: int) -> None:
    world.run()
    invented = SigningKey.generate()

    def invent(kept: KeptCohort) -> KeptCohort:
        evidence = msgspec.structs.replace(kept.evidence, session=invented.address)
        note = msgspec.structs.replace(kept.note, session=invented.address, key_digest="0x" + "00" * 32)
        return msgspec.structs.replace(kept, evidence=evidence, note=sign_document(note, invented.secret))

    world.keepers[liar].bend_cohort = invent
    assert world.run().head.signed.receipt.record_count == 40


def test_a_host_that_loses_other_letters_in_each_run_gains_nothing(world: World) -> None:
    world.keepers[2].down_for = {KEEP_COHORT.name}
    world.run()
    world.keepers[2].down_for = set()
    world.keepers[0].down_for = {COHORTS.name}
    world.change(conditions=(taller_than(world, 1),))
    with pytest.raises(UnavailableError) as waiting:
        world.run()
    assert waiting.value.code == "enclave.earlier-cohort"
    world.keepers[0].down_for = set()
    assert refused(world) == "disclosure.differencing"


@pytest.mark.parametrize("kind", [COHORTS, KEEP_COHORT])
def test_one_keeper_of_three_may_be_away_and_two_may_not(world: World, kind: Any) -> None:
    world.keepers[1].down_for = {kind.name}
    assert world.run().head.signed.receipt.record_count == 40
    world.keepers[2].down_for = {kind.name}
    with pytest.raises(UnavailableError):
        world.run()


def test_a_session_that_died_before_enough_keepers_had_its_cohort_left_no_result(world: World) -> None:
    for keeper in world.keepers[1:]:
        keeper.down_for = {KEEP_COHORT.name}
    with pytest.raises(UnavailableError):
        world.run()
    for keeper in world.keepers:
        keeper.down_for = set()
    assert [len(keeper.cohorts) for keeper in world.keepers] == [1, 0, 0]
    world.change(conditions=(taller_than(world, 1),))
    assert world.run().head.signed.receipt.record_count == 39


def test_two_sessions_side_by_side_do_not_both_get_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run()
    other = [keeper.cohorts.pop() for keeper in world.keepers]

    def leave_while_another_does(*arguments: Any) -> None:
        leave_cohort(*arguments)
        for keeper, left in zip(world.keepers, other, strict=True):
            keeper.cohorts.append(left)

    monkeypatch.setattr(earlier_cohorts, "leave_cohort", leave_while_another_does)
    world.change(conditions=(taller_than(world, 1),))
    assert refused(world) == "disclosure.differencing"


def test_cohorts_of_many_pieces_are_compared_as_a_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earlier_cohorts, "COHORT_PIECE", 3)
    world.run()
    keeper = world.keepers[0]
    assert {note.pieces for _, note, _ in keeper.cohorts} == {14}
    world.change(conditions=(taller_than(world, 1),))
    assert refused(world) == "disclosure.differencing"


def test_a_keeper_that_never_ends_is_not_listened_to_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earlier_cohorts, "MAX_PAGES", 5)
    endless = world.keepers[0]._cohorts
    monkeypatch.setattr(
        world.keepers[0],
        "_cohorts",
        lambda question: msgspec.structs.replace(endless(question), last=question.after + 1, more=True),
    )
    assert world.run().head.signed.receipt.record_count == 40
