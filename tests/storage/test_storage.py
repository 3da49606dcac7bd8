import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.errors import IntegrityError, RejectedInputError, UnavailableError
from nebula.storage import LocalStorage, Storage, open_for_reading, open_storage, parse_location


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage((tmp_path / "objects").as_uri())


def test_what_was_put_is_found_by_its_location(storage: Storage) -> None:
    url, name = parse_location(storage.put("abc1", b"ciphertext"))

    assert open_for_reading(url).get(name) == b"ciphertext"
    assert open_for_reading(url).get_range(name, 2, 4) == b"pher"
    assert open_for_reading(url).size_bytes(name) == 10


def test_putting_again_changes_nothing_and_another_content_is_refused(storage: Storage) -> None:
    storage.put("abc1", b"one")
    storage.put("abc1", b"one")

    with pytest.raises(IntegrityError):
        storage.put("abc1", b"two")
    assert storage.get("abc1") == b"one"


def test_a_missing_object_is_away_and_deleting_it_is_no_error(storage: Storage) -> None:
    storage.delete("abc1")

    with pytest.raises(UnavailableError):
        storage.get("abc1")


def test_an_object_that_is_too_large_is_not_read(storage: Storage) -> None:
    storage.put("abc1", bytes(100))

    with pytest.raises(RejectedInputError):
        storage.get("abc1", max_bytes=99)


def test_names_come_in_pages(storage: Storage) -> None:
    names = sorted(f"{number:04x}" for number in range(0, 5000, 37))
    for name in names:
        storage.put(name, b"x")

    first = storage.names(limit=50)
    rest = storage.names(after=first[-1])

    assert first + rest == names


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = LocalStorage(tmp_path)

    def fail(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UnavailableError) as caught:
        storage.put("abc1", b"content")

    assert caught.value.code == "storage.full"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@given(st.text(max_size=20))
def test_no_name_reaches_outside_the_folder(name: str) -> None:
    storage = LocalStorage(Path("/nowhere/objects"))
    try:
        path = storage.path_of(name)
    except RejectedInputError:
        return
    assert path.parent.parent == storage.folder
    assert ".." not in path.parts


@pytest.mark.parametrize("name", ["../etc", "a/b", "", ".hidden", "A", "a" * 129, "a\x00"])
def test_names_that_could_be_paths_are_refused(storage: Storage, name: str) -> None:
    with pytest.raises(RejectedInputError):
        storage.put(name, b"x")


@pytest.mark.parametrize("url", ["s3://bucket", "file://host/folder", "relative", "file:relative"])
def test_other_storages_are_refused_clearly(url: str) -> None:
    with pytest.raises(RejectedInputError) as caught:
        open_storage(url)
    assert caught.value.hint
