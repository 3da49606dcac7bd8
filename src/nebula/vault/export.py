"""Give an owner a part of a record back as a file: whole and checked, or not at all."""

from enum import StrEnum
from pathlib import Path

from msgspec import UNSET

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.study import PartKind
from nebula.vault.enrol import keys_of
from nebula.vault.files import private_file
from nebula.vault.import_ import Vault
from nebula.vault.manifests import manifest_of, read_part
from nebula.vault.original import fetch_original
from nebula.vault.state import Record


class Exported(StrEnum):
    """What can be exported."""

    ORIGINAL = "original"  # the file as it came
    PARQUET = "parquet"  # the standard record


def export(vault: Vault, record: Record, what: Exported, output: Path) -> int:
    """Write a part of a record to a new file, and return its length in bytes.

    The file appears under its name when all of it is there, is what the manifest says and is durable.

    Raises:
        RejectedInputError: ``export.*``; something of that name is there already, or the record has no such part.
        UnavailableError: the storage is away, or the file cannot be written.
        IntegrityError: the storage altered the part.
    """
    manifest = manifest_of(vault.owner, record)
    parquet = next((part for part in manifest.parts if part.kind is PartKind.VARIANTS), None)
    original = manifest.original
    if (what is Exported.ORIGINAL and original is UNSET) or (what is Exported.PARQUET and parquet is None):
        raise RejectedInputError(
            "export.part",
            f"record {record.label!r} has no part {what.value}",
            hint="`nebula record show RECORD` lists its parts; what a record was not made with it does not have",
        )
    with private_file(output, kind="export") as file:
        if what is Exported.ORIGINAL and original is not UNSET:
            fetch_original(original, keys_of(vault.owner, record).crypt4gh_identity(), file)
        elif parquet is not None:
            file.write(read_part(vault.owner, record, parquet))
        return file.tell()
