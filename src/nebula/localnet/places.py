"""What lies where below a network's folder, and what is there before anything runs: keys, ports, a genesis."""

import socket
from pathlib import Path

import msgspec

from nebula.files import replace_file
from nebula.ledger.genesis import Genesis
from nebula.protocol.keys import SigningKey
from nebula.protocol.sealing import SealingKey
from nebula.protocol.wire import to_canonical
from nebula.transport.keyfiles import load_key, save_key

KEEPERS = tuple(f"keeper-{number}" for number in (1, 2, 3))
SIGNERS = ("deployer", "governor", "desk", "hub", "host", "buyer", "wallet", *KEEPERS)
LISTENERS = ("ledger", "hub", "hardware", *KEEPERS)
LOCAL = "127.0.0.1"
ETHER_WEI = 10**18


def prepare(folder: Path) -> None:
    """Lay out what the ledger and the hardware need to start; what is there stays as it is."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    holders = [signing_key(folder, name).address for name in SIGNERS]
    if not (folder / "genesis.json").exists():
        write(folder / "genesis.json", Genesis(balances={holder: str(1_000_000 * ETHER_WEI) for holder in holders}))
    if not (folder / "ports.json").exists():
        write(folder / "ports.json", _free_ports())


def is_made(folder: Path) -> bool:
    """Whether a network was made here to its end."""
    return (folder / "network.json").exists()


def ports(folder: Path) -> dict[str, int]:
    """The parties' ports, chosen once and kept: a restarted network answers where it did."""
    return msgspec.json.decode((folder / "ports.json").read_bytes(), type=dict[str, int])


def signing_file(folder: Path, name: str) -> str:
    """Where a party's signing key is; it is made when it is asked for first."""
    path = folder.absolute() / "keys" / f"{name}.signing"
    if not path.exists():
        save_key(path, SigningKey.generate().secret)
    return str(path)


def signing_key(folder: Path, name: str) -> SigningKey:
    """A party's signing key."""
    return SigningKey.from_secret(load_key(Path(signing_file(folder, name))))


def sealing_file(folder: Path, name: str) -> str:
    """Where the key is that a party is sealed to; it is made when it is asked for first."""
    path = folder.absolute() / "keys" / f"{name}.sealing"
    if not path.exists():
        save_key(path, SealingKey.generate().secret)
    return str(path)


def sealing_key(folder: Path, name: str) -> SealingKey:
    """The key that a party is sealed to."""
    return SealingKey.from_secret(load_key(Path(sealing_file(folder, name))))


def write(path: Path, document: object) -> None:
    """Write a document whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, to_canonical(document))


def _free_ports() -> dict[str, int]:
    probes = [socket.create_server((LOCAL, 0)) for _ in LISTENERS]
    chosen = {name: int(probe.getsockname()[1]) for name, probe in zip(LISTENERS, probes, strict=True)}
    for probe in probes:
        probe.close()
    return chosen
