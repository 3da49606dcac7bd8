"""The hub's process: who it is, whom it knows, and which message goes to which module."""

import os
import threading
import time
from pathlib import Path

import structlog
import uvicorn
from dbos import DBOS
from litestar import Litestar

from nebula.database import open_database
from nebula.database.replay import ReplayGuard
from nebula.hub import tables
from nebula.hub.beacon import ASK_PATHS, beacon_routes
from nebula.hub.carry import RecordCarrier
from nebula.hub.catalogue import Catalogue
from nebula.hub.effects import Effects
from nebula.hub.match import match
from nebula.hub.orders import Orders
from nebula.hub.panels import publish_panel
from nebula.hub.public import leaves, public_routes
from nebula.hub.questions import Questions
from nebula.hub.run import Parties, Runs, close_overdue, go_on, settle_run, start_run
from nebula.hub.settings import HubSettings, load_settings
from nebula.ledger.client import LedgerClient, Network
from nebula.ledger.relay import Relay
from nebula.protocol.errors import RejectedInputError, UnavailableError
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import (
    ANSWER,
    ASK,
    CANDIDATES,
    LEAVES,
    NEXT_QUESTION,
    ORDER,
    OWNERS,
    PANEL,
    PROGRESS,
    PUBLISH,
    RELAY,
    REPORT,
    RESULT,
    RUN,
    SESSION,
    Identity,
)
from nebula.protocol.sealing import SealingKey
from nebula.protocol.study import StudyDocument
from nebula.transport.client import Carrier, Peer, system_clock
from nebula.transport.keyfiles import load_key
from nebula.transport.server import Party, signed_app

LEDGER_POLL_SECONDS = 0.5
DEADLINE_POLL_SECONDS = 1.0
_log = structlog.get_logger()


def build(settings: HubSettings) -> Litestar:
    """Open the hub's database and ledger, start its workflows, and return its application."""
    engine = open_database(settings.database_url, tables.metadata, party="hub", version=tables.SCHEMA)
    key = SigningKey.from_secret(load_key(Path(settings.signing_key_file)))
    sealing_key = SealingKey.from_secret(load_key(Path(settings.sealing_key_file)))
    client = LedgerClient(settings.ledger_url)
    _wait_for_ledger(client, settings.network.chain_id)
    relay = Relay(
        engine,
        tables.outbox,
        client,
        key.secret,
        confirmations=settings.confirmations,
        chain_id=settings.network.chain_id,
    )
    network = Network(client, settings.network)
    effects, records = Effects(network, relay), RecordCarrier(network, relay)
    peers = _peers(settings, key)

    def keepers(study: StudyDocument) -> list[Peer]:
        unknown = [address for address in study.keepers if address not in peers]
        if unknown:
            raise RejectedInputError("hub.keepers", f"this hub does not know keeper {unknown[0]}")
        return [peers[address] for address in study.keepers]

    parties = Parties(engine, effects, keepers)
    runs = _workflows(settings, parties)
    catalogue = Catalogue(
        engine,
        chain_id=settings.network.chain_id,
        keepers=keepers,
        start=lambda study: start_run(runs, parties, study),
    )
    hosts = frozenset(settings.hosts)
    orders = Orders(
        engine,
        effects,
        studies=network.studies.domain(settings.network.chain_id),
        hosts=hosts,
        settle=lambda run: settle_run(runs, run),
        match=lambda study: match(study, keepers(study), threshold=study.keeper_threshold).records,
    )
    questions = Questions(engine, hosts=hosts, is_buyer=effects.is_buyer, clock=system_clock)
    identity = Identity(
        party="hub",
        address=key.address,
        key=sealing_key.public_key,
        chain_id=settings.network.chain_id,
        simulated=settings.simulated,
    )
    return signed_app(
        Party(identity, key.secret, ReplayGuard(engine, tables.seen_messages), system_clock),
        {
            PUBLISH: lambda body, message: catalogue.publish(body, message.sender),
            RUN: lambda body, message: catalogue.run(body, message.sender),
            RESULT: lambda body, message: catalogue.result(body, message.sender),
            ORDER: lambda body, message: orders.next_order(body, message.sender),
            CANDIDATES: lambda body, message: orders.candidates(body, message.sender),
            SESSION: lambda body, message: orders.register_session(body, message.sender),
            PROGRESS: lambda body, message: orders.progress(body, message.sender),
            OWNERS: lambda body, message: orders.owners(body, message.sender),
            REPORT: lambda body, message: orders.report(body, message.sender),
            PANEL: lambda body, message: publish_panel(effects, key.address, body, message.sender),
            RELAY: lambda body, _message: records.carry(body),
            LEAVES: lambda body, _message: leaves(engine, body),
            ASK: lambda body, message: questions.ask(body, message.sender),
            NEXT_QUESTION: lambda body, message: questions.next_question(body, message.sender),
            ANSWER: lambda body, message: questions.answer(body, message.sender),
        },
        routes=[
            *public_routes(engine),
            *beacon_routes(questions, hub=key.address, simulated=settings.simulated),
        ],
        paths=dict.fromkeys(ASK_PATHS, ASK),
    )


def serve(settings_file: Path) -> None:
    """Run the hub until it is told to stop."""
    settings = load_settings(settings_file)
    try:
        uvicorn.run(build(settings), host=settings.host, port=settings.port, log_level="warning", workers=1)
    finally:
        DBOS.destroy()
        # A step that waits for keepers or the ledger would keep the interpreter until they are back. It goes on at
        # the next start, from where it is, as after any other end of this process.
        os._exit(0)


def _wait_for_ledger(client: LedgerClient, chain_id: int) -> None:
    """Wait, for however long, until the ledger answers: a network's processes start in any order."""
    while True:
        try:
            client.require_chain(chain_id)
        except UnavailableError as error:
            _log.info("waiting", code=error.code)
            time.sleep(LEDGER_POLL_SECONDS)
        else:
            return


def _peers(settings: HubSettings, key: SigningKey) -> dict[str, Peer]:
    carrier = Carrier()
    return {
        keeper.address: Peer(keeper.url, keeper.address, key=key.secret, carrier=carrier) for keeper in settings.keepers
    }


def _workflows(settings: HubSettings, parties: Parties) -> Runs:
    DBOS(
        config={
            "name": "nebula-hub",
            "system_database_url": settings.workflow_database_url,
            "application_version": "1",  # a hub that was upgraded goes on with the runs of the one before
            "log_level": "WARNING",
        }
    )
    runs = Runs("hub", parties)
    DBOS.launch()
    go_on(runs, parties)
    threading.Thread(target=_watch_deadlines, args=(runs, parties), daemon=True).start()
    return runs


def _watch_deadlines(runs: Runs, parties: Parties) -> None:
    while True:
        try:
            close_overdue(runs, parties)
        except UnavailableError as error:
            _log.info("waiting", code=error.code)
        time.sleep(DEADLINE_POLL_SECONDS)
