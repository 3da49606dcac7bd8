"""A command line as a person has it, and a vault whose network is away."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from nebula.cli.app import main
from nebula.localnet.bgzf import compress
from nebula.localnet.consumer_file import among
from nebula.localnet.population import make_population, to_vcf
from nebula.protocol.keys import generate_mnemonic
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.wire import to_canonical
from nebula.storage.panels import PanelShelf
from nebula.vault.reading import read_panel
from nebula.vault.seed import save_seed
from nebula.vault.settings import KeeperEntry, VaultSettings

PASS_PHRASE = "correct horse battery"  # a test's own
AWAY = "http://127.0.0.1:9"
COHORT = make_population(8, variants=300, seed=5)
ONE = among(COHORT, [0])


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call the command line's entry point, without a terminal."""

    class NoTerminal:
        def isatty(self) -> bool:
            return False

        def readline(self) -> str:
            return ""

    monkeypatch.setattr(sys, "stdin", NoTerminal())

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        status = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
        captured = capsys.readouterr()
        return Said(status, captured.out, captured.err)

    return call


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A cohort's file."""
    file = tmp_path / "people.vcf.gz"
    file.write_bytes(compress(to_vcf(COHORT)))
    return file


@pytest.fixture
def me(tmp_path: Path) -> Path:
    """One person's file."""
    file = tmp_path / "me.vcf.gz"
    file.write_bytes(compress(to_vcf(ONE)))
    return file


@pytest.fixture
def offline(tmp_path: Path, people: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network's folder with a vault in it and one panel; ledger, hub and keepers do not answer."""
    folder = tmp_path / "network"
    vault = folder / "vault"
    save_seed(vault, generate_mnemonic(), SecretBytes(PASS_PHRASE.encode()))
    keepers = tuple(KeeperEntry(url=AWAY, address="0x" + f"{n:02x}" * 20, key=bytes([9] * 31 + [n])) for n in (1, 2, 3))
    settings = VaultSettings(
        chain_id=1,
        ledger_url=AWAY,
        records_contract="0x" + "aa" * 20,
        studies_contract="0x" + "bb" * 20,
        hub_url=AWAY,
        hub_address="0x" + "cc" * 20,
        keepers=keepers,
        threshold=2,
        storage_url=(folder / "storage").as_uri(),
        panels_url=(folder / "panels").as_uri(),
        trust_roots=("0x" + "07" * 32,),
    )
    (vault / "settings.json").write_bytes(to_canonical(settings))
    PanelShelf(settings.panels_url or "").put(read_panel(people, name="test", assembly="GRCh38"))
    (tmp_path / "pass-phrase").write_text(PASS_PHRASE + "\n")
    monkeypatch.setenv("NEBULA_DIR", str(folder))
    monkeypatch.setenv("NEBULA_PASS_PHRASE_FILE", str(tmp_path / "pass-phrase"))
    return folder


def objects(folder: Path) -> list[Path]:
    """Return every file on the vault's storage."""
    return [path for path in (folder / "storage").rglob("*") if path.is_file()]
