import gzip
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from nebula.crypt4gh import decrypt
from nebula.database import open_database, reading
from nebula.genome.building import build_panel
from nebula.genome.inflate import Source
from nebula.genome.panel import Panel
from nebula.localnet.bgzf import compress
from nebula.localnet.consumer_file import among
from nebula.localnet.population import make_population, to_phenotypes, to_vcf
from nebula.protocol.consent import ConsentPolicy
from nebula.protocol.errors import RejectedInputError, UnavailableError
from nebula.protocol.ids import to_hex
from nebula.protocol.keys import OwnerKeys, generate_mnemonic
from nebula.protocol.record import Manifest, manifest_commitment, parse_manifest
from nebula.protocol.study import PartKind
from nebula.storage import LocalStorage, parse_location
from nebula.vault import state, tables
from nebula.vault.consent import first_policy
from nebula.vault.import_ import Vault, import_donors, import_own
from nebula.vault.reading import read_genomes, read_phenotype_table
from nebula.vault.state import Stage

PEOPLE = make_population(12, variants=200, seed=4)
VCF = to_vcf(PEOPLE)


def policy_of(record: str, _label: str) -> ConsentPolicy:
    return first_policy(record, price_floor_wei=1, trust_roots=("0x" + "07" * 32,), at=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def panel() -> Panel:
    return build_panel(Source(BytesIO(VCF)), name="test", version="1", assembly="GRCh38")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    engine = open_database(f"sqlite:///{tmp_path}/vault.sqlite", tables.metadata, party="vault")
    return Vault(engine, OwnerKeys.from_mnemonic(generate_mnemonic()), LocalStorage(tmp_path / "objects"))


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_each_donor_gets_a_record_with_keys_of_its_own(vault: Vault, panel: Panel, tmp_path: Path) -> None:
    genomes = read_genomes(write(tmp_path / "cohort.vcf.gz", compress(VCF)), panel)
    table = write(tmp_path / "p.tsv", to_phenotypes(PEOPLE, trait="ldl"))
    phenotypes = read_phenotype_table(table, list(genomes.samples)).tables

    imported = import_donors(vault, genomes, phenotypes, policy_of=policy_of)

    assert (imported.new, imported.known) == (12, 0)
    with reading(vault.engine) as connection:
        records = state.at_stage(connection, Stage.STORED, limit=100)
    assert {record.label for record in records} == set(PEOPLE.names)
    assert len({record.record for record in records}) == 12
    for record in records:
        _, name = parse_location(record.manifest_location)
        keys = vault.owner.donor(record.donor or 0)
        manifest: Manifest = parse_manifest(decrypt(vault.storage.get(name), keys.crypt4gh_identity()))
        assert to_hex(manifest_commitment(manifest)) == record.manifest_commitment
        assert [part.kind for part in manifest.parts] == [PartKind.GENOTYPES, PartKind.VARIANTS, PartKind.PHENOTYPES]


def test_importing_again_goes_on_where_it_stopped(vault: Vault, panel: Panel, tmp_path: Path) -> None:
    genomes = read_genomes(write(tmp_path / "cohort.vcf", VCF), panel)
    import_donors(vault, genomes, {}, policy_of=policy_of)

    again = import_donors(vault, genomes, {}, policy_of=policy_of)

    assert (again.new, again.known) == (0, 12)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x7fELF" + bytes(500),
        compress(VCF)[:-40],
        gzip.compress(VCF)[:-10],
        VCF.replace(b"\t0/1\n", b"\t0/7\n"),
        VCF.replace(b"P00002", b"P00001"),
    ],
    ids=["empty", "binary", "truncated bgzip", "truncated gzip", "allele that is not there", "duplicate sample"],
)
def test_a_bad_file_is_refused_and_leaves_nothing_behind(
    vault: Vault, panel: Panel, tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(RejectedInputError) as caught:
        read_genomes(write(tmp_path / "bad.vcf.gz", content), panel)

    assert "bad.vcf.gz" in caught.value.message
    assert list((tmp_path / "objects").rglob("*")) == []


def test_a_full_disk_leaves_no_half_record(vault: Vault, panel: Panel, tmp_path: Path) -> None:
    genomes = read_genomes(write(tmp_path / "cohort.vcf", VCF), panel)

    class Filling(LocalStorage):
        puts = 0

        def put(self, name: str, content: bytes) -> str:  # type: ignore[override]
            self.puts += 1
            if self.puts > 2:
                raise UnavailableError("storage.full", "the disk is full")
            return super().put(name, content)

    full = Filling(tmp_path / "objects")
    with pytest.raises(UnavailableError):
        import_donors(Vault(vault.engine, vault.owner, full), genomes, {}, policy_of=policy_of)

    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []
    with reading(vault.engine) as connection:
        assert state.count_by_stage(connection) == {}


def test_a_file_of_several_people_is_no_owners_record(vault: Vault, panel: Panel, tmp_path: Path) -> None:
    genomes = read_genomes(write(tmp_path / "cohort.vcf", VCF), panel)

    with pytest.raises(RejectedInputError) as caught:
        import_own(vault, genomes, {}, policy_of=policy_of)
    assert caught.value.hint is not None


def test_a_known_name_with_other_data_is_refused_and_nothing_is_stored(
    vault: Vault, panel: Panel, tmp_path: Path
) -> None:
    genomes = read_genomes(write(tmp_path / "cohort.vcf", VCF), panel)
    import_donors(vault, genomes, {}, policy_of=policy_of)
    stored = sorted((tmp_path / "objects").rglob("*"))
    turned = VCF.replace(b"0/0", b"x").replace(b"1/1", b"0/0").replace(b"x", b"1/1")
    others = read_genomes(write(tmp_path / "others.vcf", turned.replace(b"P00001", b"P99999")), panel)

    with pytest.raises(RejectedInputError, match="genotypes are others") as caught:
        import_donors(vault, others, {}, policy_of=policy_of)

    assert caught.value.code == "import.other"
    assert sorted((tmp_path / "objects").rglob("*")) == stored


def test_other_phenotypes_of_a_known_name_are_refused_and_none_are_no_difference(
    vault: Vault, panel: Panel, tmp_path: Path
) -> None:
    genomes = read_genomes(write(tmp_path / "cohort.vcf", VCF), panel)
    names = list(genomes.samples)
    ldl = read_phenotype_table(write(tmp_path / "ldl.tsv", to_phenotypes(PEOPLE, trait="ldl")), names).tables
    hdl = read_phenotype_table(write(tmp_path / "hdl.tsv", to_phenotypes(PEOPLE, trait="hdl")), names).tables
    import_donors(vault, genomes, ldl, policy_of=policy_of)

    for same in (ldl, {}):
        again = import_donors(vault, genomes, same, policy_of=policy_of)
        assert (again.new, again.known) == (0, len(names))
    with pytest.raises(RejectedInputError, match="phenotypes are others"):
        import_donors(vault, genomes, hdl, policy_of=policy_of)


def test_my_own_label_is_no_place_for_another_persons_file(vault: Vault, panel: Panel, tmp_path: Path) -> None:
    alone = among(PEOPLE, [0]), among(PEOPLE, [1])
    mine, theirs = (
        read_genomes(write(tmp_path / f"{name}.vcf", to_vcf(one)), panel)
        for name, one in zip(("mine", "theirs"), alone, strict=True)
    )
    record = import_own(vault, mine, {}, policy_of=policy_of, label="me")

    assert import_own(vault, mine, {}, policy_of=policy_of, label="me").record == record.record
    with pytest.raises(RejectedInputError, match="'me' already") as caught:
        import_own(vault, theirs, {}, policy_of=policy_of, label="me")
    assert "--label NAME" in str(caught.value.hint)
