"""A file is there whole or not at all, and a secret one is its owner's alone from the first moment."""

import os
import stat
from pathlib import Path

import pytest

from nebula.files import replace_file, write_new


def full_disk(_handle: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_new_file_never_takes_anothers_place(tmp_path: Path) -> None:
    file = tmp_path / "key"
    write_new(file, b"first", mode=0o600)

    with pytest.raises(FileExistsError):
        write_new(file, b"second")
    assert file.read_bytes() == b"first"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_replaced_file_is_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    for content in (b"first", b"second"):
        replace_file(file, content)
        assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("write", [write_new, replace_file])
def test_what_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: object
) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "file", b"content")  # type: ignore[operator]
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_replaced_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.json"
    replace_file(file, b"old")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        replace_file(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
