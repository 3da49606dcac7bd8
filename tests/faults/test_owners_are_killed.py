"""Owners' own acts, killed at their worst lines: nothing is lost, nothing doubled, nothing half-written left."""

import pytest

from faults.network import PEOPLE, FaultyNetwork
from faults.tripwire import Wire

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    "die",
    [
        "before:nebula.vault.import_:store_record:3",
        "after:nebula.vault.import_:store_record:3",
        "before:nebula.vault.state:add_records:1",
    ],
)
def test_an_import_killed_anywhere_is_gone_on_with_by_doing_it_again(network: FaultyNetwork, die: str) -> None:
    name = die.replace(":", "-")
    assert network.act("import", name, "POA", die=die) == {"stored": PEOPLE}
    assert network.act("import", name, "POA") == {"stored": PEOPLE}
    incoming = network.folder / "vaults" / name / "storage" / ".incoming"
    assert not list(incoming.glob("*"))


ENROLLING = [
    ("die", "after:nebula.vault.state:add_enrolments:1"),  # split and not noted
    ("die", "after:nebula.vault.state:move:1"),
    ("die", "before:nebula.vault.state:accept:2"),  # the second keeper said yes, and nobody noted it
    ("keeper-2", "keeper.enrol:before"),
    ("keeper-2", "keeper.enrol:after"),
    ("hub", "hub.relay:before"),
    ("hub", "hub.relay:after"),
    ("ledger", "put_many:before"),
    ("ledger", "put_many:after"),
]


IN_THE_GATE = (2, 4, 6, 8)


def _cases() -> list[object]:
    return [
        pytest.param(*case, id="-".join(case), marks=() if number in IN_THE_GATE else pytest.mark.slow)
        for number, case in enumerate(ENROLLING)
    ]


@pytest.mark.parametrize(("victim", "where"), _cases())
def test_an_enrolment_and_a_withdrawal_happen_once_whoever_is_killed(
    network: FaultyNetwork, victim: str, where: str
) -> None:
    name = f"{victim}-{where}".replace(":", "-")
    live = network.live_records()
    network.act("import", name, "POA")
    if victim == "die":
        assert network.act("enrol", name, die=where) == {"registered": PEOPLE}
    else:
        message, cut = where.rsplit(":", 1)
        door = "ledger" if message == "put_many" else victim
        network.wires.arm(Wire(door, message, cut), lambda: network.kill(victim))  # type: ignore[arg-type]
        assert network.act("enrol", name) == {"registered": PEOPLE}
        assert network.wires.sprung.is_set()
    network.up()
    assert network.live_records() == live + PEOPLE

    if victim in ("hub", "ledger"):
        withdrawing = Wire(victim, "hub.relay" if victim == "hub" else "withdraw", where.rsplit(":", 1)[1])  # type: ignore[arg-type]
        network.wires.arm(withdrawing, lambda: network.kill(victim))
    assert network.act("withdraw", name) == {"withdrawn": PEOPLE}
    network.up()
    assert network.live_records() == live
    network.check_money()
