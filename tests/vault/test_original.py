"""The file that a record was made of: kept for its owner alone, given back byte for byte or not at all."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from nebula.crypt4gh import encrypt
from nebula.genome.panel import Panel
from nebula.localnet.bgzf import compress
from nebula.localnet.consumer_file import among
from nebula.localnet.population import to_vcf
from nebula.protocol.consent import parse_policy
from nebula.protocol.errors import IntegrityError, RejectedInputError, UnavailableError
from nebula.protocol.record import Manifest, Original, parse_manifest
from nebula.protocol.study import PartKind
from nebula.protocol.wire import to_canonical
from nebula.storage import LocalStorage, parse_location
from nebula.vault.export import Exported, export
from nebula.vault.import_ import Vault, import_own
from nebula.vault.manifests import manifest_of, read_parts
from nebula.vault.original import fetch_original, store_original
from nebula.vault.reading import read_genomes
from nebula.vault.state import Record
from vault.test_import import PEOPLE, panel, policy_of, vault

__all__ = ["panel", "vault"]

CONTENT = compress(to_vcf(among(PEOPLE, [0])))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "me.vcf.gz"
    file.write_bytes(CONTENT)
    return file


@pytest.fixture
def record(vault: Vault, panel: Panel, file: Path) -> Record:
    return import_own(vault, read_genomes(file, panel), {}, policy_of=policy_of, original=file)


def original_of(vault: Vault, record: Record) -> Original:
    original = manifest_of(vault.owner, record).original
    assert original is not msgspec.UNSET
    return original


def path_of(vault: Vault, record: Record) -> Path:
    storage = vault.storage
    assert isinstance(storage, LocalStorage)
    return storage.path_of(parse_location(original_of(vault, record).location)[1])


def test_the_file_comes_back_as_it_came_and_is_never_written_over(vault: Vault, record: Record, tmp_path: Path) -> None:
    output = tmp_path / "back.vcf.gz"

    assert export(vault, record, Exported.ORIGINAL, output) == len(CONTENT)
    assert output.read_bytes() == CONTENT
    assert output.stat().st_mode & 0o777 == 0o600
    with pytest.raises(RejectedInputError, match="there already"):
        export(vault, record, Exported.ORIGINAL, output)
    assert not list(tmp_path.glob(".*.partial"))


def test_the_standard_record_comes_back_as_it_was_stored(
    vault: Vault, record: Record, panel: Panel, file: Path, tmp_path: Path
) -> None:
    export(vault, record, Exported.PARQUET, tmp_path / "me.parquet")

    assert (tmp_path / "me.parquet").read_bytes() == read_genomes(file, panel).genome(0).parquet


@pytest.mark.parametrize("length", [0, 1, 65536, 262_144, 3 * 2**20 + 17])
def test_originals_of_any_length_come_back(vault: Vault, tmp_path: Path, length: int) -> None:
    content = bytes(number % 251 for number in range(length))
    (tmp_path / "in").write_bytes(content)
    identity = vault.owner.crypt4gh_identity()

    with (tmp_path / "in").open("rb") as opened:
        kept = store_original(opened, identity.public_key, lambda sealed: vault.storage.put("a1", sealed))
    with (tmp_path / "out").open("wb") as sink:
        fetch_original(kept, identity, sink)

    assert (tmp_path / "out").read_bytes() == content
    assert kept.plaintext_bytes == length


def test_no_study_can_ask_for_the_original_and_no_consent_can_offer_it(vault: Vault, record: Record) -> None:
    assert {part.kind for part in manifest_of(vault.owner, record).parts} == {PartKind.GENOTYPES, PartKind.VARIANTS}
    assert [part.kind for part in read_parts(vault.owner, record)] == ["genotypes", "variants", "original"]
    offering = to_canonical(record.policy).replace(b'"parts":["genotypes"', b'"parts":["original"')
    assert offering != to_canonical(record.policy)
    with pytest.raises(RejectedInputError):
        parse_policy(offering)


@pytest.mark.parametrize("how", ["cut", "bit", "emptied", "another's", "other content"])
def test_an_altered_original_is_told_and_leaves_no_file(vault: Vault, record: Record, tmp_path: Path, how: str) -> None:
    path, mine = path_of(vault, record), vault.owner.crypt4gh_identity().public_key
    raw = path.read_bytes()
    changed = {
        "cut": raw[:-1],
        "bit": raw[:-1] + bytes([raw[-1] ^ 1]),
        "emptied": b"",
        "another's": encrypt(CONTENT, [vault.owner.donor(1).crypt4gh_identity().public_key]),
        "other content": encrypt(CONTENT[::-1], [mine]),
    }
    path.write_bytes(changed[how])
    before = set(tmp_path.iterdir())

    with pytest.raises(IntegrityError):
        export(vault, record, Exported.ORIGINAL, tmp_path / "back")

    assert set(tmp_path.iterdir()) == before


def test_a_lost_original_is_unavailable(vault: Vault, record: Record, tmp_path: Path) -> None:
    path_of(vault, record).unlink()
    with pytest.raises(UnavailableError):
        export(vault, record, Exported.ORIGINAL, tmp_path / "back")


def test_a_record_without_an_original_says_so(vault: Vault, panel: Panel, file: Path, tmp_path: Path) -> None:
    plain = import_own(vault, read_genomes(file, panel), {}, policy_of=policy_of)
    with pytest.raises(RejectedInputError, match="no part original"):
        export(vault, plain, Exported.ORIGINAL, tmp_path / "back")


def test_manifests_without_an_original_keep_their_bytes(vault: Vault, record: Record) -> None:
    without: Manifest = msgspec.structs.replace(manifest_of(vault.owner, record), original=msgspec.UNSET)
    assert b"original" not in to_canonical(without)
    assert parse_manifest(to_canonical(without)) == without


def test_a_full_storage_leaves_nothing_behind(vault: Vault, panel: Panel, file: Path, tmp_path: Path) -> None:
    class Full(LocalStorage):
        left = 3

        def put(self, name: str, content: object) -> str:
            self.left -= 1
            if self.left < 0:
                raise UnavailableError("storage.full", "the disk is full")
            return super().put(name, content)  # type: ignore[arg-type]

    full = Full(tmp_path / "full")
    with pytest.raises(UnavailableError):
        import_own(replace(vault, storage=full), read_genomes(file, panel), {}, policy_of=policy_of, original=file)
    assert full.names() == []
