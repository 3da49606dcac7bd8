"""One small network of real processes, every one of them behind a door, and what may never differ about a run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import create_engine, func, select

from faults import acts
from faults.acts import ACTS, PANEL, TRAIT, make_files, panel_in
from faults.tripwire import Tripwires
from nebula.attestation.roots import TrustRoot
from nebula.attestation.simulator.bundle import measure_installed_bundle
from nebula.audit import audit_run
from nebula.buyer import Buyer
from nebula.buyer.settings import load_settings as load_buyer
from nebula.keeper import tables as keeper_tables
from nebula.ledger.client import LedgerClient, Network, records
from nebula.ledger.client.studies import StudyState
from nebula.localnet.processes import begin, wait_for
from nebula.localnet.settings_files import LocalNetwork, load_network
from nebula.localnet.setup import make_network
from nebula.localnet.supervisor import running, states, stop
from nebula.protocol.duo import Purpose
from nebula.protocol.errors import UnavailableError
from nebula.protocol.money import TOKEN_WEI
from nebula.protocol.receipt import PublicRun, parse_public_run
from nebula.protocol.record import Dealing
from nebula.protocol.result import ResultBundle
from nebula.protocol.sealing import SealingKey
from nebula.protocol.study import PartKind, PurposeTerms, ResultClass, StudyDocument
from nebula.protocol.wire import parser, to_canonical
from nebula.transport.keyfiles import load_key

PEOPLE, VARIANTS = 24, 300
PRICE_WEI, FEE_WEI = 2 * TOKEN_WEI, 5 * TOKEN_WEI
WAIT_SECONDS = 240
MOST_DEATHS = 1
"""So many processes die in a study."""

TRIES = 12
PROCESSES = ("ledger", "hardware", "keeper-1", "keeper-2", "keeper-3", "hub", "host")
_parse_result = parser(ResultBundle, max_bytes=1 << 30)


class _KilledError(Exception):
    """The act was killed."""


@dataclass
class FaultyNetwork:
    """The network, and the hand that kills."""

    folder: Path
    local: LocalNetwork
    wires: Tripwires
    ledger: Network
    apart: bool = False
    _studies: int = 0
    _act: subprocess.Popen[str] | None = None
    paid_out: list[str] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path) -> "FaultyNetwork":
        begin(folder)
        local = load_network(folder) or make_network(folder, measure_installed_bundle())
        network = cls(folder, local, Tripwires(), Network(LedgerClient(local.ledger_url), local.addresses))
        urls = {"ledger": local.ledger_url, "hub": local.hub_url}
        urls |= {f"keeper-{number}": keeper.url for number, keeper in enumerate(local.keepers, start=1)}
        urls["hardware"] = f"http://127.0.0.1:{local.hardware_port}"
        doors = {url: network.wires.open_door(party, int(url.rpartition(":")[2])) for party, url in urls.items()}
        for settings in folder.glob("*/settings.json"):
            text = settings.read_text()
            for url, door in doors.items():
                text = text.replace(f'"{url}"', f'"{door}"')
            settings.write_text(text)
        for party in ("hub", "host", *(f"keeper-{number}" for number in (1, 2, 3))):
            network.kill(party)  # those that had started may know others by their own addresses
        make_files(folder, PEOPLE, VARIANTS)
        return network

    # Processes

    def up(self) -> None:
        begin(self.folder)
        self.await_that(lambda: len(self._living()) == len(PROCESSES), "every process")
        wait_for(self.folder, self.local.party_urls)

    def down(self) -> None:
        stop(self.folder)

    def kill(self, name: str) -> None:
        """Kill a process outright, and return when it is dead."""
        for pid in self._pids(name):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            while _is_alive(pid):
                time.sleep(0.001)

    def kill_everything(self) -> None:
        """Kill the supervisor and all of its processes at once, and return when they are dead."""
        supervisor, pids = running(self.folder), [one.pid for one in states(self.folder)]
        everyone = [*([supervisor] if supervisor else []), *pids]
        for pid in everyone:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.await_deaths(everyone)

    def kill_supervisor(self) -> list[int]:
        """Kill the supervisor alone; returns the processes that it had."""
        supervisor, pids = running(self.folder), [one.pid for one in states(self.folder)]
        assert supervisor is not None
        os.kill(supervisor, signal.SIGKILL)
        return pids

    def await_deaths(self, pids: Sequence[int]) -> None:
        self.await_that(lambda: not any(map(_is_alive, pids)), "the end of every process")

    def await_that(self, holds: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"{what} did not come"
            time.sleep(0.02)

    def _pids(self, name: str) -> list[int]:
        if name in ("vault", "buyer"):
            return [self._act.pid] if self._act is not None else []
        pids = {one.name: one.pid for one in states(self.folder)}
        if name != "worker":
            return [pids[name]] if name in pids else []
        return [int(pid) for pid in _children(pids["host"])]

    def _living(self) -> list[str]:
        return [one.name for one in states(self.folder) if _is_alive(one.pid)]

    # Acts

    def act(self, *words: str, die: str | None = None) -> Any:
        """Do what a user does, and again after being killed or told that something is away, until it is done.

        In a process of its own where that is to be killed, which costs its start.
        """
        for attempt in range(TRIES):
            try:
                if die is None and not self.apart:
                    return ACTS[words[0]](self.folder, *words[1:])
                return self._act_apart(*words, *(["--die", die] if die and attempt == 0 else []))
            except UnavailableError:
                self.up()
            except _KilledError:
                continue
        raise AssertionError(f"{words} was not done in {TRIES} tries")

    def _act_apart(self, *words: str) -> Any:
        command = [sys.executable, acts.__file__, str(self.folder), *words]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
        self._act = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        told, wrong = self._act.communicate(timeout=300)
        code, self._act = self._act.returncode, None
        if code == -signal.SIGKILL:
            raise _KilledError
        last = (wrong.strip().splitlines() or [""])[-1]
        if "UnavailableError" in last:
            raise UnavailableError("act.away", last)
        assert code == 0, wrong
        return json.loads(told)

    # Studies

    def write_study(self, *, noised: bool = False, seconds: float = 3600, **changes: Any) -> StudyDocument:
        self._studies += 1
        folder, local = self.folder, self.local
        buyer = load_buyer(folder / "buyer" / "settings.json")
        result_key = SealingKey.from_secret(load_key(folder / "buyer" / buyer.sealing_key_file)).public_key
        gwas = {"trait": TRAIT, "pcs": 0, "seed": 1}
        terms: dict[str, Any] = {
            "chain_id": local.addresses.chain_id,
            "buyer": local.buyer,
            "operator": local.hub,
            "result_key": result_key,
            "title": f"Study {self._studies}",
            "summary": "What happens to a study when processes die.",
            "purpose": PurposeTerms(purposes=(Purpose.HEALTH,)),
            "analysis": "allele-frequency@1" if noised else "gwas-linear@1",
            "parameters": {} if noised else gwas,
            "parts": (PartKind.GENOTYPES,) if noised else (PartKind.GENOTYPES, PartKind.PHENOTYPES),
            "panel": panel_in(folder, PANEL).panel_id,
            "result_class": ResultClass.NOISED if noised else ResultClass.HITS,
            "privacy_micro_rho": 5_000 if noised else 0,
            "price_per_record_wei": str(PRICE_WEI),
            "fee_wei": str(FEE_WEI),
            "min_records": 12,
            "max_records": 2 * PEOPLE,
            "deadline": int((datetime.now(UTC) + timedelta(seconds=seconds)).timestamp()),
            "keepers": tuple(keeper.address for keeper in local.keepers),
            "keeper_threshold": 2,
            "measurement": local.measurement,
            "trust_root": local.trust_root,
        }
        study = StudyDocument(**terms | changes)
        (folder / self.file(study)).write_bytes(to_canonical(study))
        return study

    def buyer(self) -> Buyer:
        return Buyer(load_buyer(self.folder / "buyer" / "settings.json"), self.folder / "buyer")

    @staticmethod
    def file(study: StudyDocument) -> str:
        return f"{study.title.replace(' ', '-')}.json"

    def stand(self, run: str) -> tuple[str, str | None]:
        """Where a run stands, asked of the hub itself."""
        try:
            answer = httpx2.get(f"{self.local.hub_url}/v1/runs/{run}", timeout=10, trust_env=False).json()
        except httpx2.HTTPError:
            return "", None
        return answer.get("state", ""), answer.get("detail")

    def await_detail(self, run: str, words: str) -> None:
        """Wait until the hub tells why a run waits."""
        self.await_that(lambda: words in (self.stand(run)[1] or ""), f"'{words}' of run {run}")

    def await_state(self, run: str, *wanted: str) -> str | None:
        last: list[tuple[str, str | None]] = [("", None)]

        def reached() -> bool:
            last[0] = self.stand(run)
            assert last[0][0] in wanted or last[0][0] not in ("failed", "refunded"), last[0]
            return last[0][0] in wanted

        self.await_that(reached, f"{wanted} of run {run}, which stands at {last}")
        return last[0][1]

    def public_run(self, run: str) -> PublicRun:
        url = f"{self.local.hub_url}/v1/runs/{run}/public"
        return parse_public_run(httpx2.get(url, timeout=30, trust_env=False).content)

    # What may never differ

    def balances(self) -> dict[str, int]:
        token = self.ledger.token
        wei = {
            "supply": token.supply_wei(),
            "buyer": token.balance_wei(self.local.buyer),
            "hub": token.balance_wei(self.local.hub),
            "escrows": token.balance_wei(self.local.addresses.studies),
        }
        paid = [token.balances_wei(self.paid_out[at : at + 400]) for at in range(0, len(self.paid_out), 400)]
        return wei | {"owners": sum(map(sum, paid))}

    def check_paid(self, study: StudyDocument, public: PublicRun, before: dict[str, int], people: int) -> None:
        """A study over so many people was settled, paid and noted exactly once."""
        receipt, owners_wei = public.signed.receipt, people * PRICE_WEI
        assert (receipt.record_count, int(receipt.amount_wei)) == (people, owners_wei)
        assert self.ledger.studies.state_of(receipt.study) is StudyState.SETTLED
        assert self.ledger.studies.escrow_wei(receipt.study) == 0
        assert self.balances() == {
            "supply": before["supply"],
            "buyer": before["buyer"] - owners_wei - FEE_WEI,
            "hub": before["hub"] + FEE_WEI,
            "escrows": before["escrows"],
            "owners": before["owners"] + owners_wei,
        }
        self.check_money()
        dealing = Dealing(keepers=len(study.keepers), threshold=study.keeper_threshold)
        paid = 0
        for number in range(1, len(self.local.keepers) + 1):
            spent, drawing = self.uses(number, receipt.run), self.drawing_sessions(number, receipt.run)
            # A session that was killed after it confirmed may have shown its noise to its host: the next one pays anew.
            assert drawing <= 1 + MOST_DEATHS, spent
            everyone = [(dealing.charge(study.privacy_micro_rho) * max(1, drawing), people)]
            assert spent in (everyone, []), spent
            paid += bool(spent)
        assert paid >= study.keeper_threshold

    def check_money(self) -> None:
        found = self.balances()
        assert found["supply"] == found["buyer"] + found["hub"] + found["escrows"] + found["owners"]

    def live_records(self) -> int:
        """How many records the ledger has; none was ever registered twice without a withdrawal in between."""
        client, addresses = self.ledger.client, self.local.addresses
        logs = client.logs([addresses.records], first=addresses.deployed_block, last=client.head().number)
        live: set[str] = set()
        for event in (found.event for found in map(records.EVENTS.decode, logs) if found is not None):
            assert not isinstance(event, records.Refused), event
            if isinstance(event, records.Registered):
                assert event.record not in live, event
                live.add(event.record)
            elif isinstance(event, records.Updated):
                assert event.record in live, event
            elif isinstance(event, records.Withdrawn):
                live.discard(event.record)
        return len(live)

    def drawing_sessions(self, keeper: int, run: str) -> int:
        """How many sessions of a run may hold a draw of noise, by a keeper's book."""
        draws = keeper_tables.draws
        asked = select(func.count(draws.c.session.distinct())).where(draws.c.run == run)
        with create_engine(f"sqlite:///{self.folder}/keeper-{keeper}/keeper-{keeper}.sqlite").connect() as connection:
            return int(connection.scalar(asked) or 0)

    def uses(self, keeper: int, run: str) -> list[tuple[int, int]]:
        """What a keeper's book of budgets says of a run: how much was spent, for how many records."""
        table = keeper_tables.uses
        asked = select(table.c.micro_rho, func.count()).where(table.c.run == run).group_by(table.c.micro_rho)
        with create_engine(f"sqlite:///{self.folder}/keeper-{keeper}/keeper-{keeper}.sqlite").connect() as connection:
            return [(int(rho), int(count)) for rho, count in connection.execute(asked)]

    def budgets_are_consistent(self) -> bool:
        """Whether every keeper's budgets are exactly the sums of the uses it noted."""
        budgets, uses = keeper_tables.budgets, keeper_tables.uses
        spent = select(uses.c.record, func.sum(uses.c.micro_rho)).group_by(uses.c.record)
        for number in range(1, len(self.local.keepers) + 1):
            engine = create_engine(f"sqlite:///{self.folder}/keeper-{number}/keeper-{number}.sqlite")
            with engine.connect() as connection:
                noted = {record: int(rho) for record, rho in connection.execute(spent)}
                kept = {row.record: int(row.spent_micro_rho) for row in connection.execute(select(budgets))}
            if {record: rho for record, rho in noted.items() if rho} != {r: rho for r, rho in kept.items() if rho}:
                return False
        return True

    def result(self, study: StudyDocument) -> ResultBundle:
        return _parse_result((self.folder / f"{self.file(study)}.result").read_bytes())

    def audit(self, public: PublicRun, result: ResultBundle) -> int:
        """Audit a run through the ledger's door; returns how many checks failed."""
        ledger = Network(LedgerClient(self.wires.doors["ledger"].url), self.local.addresses)
        roots = [TrustRoot((self.folder / "hardware" / "root.der").read_bytes())]
        for _ in range(TRIES):
            with suppress(UnavailableError):
                return len(audit_run(public, ledger, roots, result=to_canonical(result)).failed)
        raise AssertionError("the audit found no ledger")


def _children(pid: int) -> Sequence[str]:
    return " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")).split()


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):  # gone before the file was opened, or while it was read
        return False
