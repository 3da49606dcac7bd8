"""The keeper as a process: signed messages in, signed messages out, one step of the protocol each."""

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from threading import Event, Thread

import structlog
import uvicorn
from litestar import Litestar

from nebula.attestation.collateral import PccsCollateralSource
from nebula.database.replay import ReplayGuard
from nebula.keeper import settings as configuration
from nebula.keeper import state, tables
from nebula.keeper.appraise import Judge, QuoteJudge, appraise
from nebula.keeper.cohorts import earlier_cohorts, keep_cohort
from nebula.keeper.confirm import confirm
from nebula.keeper.consent import approve, read_decisions, update_policies
from nebula.keeper.context import Keeper
from nebula.keeper.discover import discover, spend
from nebula.keeper.diseases import Diseases, parse_diseases
from nebula.keeper.enrol import enrol
from nebula.keeper.forget import forget
from nebula.keeper.head import head_routes
from nebula.keeper.held import read_held
from nebula.keeper.match import match
from nebula.keeper.node_ledger import NodeLedger
from nebula.keeper.nonces import issue_nonce
from nebula.keeper.release import release
from nebula.keeper.settings import KeeperSettings, parse_settings
from nebula.keeper.snapshot import Snapshots
from nebula.ledger.client import LedgerClient
from nebula.protocol import messages as m
from nebula.protocol.errors import NebulaError
from nebula.protocol.sealing import SealingKey
from nebula.protocol.signing import address_of_secret
from nebula.protocol.typed_data import Domain
from nebula.transport.client import system_clock
from nebula.transport.keyfiles import load_key
from nebula.transport.server import Handler, Party, signed_app
from nebula.transport.urls import url_here

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RunningKeeper:
    """A keeper that is ready to serve."""

    keeper: Keeper
    app: Litestar


def build(settings: KeeperSettings, folder: Path) -> RunningKeeper:
    """Open everything that the settings name.

    Raises:
        RejectedInputError: a file or key is wrong.
        UnavailableError: the database or a file cannot be opened.
    """
    signing_key = load_key(folder / settings.signing_key_file)
    client = LedgerClient(settings.ledger_url)
    keeper = Keeper(
        address=address_of_secret(signing_key),
        signing_key=signing_key,
        sealing_key=SealingKey.from_secret(load_key(folder / settings.sealing_key_file)),
        engine=state.open_state(settings.database_url),
        ledger=NodeLedger(client, settings.network),
        clock=system_clock,
        diseases=_diseases(settings, folder),
        hub=settings.hub,
        sessions=Domain(settings.network.chain_id, settings.network.sessions),
        confirmations=settings.confirmations,
        max_block_age_seconds=settings.max_block_age_seconds,
    )
    roots = configuration.trust_roots(settings, folder)
    source = PccsCollateralSource(settings.collateral_url, root_crl_url=settings.root_crl_url)
    judge = QuoteJudge(source, roots, configuration.appraisal_policy(settings, roots))
    return RunningKeeper(keeper, application(keeper, judge, simulated=not settings.production))


def application(keeper: Keeper, judge: Judge, *, simulated: bool) -> Litestar:
    """Return the ASGI application that answers for a keeper."""
    identity = m.Identity(
        party="keeper",
        address=keeper.address,
        key=keeper.sealing_key.public_key,
        chain_id=keeper.sessions.chain_id,
        simulated=simulated,
    )
    party = Party(identity, keeper.signing_key, ReplayGuard(keeper.engine, tables.seen_messages), keeper.clock)
    return signed_app(party, handlers(keeper, judge), routes=head_routes(keeper))


def serve(settings_file: Path) -> None:
    """Serve until told to stop (SIGTERM, SIGINT). Kill it at any time: what was answered is kept."""
    _log_to_stderr()
    settings = parse_settings(configuration.read_file(settings_file))
    running = build(settings, settings_file.parent)
    stop = Event()
    Thread(target=_forget_now_and_then, args=(running.keeper, settings.forget_seconds, stop), daemon=True).start()
    config = uvicorn.Config(
        running.app, host=settings.host, port=settings.port, workers=1, log_level="warning", access_log=False
    )
    # uvicorn stops its server in peace, then raises the signal once more.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    try:
        _Server(config, running.keeper.address).run()
    finally:
        stop.set()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Say when messages are answered."""
        await super().startup(sockets)
        if self.started:
            sys.stderr.write(f"keeper {self._address} answers at {url_here(self.config.host, self.config.port)}\n")
            sys.stderr.flush()


def handlers(keeper: Keeper, judge: Judge) -> Mapping[m.Kind, Handler]:
    """Return what a keeper answers to."""
    snapshots = Snapshots(keeper)
    return {
        m.ENROL: lambda body, _message: enrol(keeper, body),
        m.POLICY: lambda body, _message: update_policies(keeper, body),
        m.APPROVE: lambda body, _message: approve(keeper, body),
        m.DECISIONS: lambda body, message: read_decisions(keeper, body, message.sender),
        m.HELD: lambda _body, message: read_held(keeper, message.sender),
        m.MATCH: lambda body, message: match(keeper, snapshots, body, message.sender),
        m.NONCE: lambda body, message: issue_nonce(keeper, body, message.sender),
        m.APPRAISE: lambda body, message: appraise(keeper, judge, body, message.sender),
        m.RELEASE: lambda body, message: release(keeper, body, message.sender),
        m.CONFIRM: lambda body, message: confirm(keeper, body, message.sender),
        m.DISCOVER: lambda body, message: discover(keeper, body, message.sender),
        m.SPEND: lambda body, message: spend(keeper, body, message.sender),
        m.COHORTS: lambda body, message: earlier_cohorts(keeper, body, message.sender),
        m.KEEP_COHORT: lambda body, message: keep_cohort(keeper, body, message.sender),
    }


def _diseases(settings: KeeperSettings, folder: Path) -> Diseases:
    if settings.diseases_file is None:
        return Diseases()
    return parse_diseases(configuration.read_file(folder / settings.diseases_file))


def _forget_now_and_then(keeper: Keeper, pause_seconds: int, stop: Event) -> None:
    while not stop.wait(pause_seconds):
        try:
            forgotten = forget(keeper, at=keeper.clock())
        except NebulaError as error:
            _log.warning("forget.later", code=error.code)
        else:
            if forgotten:
                _log.info("forgotten", count=forgotten)


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
