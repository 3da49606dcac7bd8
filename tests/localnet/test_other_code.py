"""A network made by another version of the program trusts other enclave code: its story cannot go on."""

from pathlib import Path

import pytest

from nebula.ledger.client import NetworkAddresses
from nebula.localnet.places import write
from nebula.localnet.plot import Plot
from nebula.localnet.settings_files import LocalNetwork
from nebula.localnet.story import Teller, tell_story
from nebula.localnet.supervisor import running
from nebula.protocol.errors import RejectedInputError

ADDRESS, HASH = "0x" + "11" * 20, "0x" + "22" * 32


def test_a_story_says_so_instead_of_waiting_for_keys_that_nobody_releases(tmp_path: Path) -> None:
    contracts = dict.fromkeys(("organizations", "records", "sessions", "studies", "token"), ADDRESS)
    network = LocalNetwork(
        addresses=NetworkAddresses(chain_id=1, deployed_block=0, **contracts),
        ledger_url="http://127.0.0.1:1",
        hub_url="http://127.0.0.1:1",
        hub=ADDRESS,
        buyer=ADDRESS,
        keepers=(),
        hardware_port=1,
        measurement=HASH,
        trust_root=HASH,
    )
    write(tmp_path / "network.json", network)
    told: list[str] = []

    with pytest.raises(RejectedInputError) as caught:
        tell_story(Plot(folder=tmp_path), Teller(told.append, told.append, lambda *_: None))

    assert caught.value.code == "demo.other-code"
    assert running(tmp_path) is None
    assert not told
