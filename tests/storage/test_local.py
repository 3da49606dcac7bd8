"""A folder keeps objects whole through full disks, kills and crowds."""

import errno
import io
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.errors import IntegrityError, RejectedInputError, UnavailableError
from nebula.storage import LocalStorage, open_for_reading, open_storage, parse_location


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


class Breaking(io.RawIOBase):
    """A stream that gives some bytes and then fails."""

    def __init__(self, error: Exception) -> None:
        self._pieces: list[Any] = [error, b"half of it"]

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002
        piece = self._pieces.pop()
        if isinstance(piece, Exception):
            raise piece
        return bytes(piece)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("step", ["fsync", "link"])
def test_a_full_disk_leaves_nothing_behind_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    storage = LocalStorage(tmp_path)
    storage.put("before", b"kept")

    def full(*_: object) -> Never:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, step, full)
        with pytest.raises(UnavailableError, match="full") as caught:
            storage.put("after", b"lost")
    assert caught.value.code == "storage.full"
    assert caught.value.hint
    assert files_below(tmp_path) == ["before"]
    storage.put("after", b"found")
    assert storage.get("after") == b"found"


def test_a_stream_that_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    with pytest.raises(IntegrityError):
        storage.put("ab", Breaking(IntegrityError("test", "an upstream segment is altered")))
    with pytest.raises(UnavailableError):
        storage.put("ab", Breaking(OSError(errno.EIO, "input/output error")))
    assert files_below(tmp_path) == []


def test_a_writer_killed_in_the_middle_leaves_no_object_and_is_swept_up(tmp_path: Path) -> None:
    script = f"""
import os, pathlib
from nebula.storage import LocalStorage
class Slow:
    n = 0
    def read(self, size):
        self.n += 1
        if self.n == 3:
            print("writing", flush=True)
            os.read(0, 1)
        return b"x" * 2**20
LocalStorage(pathlib.Path({str(tmp_path)!r})).put("ab", Slow())
"""
    writer = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"writing\n"
    assert LocalStorage(tmp_path).names() == []
    assert len(files_below(tmp_path)) == 1  # a living writer's file is not swept up
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    storage = LocalStorage(tmp_path)
    assert files_below(tmp_path) == []
    storage.put("ab", b"whole")
    assert storage.get("ab") == b"whole"


def test_of_many_who_put_the_same_name_one_wins_whole(tmp_path: Path) -> None:
    contents = [bytes([i]) * 300_000 for i in range(8)]

    def put(content: bytes) -> bool:
        try:
            LocalStorage(tmp_path).put("ab", content)
        except IntegrityError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(put, contents))
    assert won.count(True) == 1
    assert LocalStorage(tmp_path).get("ab") == contents[won.index(True)]


def test_a_folder_that_cannot_be_read_or_written_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"not a folder")
    storage = LocalStorage(tmp_path / "file")
    with pytest.raises(UnavailableError) as caught:
        storage.put("ab", b"x")
    assert caught.value.code == "storage.away"
    with pytest.raises(UnavailableError):
        storage.get("ab")


def test_a_location_is_enough_to_read_from_elsewhere(tmp_path: Path) -> None:
    location = LocalStorage(tmp_path / "Grüße & #1").put("ab", b"content")
    url, name = parse_location(location)
    assert open_for_reading(url).get(name) == b"content"
    assert open_storage(url).names() == ["ab"]


@pytest.mark.parametrize("url", ["s3://bucket", "file://host/folder", "file:relative", "", "/folder", "file:"])
def test_other_kinds_of_storage_are_refused_with_a_hint(url: str) -> None:
    for opening in (open_for_reading, open_storage):
        with pytest.raises(RejectedInputError, match="not supported") as caught:
            opening(url)
        assert caught.value.hint


@pytest.mark.parametrize("location", ["file:///folder", "file:///folder#", "file:///folder#../up", ""])
def test_locations_without_a_proper_name_are_refused(location: str) -> None:
    with pytest.raises(RejectedInputError):
        parse_location(location)


@given(st.text(max_size=20))
def test_no_name_reaches_outside_the_folder(name: str) -> None:
    storage = LocalStorage(Path("/nowhere/objects"))
    try:
        path = storage.path_of(name)
    except RejectedInputError:
        return
    assert path.parent.parent == storage.folder
    assert ".." not in path.parts
