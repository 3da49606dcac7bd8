"""A newcomer's way, command by command: from a fresh network to an audited result, a payout and a restored vault.

The commands are those of the tutorial, typed as it has them.
"""

import gzip
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nebula.localnet.places import ports
from nebula.localnet.supervisor import running, states

PEOPLE = 110
RECEIVER = "0x00000000000000000000000000000000000000aa"
SUMMARY = "We look for variants that act on body height, for research on health."

pytestmark = pytest.mark.xdist_group("commands")


@dataclass
class Terminal:
    """Where the newcomer types."""

    folder: Path
    told: dict[str, Any] = field(default_factory=dict)

    def type(self, command: str, *, stdin: str = "", status: int = 0) -> subprocess.CompletedProcess[str]:
        """Type a command, and make sure of its exit status."""
        environment = os.environ | {"NEBULA_PASS_PHRASE_FILE": str(self.folder / "pass-phrase"), "NO_COLOR": "1"}
        finished = subprocess.run(
            [sys.executable, "-m", "nebula.cli", *shlex.split(command)],
            cwd=self.folder,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert finished.returncode == status, f"{command}\n{finished.stdout}\n{finished.stderr}"
        return finished

    def ask(self, command: str, *, stdin: str = "", status: int = 0) -> Any:
        """Type a command and return its JSON."""
        return msgspec.json.decode(self.type(f"{command} --json", stdin=stdin, status=status).stdout)


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    one = Terminal(tmp_path_factory.mktemp("commands"))
    (one.folder / "pass-phrase").write_text("correct horse battery\n")
    try:
        one.type("up")
        yield one
    finally:
        one.type("down")


@pytest.fixture(scope="module")
def enrolled(terminal: Terminal) -> Terminal:
    """A biobank's donors, and me."""
    terminal.type(f"population make people --people {PEOPLE}")
    terminal.type("vault init --vault biobank --json")
    terminal.told["cohort"] = terminal.ask(
        "custodian import people/cohort.vcf.gz --phenotypes people/traits.tsv --new-panel made-up --vault biobank --yes"
    )
    terminal.told["panel"] = terminal.ask("panel publish made-up")
    terminal.told["words"] = terminal.ask("vault init")["words"]
    terminal.told["me"] = terminal.ask(
        "record import people/me_23andme.txt --phenotypes people/me_traits.tsv --label me --yes"
    )
    return terminal


@pytest.fixture(scope="module")
def settled(enrolled: Terminal) -> Terminal:
    """A study that has run, with one donor refusing and one withdrawn."""
    enrolled.type("consent edit P00001 --permission poa --vault biobank --yes")
    enrolled.type("consent withdraw P00002 --vault biobank --direct --yes")
    study = enrolled.ask(
        f"study publish --title 'Which variants act on height?' --summary '{SUMMARY}' --trait height --pcs 2"
    )
    enrolled.told["study"] = study
    enrolled.told["fund"] = enrolled.ask(f"study fund {study['study'][:12]} --yes")
    enrolled.told["run"] = enrolled.ask(f"study run {study['study'][:12]} --follow")
    enrolled.told["result"] = enrolled.ask(f"study result {study['study'][:12]}")
    return enrolled


def test_everyone_is_on_the_ledger_and_importing_again_changes_nothing(enrolled: Terminal) -> None:
    assert enrolled.told["cohort"]["stages"] == {"registered": PEOPLE}
    assert enrolled.told["me"]["stage"] == "registered"
    again = enrolled.ask("custodian import people/cohort.vcf.gz --vault biobank --yes")
    assert (again["new"], again["known"]) == (0, PEOPLE)


def test_the_buyer_sees_counts_and_price_before_paying(settled: Terminal) -> None:
    study = settled.told["study"]

    assert study["matching"] == "100 or more"
    # Keepers count who withdrew until they forget them, which may be before the study or after it.
    withdrawn = {"withdrawn": "fewer than 100"}
    assert study["refused"] | withdrawn == {"purpose": "fewer than 100"} | withdrawn
    assert study["escrow_wei"] == str((1000 * 2 + 50) * 10**18)
    assert settled.told["run"]["state"] == "paid"


def test_the_result_is_files_and_plots_and_passes_the_audit_without_options(settled: Terminal) -> None:
    files = {name: settled.folder / path for name, path in settled.told["result"]["files"].items()}

    assert settled.told["result"]["records"] == PEOPLE - 2 + 1
    assert files["associations.tsv"].read_text().startswith("chromosome")
    assert files["manhattan_png"].read_bytes().startswith(b"\x89PNG")
    audit = settled.ask(f"audit run {files['run.json']} --result {files['result.json']}")
    assert [check for check in audit["checks"] if not check["passed"]] == []
    assert settled.ask("audit network")["checks"]


def test_a_changed_run_file_fails_the_audit(settled: Terminal) -> None:
    run = settled.folder / settled.told["result"]["files"]["run.json"]
    forged = settled.folder / "forged.json"
    forged.write_bytes(run.read_bytes().replace(b'"record_count":109', b'"record_count":108'))

    assert "FAIL" in settled.type("audit run forged.json", status=5).stdout


def test_a_simulated_run_fails_without_a_trust_root_and_says_which_option_is_missing(settled: Terminal) -> None:
    network = settled.folder / "nebula-network"
    ledger = f"http://127.0.0.1:{ports(network)['ledger']}"
    run = settled.told["result"]["files"]["run.json"]
    command = f"audit run {run} --ledger {ledger} --contracts nebula-network/contracts.json --dir elsewhere"

    bare = settled.type(command, status=5)
    rooted = settled.type(f"{command} --trust-root nebula-network/hardware/root.der")

    assert "simulated" in bare.stderr
    assert "--trust-root FILE" in bare.stderr
    assert "FAIL" in bare.stdout
    assert "FAIL" not in rooted.stdout


def test_every_party_to_it_is_told_why(settled: Terminal) -> None:
    shown = settled.ask("record show me")
    assert [one["released"] for keeper in shown["keepers"] for one in keeper["decisions"]] == [True] * 3
    assert {part["kind"] for part in shown["parts"]} == {"genotypes", "variants", "phenotypes", "original"}
    assert "ancestry only" in settled.type("consent show P00001 --vault biobank").stdout
    assert "withdrawn" in settled.type("record list --vault biobank").stdout


def test_i_was_paid_and_move_it_where_i_like_once(settled: Terminal) -> None:
    (earned,) = settled.ask("payout list")["payouts"]
    assert (earned["label"], earned["paid"], earned["amount_wei"]) == ("me", True, str(2 * 10**18))

    moved = settled.ask(f"payout claim --to {RECEIVER} --yes")
    again = settled.ask(f"payout claim --to {RECEIVER} --yes")

    assert (moved["paid_before"], moved["claimed"], moved["moved"]) == (1, 0, 1)
    assert (again["claimed"], again["moved"]) == (0, 0)
    assert settled.ask("payout list")["payouts"][0]["held_wei"] == "0"


def test_twenty_four_words_bring_everything_back(settled: Terminal) -> None:
    words = " ".join(settled.told["words"])
    settled.type("consent edit me --price-floor 3 --yes")

    back = settled.ask("vault restore --vault new-machine", stdin=words)

    assert back == {"restored": 1, "known": 0, "withdrawn": 0}
    assert settled.ask("consent show me --vault new-machine")["policy"]["price_floor_wei"] == str(3 * 10**18)
    (earned,) = settled.ask("payout list --vault new-machine")["payouts"]
    assert earned["label"] == "me"
    assert settled.ask("vault restore --vault new-machine", stdin=words)["known"] == 1
    settled.type("consent edit me --price-floor 1 --vault new-machine --yes")
    assert settled.ask("consent show me")["version"] == 3, "the old machine reads what the new one changed"


def test_a_donor_who_wants_to_be_asked_is_asked(settled: Terminal) -> None:
    settled.type("consent edit P00005 --ask --vault biobank --yes")
    study = settled.ask(f"study publish --title 'Asking first' --summary '{SUMMARY}' --trait height --pcs 1")["study"]

    shown = settled.type("record show P00005 --vault biobank")
    assert "approval: Asking first" in shown.stdout
    assert f"`nebula consent approve P00005 {study[:12]} --vault biobank`" in shown.stderr.replace("\n", "")
    approved = settled.ask(f"consent approve P00005 {study[:14]} --vault biobank --yes")

    assert approved["study"] == study
    assert "approval: Asking first" not in settled.type("record show P00005 --vault biobank").stdout


def test_an_escrow_comes_back_only_after_the_deadline(settled: Terminal) -> None:
    said = settled.type(f"study refund {settled.told['study']['study'][:12]}", status=3)

    assert "is settled" in said.stderr


def test_with_two_keepers_down_nothing_is_lost_and_doing_it_again_goes_on(settled: Terminal) -> None:
    folder = settled.folder / "nebula-network"
    pids = {one.name: one.pid for one in states(folder)}
    supervisor = running(folder)
    assert supervisor is not None
    stopped = [supervisor, pids["keeper-2"], pids["keeper-3"]]  # the supervisor would start them again
    command = "record import people/me_23andme.txt --label 'me too' --yes --confirm-identity"
    try:
        for pid in stopped[:1]:
            os.kill(pid, signal.SIGSTOP)
        for pid in stopped[1:]:
            os.kill(pid, signal.SIGKILL)
        said = settled.type(command, status=4)
        assert "nebula: hint:" in said.stderr
    finally:
        os.kill(supervisor, signal.SIGCONT)
    settled.type("up")

    assert settled.ask(command)["stage"] == "registered"


def test_panels_stand_on_the_ledger_and_a_record_is_put_on_a_newer_one_without_its_file(settled: Terminal) -> None:
    """Every other site of the older panel, as a list; my record comes from the file that the vault kept."""
    sites = settled.folder / "sites.tsv"
    rows = [
        line.split("\t")[:5]
        for line in gzip.decompress((settled.folder / "people/cohort.vcf.gz").read_bytes()).decode().splitlines()
        if line[0] != "#"
    ]
    sites.write_text("chrom\tpos\tref\talt\n" + "".join(f"{c}\t{p}\t{r}\t{a}\n" for c, p, _, r, a in rows[::2]))
    (built,) = settled.ask("panel build sites.tsv --name newer --assembly GRCh38")["panels"]
    assert (built["sites"], built["published"]) == (len(rows[::2]), False)
    assert settled.ask("panel publish newer")["panel"] == built["panel"]
    listed = settled.ask("panel list")["panels"]
    assert {one["name"]: one["published"] for one in listed} == {"made-up": True, "newer": True}

    before = settled.ask("consent show me")
    (settled.folder / "people/me_23andme.txt").rename(settled.folder / "people/moved.txt")
    moved = settled.ask("record rederive me --panel newer")

    assert (moved["stage"], moved["version"], moved["call_rate"]) == ("registered", before["version"] + 1, 1.0)
    assert settled.ask("record rederive me --panel newer")["call_rate"] is None
    assert settled.ask("consent show me")["policy"] == before["policy"]
    parts = [(part["kind"], part["panel"]) for part in settled.ask("record show me")["parts"]]
    assert parts.count(("genotypes", built["panel"])) == 1
    assert len(parts) == 5
    unasked = settled.type("custodian rederive --panel newer --vault biobank", status=2)
    assert f"{PEOPLE - 1} records would have 100.0% at least" in unasked.stderr.replace("\n", " ")
    donors = settled.ask("custodian rederive --panel newer --vault biobank --yes")
    assert (donors["new"], donors["known"], donors["lowest"]) == (PEOPLE - 1, 0, 1.0)
    assert donors["stages"] == {"registered": PEOPLE - 1, "withdrawn": 1}


def test_a_study_draws_from_the_records_of_its_panel_though_more_of_others_consent(settled: Terminal) -> None:
    """A clinic's 40 donors stand on a panel of their own beside a biobank's 110; a study that pays for 30 takes 30."""
    settled.type("population make patients --people 40 --seed 7")
    settled.type("vault init --vault clinic --json")
    files = "patients/cohort.vcf.gz --phenotypes patients/traits.tsv"
    settled.type(f"custodian import {files} --new-panel clinic --vault clinic --yes")
    settled.type("panel publish clinic")

    study = settled.ask(
        f"study publish --title 'Of the clinic' --summary '{SUMMARY}' --trait height --pcs 0 --panel clinic"
        " --min-records 30 --max-records 30"
    )
    settled.type(f"study fund {study['study'][:12]} --yes")
    settled.type(f"study run {study['study'][:12]} --follow")

    assert (study["matching"], study["refused"]["no-part"]) == ("fewer than 100", "100 or more")
    assert settled.ask(f"study result {study['study'][:12]}")["records"] == 30
