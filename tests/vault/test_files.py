"""Files that somebody named are written for them alone, whole, and never over others."""

from pathlib import Path

import pytest

from nebula.protocol.errors import RejectedInputError, UnavailableError
from nebula.vault.files import private_file


def test_a_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    with private_file(tmp_path / "new", kind="report") as file:
        file.write(b"mine")
        assert not (tmp_path / "new").exists(), "it gets its name when it is whole"
    assert (tmp_path / "new").read_bytes() == b"mine"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["report", "export"])
def test_what_is_there_stays_and_the_error_names_what_was_to_be_written(tmp_path: Path, kind: str) -> None:
    there = tmp_path / "there"
    there.write_bytes(b"older")
    with pytest.raises(RejectedInputError) as exists, private_file(there, kind=kind) as file:
        file.write(b"newer")
    with pytest.raises(UnavailableError) as nowhere, private_file(tmp_path / "no" / "folder", kind=kind):
        pass

    assert (exists.value.code, nowhere.value.code) == (f"{kind}.exists", f"{kind}.file")
    assert there.read_bytes() == b"older"
