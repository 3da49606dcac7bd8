"""A keeper as its own process: started from a settings file, killed, started again, told to stop."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from keeper.world import World
from ledger.ledgers import free_port
from nebula.keeper.settings import appraisal_policy, parse_settings, trust_roots
from nebula.keeper.state import open_state
from nebula.protocol.errors import RejectedInputError, UnavailableError
from nebula.protocol.messages import ENROL, EnrolAnswer, EnrolRequest
from nebula.transport.client import Carrier, Peer
from nebula.transport.keyfiles import save_key
from simulators.sgx import SgxHardware

ADDRESS = "0x" + "0a" * 20
PROGRAM = "import sys; from pathlib import Path; from nebula.keeper.app import serve; serve(Path(sys.argv[1]))"


def write_settings(folder: Path, world: World, **changes: object) -> Path:
    save_key(folder / "signing.key", world.signing.secret)
    save_key(folder / "sealing.key", world.sealing.secret)
    (folder / "root.der").write_bytes(world.hardware.pki.trust_root.certificate_der)
    settings = {
        "port": free_port(),
        "ledger_url": "http://127.0.0.1:9",
        "network": {
            "chain_id": 20017,
            **dict.fromkeys(("organizations", "token", "records", "sessions", "studies", "panels"), ADDRESS),
            "deployed_block": 0,
        },
        "hub": ADDRESS,
        "database_url": f"sqlite:///{folder}/keeper.db",
        "signing_key_file": "signing.key",
        "sealing_key_file": "sealing.key",
        "collateral_url": "http://127.0.0.1:9",
        "trust_root_files": ["root.der"],
        "production": False,
        "measurements": [world.hardware.measurement],
        **changes,
    }
    path = folder / "settings.json"
    path.write_text(json.dumps(settings))
    return path


@pytest.fixture
def world(tmp_path: Path, hardware: SgxHardware) -> World:
    return World(f"sqlite:///{tmp_path}/unused.db", hardware)


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    found = Carrier()
    yield found
    found.close()


def start(settings: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(settings)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "answers at http://127.0.0.1" in process.stderr.readline()
    return process


def test_what_was_accepted_survives_kill_nine_and_a_stop_is_clean(
    tmp_path: Path, world: World, carrier: Carrier
) -> None:
    settings = write_settings(tmp_path, world)
    url = f"http://127.0.0.1:{parse_settings(settings.read_bytes()).port}"
    owner = world.stranger()
    request = EnrolRequest(enrolments=(owner.enrolment,))
    peer = Peer(url, world.keeper.address, key=owner.key.secret, carrier=carrier)

    process = start(settings)
    first = peer.ask(ENROL, request, EnrolAnswer)
    process.kill()
    process.wait(10)

    process = start(settings)
    identity = carrier.identity(url)
    assert (identity.address, identity.key) == (world.keeper.address, world.sealing.public_key)
    assert peer.ask(ENROL, request, EnrolAnswer) == first
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    assert process.stderr is not None
    said = process.stderr.read()
    assert owner.record not in said
    process.stderr.close()


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    from sqlalchemy import text

    from nebula.database import writing

    url = f"sqlite:///{tmp_path}/keeper.db"
    with writing(open_state(url)) as connection:
        connection.execute(text("UPDATE schema_version SET version = 9"))
    with pytest.raises(RejectedInputError, match="schema 9"):
        open_state(url)


@pytest.mark.parametrize(
    "change",
    [{"surprise": 1}, {"port": 70_000}, {"hub": "0xABC"}, {"confirmations": -1}, {"tcb_statuses": ["Fine"]}],
)
def test_settings_that_are_not_understood_are_refused(tmp_path: Path, world: World, change: dict[str, object]) -> None:
    with pytest.raises(RejectedInputError, match="not a valid keeper settings"):
        parse_settings(write_settings(tmp_path, world, **change).read_bytes())


def test_settings_in_production_refuse_simulated_hardware_unless_said_otherwise(tmp_path: Path, world: World) -> None:
    raw = msgspec.json.decode(write_settings(tmp_path, world).read_bytes())
    del raw["production"]
    settings = parse_settings(msgspec.json.encode(raw))
    assert appraisal_policy(settings, trust_roots(settings, tmp_path)).production


def test_a_missing_trust_root_is_named(tmp_path: Path, world: World) -> None:
    settings = parse_settings(write_settings(tmp_path, world, trust_root_files=["lost.der"]).read_bytes())
    with pytest.raises(UnavailableError, match=r"lost\.der cannot be read"):
        trust_roots(settings, tmp_path)
