"""An owner who lies about what their record has, so that it is drawn for studies that it is of no use to.

Keepers match by the owner's word; the manifest, which the ledger's commitment stands for, has the truth.
"""

from pathlib import Path

import msgspec
import pytest

from keeper.world import NOW, PANEL, fresh_hash
from keeper.world import World as KeeperWorld
from nebula.attestation.simulator.pki import DevelopmentPki
from nebula.database import reading
from nebula.enclave.release import Dropped
from nebula.keeper.budgets import spent_budgets
from nebula.protocol.record import ShareBundle
from nebula.protocol.study import ResultClass
from simulators.records import SimulatedOwner, enrol_owner, make_panel, plain_parts
from simulators.sgx import SgxHardware
from simulators.storage import MemoryStorage
from simulators.studies import World, make_world


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("nebula.enclave.keepers.PAUSE_SECONDS", 0.0)
    return make_world(MemoryStorage())


def saying(panel: str, bundle: ShareBundle) -> ShareBundle:
    """Say of all vectors that they are on another panel."""
    shares = [share if share.panel is None else msgspec.structs.replace(share, panel=panel) for share in bundle.shares]
    return msgspec.structs.replace(bundle, shares=tuple(shares))


def liar(world: World) -> SimulatedOwner:
    """Enrol an owner on a panel of 12 sites, who says that it is the study's."""
    other, height = make_panel(12), {"height": 180.0, "sex": "female"}
    owner = enrol_owner(100, plain_parts(other, world.dosage[:12, 0], height), world.storage)
    lying = tuple(saying(world.panel.panel_id, bundle) for bundle in owner.bundles)
    return SimulatedOwner(owner.keys, owner.record, owner.stored, lying)


def test_a_record_on_another_panel_than_its_owner_says_is_dropped_and_nobody_else_is_hurt(world: World) -> None:
    honest = world.run().head.signed.receipt
    for keeper in world.keepers:
        keeper.cohorts.clear()
    owner = liar(world)
    world.owners.append(owner)
    for keeper in world.keepers:
        keeper.enrol(world.owners)

    output = world.run()

    receipt = output.head.signed.receipt
    assert output.head.statement.dropped == {Dropped.UNREADABLE: 1}
    assert (receipt.record_count, receipt.result_digest) == (honest.record_count, honest.result_digest)
    assert len(output.payouts) == honest.record_count, "a lie is not paid"


def test_a_lie_is_paid_for_with_ones_own_privacy_budget(tmp_path: Path) -> None:
    """A record that is drawn and then dropped has paid; one whose owner says the truth is not drawn, and has not."""
    hardware = SgxHardware(DevelopmentPki.create(tmp_path / "pki", at=NOW), at=NOW)
    keeper = KeeperWorld(f"sqlite:///{tmp_path}/keeper.db", hardware)
    honest, lying = keeper.owner(panels=(fresh_hash(),)), keeper.owner(panels=(PANEL,))
    study = keeper.study(result_class=ResultClass.NOISED, privacy_micro_rho=100)
    answer = keeper.release(keeper.session(study), honest.record, lying.record)
    assert [released.record for released in answer.released] == [lying.record]
    with reading(keeper.engine) as connection:
        assert spent_budgets(connection) == {lying.record: 100}
    keeper.engine.dispose()
