"""A further panel: derived from what is on storage, nothing uploaded twice, nothing half done."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from sqlalchemy import insert, select

from nebula.database import reading, writing
from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel
from nebula.genome.record import parse_vector
from nebula.ledger.client.records import Slot
from nebula.localnet.bgzf import compress
from nebula.localnet.consumer_file import among, to_23andme
from nebula.localnet.population import to_vcf
from nebula.protocol.errors import IntegrityError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.record import MAX_PARTS
from nebula.storage import LocalStorage, parse_location
from nebula.vault import state, tables
from nebula.vault.deriving import from_original, from_standard_record, is_on
from nebula.vault.enrol import commitment_of
from nebula.vault.import_ import Vault, import_donors, import_own
from nebula.vault.manifests import manifest_of, read_part
from nebula.vault.parts import store_with_part
from nebula.vault.reading import read_genomes
from nebula.vault.rederive import Donors, call_rates_on, rederive_all, rederive_donors, rederive_one, store
from nebula.vault.state import Record, Stage
from vault.test_import import PEOPLE, VCF, panel, policy_of, vault

__all__ = ["panel", "vault"]

ALONE = among(PEOPLE, [0])


@pytest.fixture
def half(panel: Panel) -> Panel:
    """An older panel: every other site."""
    return Panel("test", "0", "GRCh38", panel.keys[::2], {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "me.vcf.gz"
    file.write_bytes(compress(to_vcf(ALONE)))
    return file


@pytest.fixture
def mine(vault: Vault, half: Panel, file: Path) -> Record:
    made = import_own(vault, read_genomes(file, half), {}, policy_of=policy_of, original=file)
    return registered(vault, made)


def registered(vault: Vault, record: Record) -> Record:
    """Say that the ledger has a record."""
    there = replace(record, stage=Stage.REGISTERED)
    with writing(vault.engine) as connection:
        assert state.replace_record(connection, record, there)
    return there


def now(vault: Vault, record: Record) -> Record:
    with reading(vault.engine) as connection:
        return state.get_record(connection, record.record)


def names(vault: Vault) -> set[str]:
    assert isinstance(vault.storage, LocalStorage)
    return set(vault.storage.names())


def vector_on(vault: Vault, record: Record, panel: Panel) -> bytes:
    (part,) = [part for part in manifest_of(vault.owner, record).parts if part.panel == panel.panel_id]
    return read_part(vault.owner, record, part)


def test_an_owners_record_gets_a_vector_from_its_original_and_keeps_all_that_it_had(
    vault: Vault, mine: Record, half: Panel, panel: Panel, file: Path
) -> None:
    before, stored = manifest_of(vault.owner, mine), names(vault)
    derived = from_original(vault, mine, panel)
    assert derived is not None
    assert derived.call_rate == 1

    (new,) = store(vault, [derived])

    assert new == now(vault, mine)
    assert (new.stage, new.version, new.policy, new.mailbox) == (Stage.STORED, 2, mine.policy, mine.mailbox)
    after = manifest_of(vault.owner, new)
    assert msgspec.structs.replace(after, parts=before.parts, salt=before.salt) == before
    assert (after.parts[:-1], after.salt != before.salt) == (before.parts, True)
    assert vector_on(vault, new, panel) == read_genomes(file, panel).genome(0).vector
    assert vector_on(vault, new, half) == read_genomes(file, half).genome(0).vector
    # One vector and one manifest are all that went to the storage.
    added = {parse_location(one)[1] for one in (new.manifest_location, after.parts[-1].location)}
    assert names(vault) - stored == added
    assert from_original(vault, new, panel) is None


def test_a_record_that_was_left_on_its_way_to_one_panel_goes_on_before_it_is_put_on_the_next(
    vault: Vault, mine: Record, half: Panel, panel: Panel
) -> None:
    third = Panel("test", "2", "GRCh38", panel.keys[::3], {})
    left = from_original(vault, mine, panel)
    assert left is not None
    store(vault, [left])
    network: Any = SimpleNamespace(records=SimpleNamespace(slot=lambda _record: slot_of(now(vault, mine))))
    enrolled: list[int] = []

    def enrol() -> None:
        enrolled.append(registered(vault, now(vault, mine)).version)

    for expected in ([2, 3], [2, 3, 3]):
        rederive_one(vault, network, mine.record, third, enrol=enrol)
        assert enrolled == expected
    manifest = manifest_of(vault.owner, now(vault, mine))
    assert all(is_on(manifest, one) for one in (half, panel, third))


def slot_of(record: Record) -> Slot:
    """What the ledger has of a record that it has."""
    return Slot(record.record, commitment_of(record), record.version)


def test_consumer_data_are_matched_with_the_new_panel_from_the_file_not_from_what_the_old_panel_kept(
    vault: Vault, half: Panel, panel: Panel, tmp_path: Path
) -> None:
    raw = tmp_path / "raw.txt"
    raw.write_bytes(to_23andme(PEOPLE, 0))
    made = import_own(vault, read_genomes(raw, half), {}, policy_of=policy_of, original=raw)

    derived = from_original(vault, registered(vault, made), panel)

    assert derived is not None
    assert derived.part.plaintext == read_genomes(raw, panel).genome(0).vector
    assert derived.call_rate == 1


def test_a_file_that_was_not_kept_cannot_be_read_again(vault: Vault, half: Panel, panel: Panel, file: Path) -> None:
    made = registered(vault, import_own(vault, read_genomes(file, half), {}, policy_of=policy_of))
    stored = names(vault)

    with pytest.raises(RejectedInputError, match="was not kept") as caught:
        from_original(vault, made, panel)

    assert caught.value.code == "rederive.original"
    assert "another label" in str(caught.value.hint)
    assert (names(vault), now(vault, made)) == (stored, made)


@pytest.mark.parametrize("how", ["cut", "bit", "swapped"])
def test_an_original_that_the_storage_altered_is_not_read(vault: Vault, mine: Record, panel: Panel, how: str) -> None:
    original = manifest_of(vault.owner, mine).original
    assert original is not msgspec.UNSET
    assert isinstance(vault.storage, LocalStorage)
    path = vault.storage.path_of(parse_location(original.location)[1])
    raw = path.read_bytes()
    other = vault.storage.path_of(parse_location(mine.manifest_location)[1]).read_bytes()
    path.write_bytes({"cut": raw[:-1], "bit": raw[:-1] + bytes([raw[-1] ^ 1]), "swapped": other}[how])

    with pytest.raises(IntegrityError):
        from_original(vault, mine, panel)


def test_a_lost_original_is_unavailable(vault: Vault, mine: Record, panel: Panel) -> None:
    original = manifest_of(vault.owner, mine).original
    assert original is not msgspec.UNSET
    vault.storage.delete(parse_location(original.location)[1])

    with pytest.raises(UnavailableError):
        from_original(vault, mine, panel)


def test_what_was_prepared_for_keepers_of_the_record_as_it_was_is_gone_with_the_same_step(
    vault: Vault, mine: Record, panel: Panel
) -> None:
    with writing(vault.engine) as connection:
        row = {"record": mine.record, "keeper": "0x" + "11" * 20, "accepted": 1, "message": b"old"}
        connection.execute(insert(tables.enrolments), row)
    derived = from_original(vault, mine, panel)
    assert derived is not None

    store(vault, [derived])

    with reading(vault.engine) as connection:
        assert connection.execute(select(tables.enrolments)).all() == []


def test_a_record_that_another_command_changed_meanwhile_is_left_alone(
    vault: Vault, mine: Record, panel: Panel
) -> None:
    derived, stored = from_original(vault, mine, panel), names(vault)
    assert derived is not None
    with writing(vault.engine) as connection:
        assert state.withdraw(connection, [mine]) == []

    with pytest.raises(UnavailableError, match="meanwhile"):
        store(vault, [derived])

    assert now(vault, mine).stage is Stage.WITHDRAWN
    assert names(vault) == stored


def test_a_full_storage_leaves_nothing_behind_and_the_records_as_they_were(
    vault: Vault, half: Panel, panel: Panel, tmp_path: Path
) -> None:
    donors = donors_on(half, vault, tmp_path)
    derived = [one for one in (from_standard_record(vault, donor, panel) for donor in donors) if one]
    stored = names(vault)

    class Full(LocalStorage):
        left = 13

        def put(self, name: str, content: object) -> str:
            self.left -= 1
            if self.left < 0:
                raise UnavailableError("storage.full", "the disk is full")
            return super().put(name, content)  # type: ignore[arg-type]

    with pytest.raises(UnavailableError, match="disk is full"):
        store(replace(vault, storage=Full(tmp_path / "objects")), derived)

    assert names(vault) == stored
    assert [now(vault, donor) for donor in donors] == donors


def test_a_record_has_no_more_parts_than_a_record_can_have(vault: Vault, mine: Record, panel: Panel) -> None:
    manifest, derived = manifest_of(vault.owner, mine), from_original(vault, mine, panel)
    assert derived is not None
    full = msgspec.structs.replace(manifest, parts=(manifest.parts * MAX_PARTS)[:MAX_PARTS])

    with pytest.raises(RejectedInputError, match="no record can have more"):
        store_with_part(full, derived.part, storage=vault.storage)


def donors_on(panel: Panel, vault: Vault, tmp_path: Path) -> list[Record]:
    file = tmp_path / "cohort.vcf.gz"
    file.write_bytes(compress(VCF))
    import_donors(vault, read_genomes(file, panel), {}, policy_of=policy_of)
    with reading(vault.engine) as connection:
        made = state.every_record(connection)
    return [registered(vault, one) for one in made]


def test_every_donor_gets_what_the_cohorts_file_says_on_the_new_panel_and_done_again_nothing_changes(
    vault: Vault, half: Panel, panel: Panel, tmp_path: Path
) -> None:
    donors = donors_on(half, vault, tmp_path)
    truth = {genome.sample: genome.vector for genome in read_genomes(tmp_path / "cohort.vcf.gz", panel)}
    done: list[tuple[int, int]] = []

    assert rederive_donors(vault, panel, progress=lambda *count: done.append(count)) == Donors(len(donors), 0, 1.0, 1.0)

    after = [now(vault, donor) for donor in donors]
    assert {one.label: vector_on(vault, one, panel) for one in after} == truth
    assert {(one.stage, one.version) for one in after} == {(Stage.STORED, 2)}
    assert done == [(len(donors), len(donors))]
    back = [registered(vault, one) for one in after]
    assert rederive_donors(vault, panel) == Donors(0, len(donors), None, None)
    assert [now(vault, one) for one in back] == back
    assert parse_vector(vector_on(vault, back[0], panel), panel).sites == panel.sites


def test_what_donors_would_have_on_a_panel_is_told_before_anything_is_stored(
    vault: Vault, half: Panel, panel: Panel, tmp_path: Path
) -> None:
    donors = donors_on(half, vault, tmp_path)
    nowhere = Panel("nowhere", "1", panel.assembly, np.array([variant_key("21", 5, "A", "C")], np.uint64), {})
    before, looked = names(vault), []

    assert call_rates_on(vault, panel, progress=lambda *count: looked.append(count)) == [1.0] * len(donors)
    assert call_rates_on(vault, nowhere) == [0.0] * len(donors)
    assert call_rates_on(vault, half) == [], "they are on it already"
    assert looked == [(len(donors), len(donors))]
    assert (names(vault), [now(vault, one) for one in donors]) == (before, donors)


def test_who_does_not_agree_to_the_rates_puts_nobody_on_the_panel(
    vault: Vault, half: Panel, panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    donors = donors_on(half, vault, tmp_path)
    before, shown = names(vault), []
    monkeypatch.setattr("nebula.vault.rederive.catch_up_all", lambda *_: None)

    def decline(rates: Sequence[float]) -> None:
        shown.append(list(rates))
        raise NotPermittedError("cli.declined", "no")

    network: Any = None  # nobody is asked: nothing waits, and what is done next is not reached
    with pytest.raises(NotPermittedError):
        rederive_all(vault, network, panel, agree=decline, enrol=lambda: None)
    assert shown == [[1.0] * len(donors)]
    assert (names(vault), [now(vault, one) for one in donors]) == (before, donors)


def test_a_file_that_is_imported_again_is_known_by_either_vector(
    vault: Vault, mine: Record, half: Panel, panel: Panel, file: Path
) -> None:
    derived = from_original(vault, mine, panel)
    assert derived is not None
    (new,) = store(vault, [derived])

    for one in (half, panel):
        again = import_own(vault, read_genomes(file, one), {}, policy_of=policy_of, label=mine.label)
        assert again == new


def test_a_standard_record_on_another_assembly_than_the_panel_stays_where_it_is(
    vault: Vault, mine: Record, panel: Panel
) -> None:
    with pytest.raises(RejectedInputError, match="is on GRCh38, the panel on GRCh37") as caught:
        from_standard_record(vault, mine, Panel("other", "1", "GRCh37", panel.keys, {}))
    assert caught.value.code == "rederive.assembly"
