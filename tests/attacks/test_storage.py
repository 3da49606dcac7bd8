"""A storage provider that loses, alters, cuts, rolls back, swaps people, swaps segments, and looks into what it has.

Whatever it does, only the records that it touched drop out, and what comes out is the result of the others. One lie at
a time, over every kind of object: enclave/test_run.py.
"""

from collections.abc import Callable

import pytest

from nebula.crypt4gh import parse_header
from nebula.crypt4gh.segments import SEALED_SEGMENT_BYTES
from nebula.enclave.release import Dropped
from nebula.protocol.ids import to_bytes
from nebula.protocol.study import PartKind
from simulators.storage import MemoryStorage, MisbehavingStorage
from simulators.studies import World, make_world

Lie = Callable[[World, MisbehavingStorage, int], int]
"""Tells a lie about a person's record; returns how many records it costs."""


@pytest.fixture
def storage() -> MisbehavingStorage:
    return MisbehavingStorage(MemoryStorage())


@pytest.fixture
def world(storage: MisbehavingStorage, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("nebula.enclave.keepers.PAUSE_SECONDS", 0.0)
    return make_world(storage)


def test_a_provider_that_tells_every_lie_at_once_spoils_only_what_it_touched(
    world: World, storage: MisbehavingStorage
) -> None:
    genotypes = [owner.object_name(PartKind.GENOTYPES) for owner in world.owners]
    storage.lose(genotypes[0])
    storage.alter(genotypes[1], -1)
    storage.cut(genotypes[2], 150)
    storage.swap(genotypes[3], genotypes[4])
    storage.roll_back(genotypes[5], storage.get(genotypes[6]))
    storage.roll_back(genotypes[7], b"")
    storage.roll_back(genotypes[8], b"\x00" * 100_000)

    output = world.run()

    assert output.head.statement.dropped == {Dropped.UNREADABLE: 8}
    assert output.head.signed.receipt.record_count == 32
    touched = {owner.record for owner in world.owners[:6]} | {owner.record for owner in world.owners[7:9]}
    world.owners = [owner for owner in world.owners if owner.record not in touched]
    storage.recover()
    for keeper in world.keepers:
        keeper.cohorts.clear()
    assert world.run().head.signed.receipt.result_digest == output.head.signed.receipt.result_digest


def test_segments_of_one_part_cannot_change_places(world: World, storage: MisbehavingStorage) -> None:
    """Every segment authenticates by itself, so a swap decrypts: the manifest's digest finds it."""
    from nebula.crypt4gh import seal_part
    from nebula.crypt4gh.part import open_part
    from nebula.protocol.errors import IntegrityError

    sealed = seal_part(bytes(65_536) + b"\x01" * 65_536, world.owners[0].keys.crypt4gh_identity().public_key)
    head = len(sealed.raw) - 2 * SEALED_SEGMENT_BYTES
    first, second = sealed.raw[head : head + SEALED_SEGMENT_BYTES], sealed.raw[head + SEALED_SEGMENT_BYTES :]
    assert parse_header(sealed.raw)
    with pytest.raises(IntegrityError):
        open_part(sealed.raw[:head] + second + first, sealed.data_key, sealed.digest, sealed.length_bytes)


def test_a_provider_that_answers_everyone_with_the_same_person_gets_no_result(
    world: World, storage: MisbehavingStorage
) -> None:
    from nebula.protocol.errors import NotPermittedError

    one = storage.get(world.owners[0].object_name(PartKind.GENOTYPES))
    for owner in world.owners[1:]:
        storage.roll_back(owner.object_name(PartKind.GENOTYPES), one)
    with pytest.raises(NotPermittedError) as refused:
        world.run()
    assert refused.value.code == "run.too-few-records"


def test_a_provider_cannot_choose_who_is_in_a_cohort_without_being_counted(
    world: World, storage: MisbehavingStorage
) -> None:
    """It can withhold people; how many are missing stands in the counts that the session signed."""
    for owner in world.owners[:10]:
        storage.lose(owner.object_name(None))
    output = world.run()
    assert output.head.statement.dropped == {Dropped.UNREADABLE: 10}
    assert output.head.signed.receipt.record_count == 30


def test_objects_say_nothing_by_name_and_little_by_size(world: World, storage: MisbehavingStorage) -> None:
    names = [owner.object_name(kind) for owner in world.owners for kind in (None, PartKind.GENOTYPES)]
    assert len(set(names)) == len(names)
    for owner in world.owners:
        for kind in (None, PartKind.GENOTYPES, PartKind.PHENOTYPES):
            raw = storage.get(owner.object_name(kind))
            assert to_bytes(owner.record) not in raw
            assert owner.record.encode() not in raw
    sizes = {len(storage.get(owner.object_name(PartKind.GENOTYPES))) for owner in world.owners}
    assert len(sizes) == 1, "genotypes on one panel are all of one size"
