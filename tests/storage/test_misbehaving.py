"""Whatever storage does to a part, nobody takes it for the part."""

import os
from collections.abc import Callable

import pytest

from nebula.crypt4gh import SealedPart, encrypt, open_part, seal_part
from nebula.protocol.errors import IntegrityError, UnavailableError
from nebula.protocol.sealing import SealingKey
from simulators.storage import MemoryStorage, MisbehavingStorage

OWNER = SealingKey.generate()
MINE = seal_part(os.urandom(150_000), OWNER.public_key)
YOURS = seal_part(os.urandom(150_000), OWNER.public_key)
OLDER = encrypt(os.urandom(150_000), [OWNER.public_key], data_key=MINE.data_key)

LIES: dict[str, Callable[[MisbehavingStorage], None]] = {
    "alters the header": lambda s: s.alter("mine", 3),
    "alters the first segment": lambda s: s.alter("mine", 200),
    "alters the last byte": lambda s: s.alter("mine", -1),
    "cuts off the last segment": lambda s: s.cut("mine", len(MINE.raw) - 18_956),
    "cuts off a byte": lambda s: s.cut("mine", len(MINE.raw) - 1),
    "empties it": lambda s: s.cut("mine", 0),
    "rolls back to an older version": lambda s: s.roll_back("mine", OLDER),
    "swaps two people's parts": lambda s: s.swap("mine", "yours"),
}


@pytest.fixture
def storage() -> MisbehavingStorage:
    made = MisbehavingStorage(MemoryStorage())
    made.put("mine", MINE.raw)
    made.put("yours", YOURS.raw)
    return made


def fetch(storage: MisbehavingStorage, name: str, part: SealedPart) -> bytes:
    return open_part(storage.get(name), part.data_key, part.digest, part.length_bytes)


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_lie_about_a_part_is_found_out(
    storage: MisbehavingStorage, lie: Callable[[MisbehavingStorage], None]
) -> None:
    honest = fetch(storage, "mine", MINE)
    lie(storage)
    with pytest.raises(IntegrityError):
        fetch(storage, "mine", MINE)
    storage.recover()
    assert fetch(storage, "mine", MINE) == honest


def test_a_lost_part_and_a_dead_storage_are_unavailable(storage: MisbehavingStorage) -> None:
    storage.lose("mine")
    with pytest.raises(UnavailableError):
        fetch(storage, "mine", MINE)
    assert fetch(storage, "yours", YOURS)
    storage.go_down()
    with pytest.raises(UnavailableError):
        fetch(storage, "yours", YOURS)
