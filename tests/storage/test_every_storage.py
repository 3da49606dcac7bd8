"""What every storage does, whichever it is."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nebula.protocol.errors import IntegrityError, RejectedInputError, UnavailableError
from nebula.storage import LocalStorage, Storage, open_storage, parse_location
from simulators.storage import MemoryStorage, MisbehavingStorage

MAKERS: dict[str, Callable[[Path], Storage]] = {
    "local": lambda folder: LocalStorage(folder / "objects"),
    "by url": lambda folder: open_storage((folder / "a folder").as_uri()),
    "memory": lambda _: MemoryStorage(),
    "honest liar": lambda folder: MisbehavingStorage(LocalStorage(folder)),
}
BAD_NAMES = ["", ".", "..", "../up", "a/b", "/etc", "Upper", "a\\b", "a\0b", "a\n", "ä", ".hidden", "a" * 129, "-a"]


@pytest.fixture(params=MAKERS.values(), ids=MAKERS.keys())
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    made: Storage = request.param(tmp_path)
    return made


def test_what_is_put_comes_back_whole_and_in_ranges(storage: Storage) -> None:
    location = storage.put("ab12", b"0123456789")
    assert parse_location(location) == (storage.url, "ab12")
    assert storage.get("ab12") == b"0123456789"
    assert storage.size_bytes("ab12") == 10
    assert storage.get_range("ab12", 3, 4) == b"3456"


@given(content=st.binary(max_size=200), start=st.integers(0, 250), length=st.integers(0, 250))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_range_is_a_slice(storage: Storage, content: bytes, start: int, length: int) -> None:
    storage.delete("object")
    storage.put("object", content)
    assert storage.get_range("object", start, length) == content[start : start + length]


def test_streams_can_be_put(storage: Storage) -> None:
    content = bytes(range(256)) * 9000
    storage.put("stream", io.BytesIO(content))
    assert storage.get("stream") == content


def test_the_same_object_can_be_put_again_but_never_another_in_its_place(storage: Storage) -> None:
    storage.put("ab", b"one")
    storage.put("ab", b"one")
    for other in (b"two", b"one!", b"", io.BytesIO(b"two")):
        with pytest.raises(IntegrityError, match="already"):
            storage.put("ab", other)
    assert storage.get("ab") == b"one"


def test_what_is_not_there_is_unavailable(storage: Storage) -> None:
    for read in (storage.get, storage.size_bytes, lambda name: storage.get_range(name, 0, 1)):
        with pytest.raises(UnavailableError) as caught:
            read("nothing")
        assert caught.value.code == "storage.missing"


def test_deleting_is_final_and_may_be_repeated(storage: Storage) -> None:
    storage.put("ab", b"one")
    storage.delete("ab")
    storage.delete("ab")
    with pytest.raises(UnavailableError):
        storage.get("ab")
    storage.put("ab", b"two")
    assert storage.get("ab") == b"two"


def test_objects_larger_than_allowed_are_refused(storage: Storage) -> None:
    storage.put("ab", bytes(100))
    assert storage.get("ab", max_bytes=100) == bytes(100)
    with pytest.raises(RejectedInputError, match="larger"):
        storage.get("ab", max_bytes=99)


def test_names_come_sorted_and_in_pages(storage: Storage) -> None:
    assert storage.names() == []
    names = sorted(["a", "ab", "ab.c", "abc", "b-1", "b1", "0f", "0f0", "zz"])
    for name in reversed(names):
        storage.put(name, b"x")
    paged, after = [], ""
    while page := storage.names(after=after, limit=2):
        paged += page
        after = page[-1]
    assert paged == storage.names() == names


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_could_be_paths_are_refused(storage: Storage, name: str) -> None:
    for act in (lambda: storage.put(name, b""), lambda: storage.delete(name)):
        with pytest.raises(RejectedInputError, match="name"):
            act()
    with pytest.raises(RejectedInputError, match="name"):
        storage.get(name)


@pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, -1)])
def test_negative_ranges_are_refused(storage: Storage, start: int, length: int) -> None:
    storage.put("ab", b"x")
    with pytest.raises(RejectedInputError, match="range"):
        storage.get_range("ab", start, length)
