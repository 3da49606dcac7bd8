"""A newer panel: everyone is put on it whoever is killed, and may leave at every step on the way."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from faults.acts import NEWER_PANEL, open_vault, panel_in
from faults.network import PEOPLE, FaultyNetwork
from faults.study_runs import run_study
from nebula.database import open_database, reading
from nebula.genome.panel import Panel
from nebula.protocol.errors import UnavailableError
from nebula.protocol.record import manifest_commitment
from nebula.vault import state, tables
from nebula.vault.consent import withdraw
from nebula.vault.current import catch_up_all
from nebula.vault.deriving import is_on
from nebula.vault.enrol import Network, enrol_all
from nebula.vault.import_ import Vault
from nebula.vault.joining import join
from nebula.vault.manifests import manifest_of
from nebula.vault.rederive import rederive_donors
from nebula.vault.settings import load_settings
from nebula.vault.state import WAITING, Record, Stage

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]

DEATHS = [
    "after:nebula.vault.rederive:store_with_part:3",  # some are on storage, and nothing names them
    "before:nebula.vault.state:replace_record:5",  # in the middle of the transaction
    "after:nebula.vault.rederive:store:1",  # all of them wait, stored
    "after:nebula.vault.state:add_enrolments:1",  # split and not noted
    "before:nebula.vault.state:accept:2",  # the second keeper said yes, and nobody noted it
    "before:nebula.vault.state:move:2",  # on the ledger, and nobody noted it
]
IN_THE_GATE = (1, 5)


def _deaths() -> list[object]:
    marks = [() if number in IN_THE_GATE else pytest.mark.slow for number in range(len(DEATHS))]
    return [pytest.param(death, id=death, marks=mark) for death, mark in zip(DEATHS, marks, strict=True)]


def records(vault: Vault) -> list[Record]:
    with reading(vault.engine) as connection:
        return state.every_record(connection)


def newer(network: FaultyNetwork) -> Panel:
    return panel_in(network.folder, NEWER_PANEL)


def others(folder: Path) -> Network:
    return join(load_settings(folder / "vault"))


@pytest.mark.parametrize("die", _deaths())
def test_everyone_is_put_on_a_newer_panel_once_whoever_is_killed(network: FaultyNetwork, die: str) -> None:
    name, live = "rederive-" + die.replace(":", "-"), network.live_records()
    network.act("import", name, "POA")
    network.act("enrol", name)
    vault = open_vault(network.folder, name)
    policies = {one.record: one.policy for one in records(vault)}

    assert network.act("rederive", name, die=die) == {"registered": PEOPLE, "versions": [2]}

    assert network.live_records() == live + PEOPLE
    assert {one.record: one.policy for one in records(vault)} == policies
    ledger = others(network.folder).records
    for one in records(vault):
        manifest = manifest_of(vault.owner, one)
        assert is_on(manifest, newer(network))
        assert len(manifest.parts) == 4
        assert manifest_commitment(manifest).hex() == one.manifest_commitment[2:]
        assert ledger.slot(one.record).version == 2
    assert network.act("withdraw", name) == {"withdrawn": PEOPLE}
    assert network.live_records() == live


def test_a_consent_ends_at_every_stage_on_the_way_to_a_newer_panel(
    network: FaultyNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, live, on = "leaving", network.live_records(), others(network.folder)
    network.act("import", name, "POA")
    network.act("enrol", name)
    vault = open_vault(network.folder, name)
    rederive_donors(vault, newer(network))
    everyone = [one.record for one in records(vault)]
    stopped_at: dict[str, Stage] = {}

    def leave_at(stage: Stage, who: str) -> None:
        (found,) = [one for one in records(vault) if one.record == who]
        assert found.stage is stage
        withdraw(vault.engine, vault.owner, on, [who])
        stopped_at[who] = stage

    leave_at(Stage.STORED, everyone[0])
    stop_before(monkeypatch, "nebula.vault.enrol._send_all", lambda: enrol_all(vault.engine, vault.owner, on))
    leave_at(Stage.SPLIT, everyone[1])
    stop_before(monkeypatch, "nebula.vault.enrol._register_page", lambda: enrol_all(vault.engine, vault.owner, on))
    leave_at(Stage.ACCEPTED, everyone[2])
    enrol_all(vault.engine, vault.owner, on)
    leave_at(Stage.REGISTERED, everyone[3])

    slots = on.records.slots(everyone)
    assert [slot.is_live for slot in slots] == [False] * 4 + [True] * (PEOPLE - 4)
    assert {slot.version for slot in slots[4:]} == {2}
    assert network.live_records() == live + PEOPLE - 4
    assert network.act("withdraw", name) == {"withdrawn": PEOPLE}
    assert network.live_records() == live


def stop_before(monkeypatch: pytest.MonkeyPatch, what: str, act: Callable[[], None]) -> None:
    def stopped(*_arguments: object) -> None:
        raise UnavailableError("test.stopped", "no further")

    with monkeypatch.context() as patched:
        patched.setattr(what, stopped)
        with pytest.raises(UnavailableError, match="no further"):
            act()


def test_a_registration_that_never_was_and_may_be_on_its_way_is_outrun(
    network: FaultyNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, live, on = "never-was", network.live_records(), others(network.folder)
    network.act("import", name, "POA")
    vault = open_vault(network.folder, name)
    stop_before(monkeypatch, "nebula.vault.enrol._register_page", lambda: enrol_all(vault.engine, vault.owner, on))

    assert network.act("withdraw", name) == {"withdrawn": PEOPLE}

    assert {slot.version for slot in on.records.slots([one.record for one in records(vault)])} == {2}
    assert network.live_records() == live


def test_what_another_copy_of_the_vault_did_meanwhile_counts_and_what_was_prepared_here_is_given_up(
    network: FaultyNetwork, tmp_path: Path
) -> None:
    name, on = "two-copies", others(network.folder)
    network.act("import", name, "POA")
    network.act("enrol", name)
    vault = open_vault(network.folder, name)
    older = replace(vault, engine=copied(network.folder / "vaults" / name / "vault.sqlite", tmp_path / "older.sqlite"))
    network.act("rederive", name)
    there = {one.record: one for one in records(vault)}
    rederive_donors(older, newer(network))
    assert {one.stage for one in records(older)} == {Stage.STORED}

    catch_up_all(older.engine, older.owner, on, WAITING)

    assert {one.record: one for one in records(older)} == there
    enrol_all(older.engine, older.owner, on)
    assert network.act("withdraw", name) == {"withdrawn": PEOPLE}
    catch_up_all(older.engine, older.owner, on, (Stage.REGISTERED,))
    assert {one.stage for one in records(older)} == {Stage.WITHDRAWN}


def copied(database: Path, copy: Path) -> Engine:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return open_database(f"sqlite:///{copy}", tables.metadata, party="vault")


def test_studies_run_on_the_older_and_on_the_newer_panel_of_the_same_records(network: FaultyNetwork) -> None:
    before = run_study(network)

    assert network.act("rederive", "everyone")["registered"] == PEOPLE
    after = run_study(network)
    on_newer = run_study(network, panel=newer(network).panel_id)

    assert after.files["summary.json"] == before.files["summary.json"]
    assert dict(after.files) == dict(before.files)
    assert on_newer.files["summary.json"] != before.files["summary.json"]
