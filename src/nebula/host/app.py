"""The host's process: ask for an order, have it carried out, hand in what came of it, again and again."""

import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType

import structlog

from nebula.host.carry import Courier, HttpCourier, panel_location
from nebula.host.outbox import KeptOutput, Outbox
from nebula.host.settings import HostSettings, load_settings
from nebula.host.worker import Worker, worker_command
from nebula.protocol.envelope import STALE
from nebula.protocol.errors import NebulaError, UnavailableError
from nebula.protocol.ids import Hash32
from nebula.protocol.messages import (
    ORDER,
    OWNERS,
    REPORT,
    Accepted,
    ErrorAnswer,
    Kind,
    OrderAnswer,
    OrderRequest,
    OwnersReport,
    RunOrder,
    RunReport,
)
from nebula.protocol.worker import Start
from nebula.transport.client import Carrier, Peer, system_clock
from nebula.transport.keyfiles import load_key

MAX_DEATHS = 10
"""So often a run's worker may die before the hub is told that it cannot be done here."""
MAX_PAUSE_SECONDS = 10.0

_log = structlog.get_logger()


@dataclass(slots=True)
class EnclaveHost:
    """Carries out the hub's orders, one at a time."""

    settings: HostSettings
    hub: Peer
    courier: Courier
    worker: Worker
    outbox: Outbox
    clock: Callable[[], datetime] = system_clock
    stopping: threading.Event = field(default_factory=threading.Event)
    _deaths: Counter[Hash32] = field(default_factory=Counter)

    def run(self) -> None:
        """Work until told to stop."""
        pause = self.settings.poll_seconds
        while not self.stopping.wait(pause):
            try:
                pause = 0.0 if self.work_once() else self.settings.poll_seconds
            except UnavailableError as error:
                pause = min(2 * max(pause, self.settings.poll_seconds), MAX_PAUSE_SECONDS)
                _log.info("waiting", code=error.code, seconds=pause)
            except NebulaError as error:
                pause = MAX_PAUSE_SECONDS
                _log.error("refused", code=error.code, message=error.message)

    def work_once(self) -> bool:
        """Hand in what waits, or ask for an order and carry it out; False when there is neither.

        Raises:
            UnavailableError: the hub, keepers, storage or the worker were away: the order stays open.
            NebulaError: the hub refuses this host, or what it hands in.
        """
        waiting = self.outbox.waiting()
        if waiting:
            self._report(waiting[0].run, waiting[0])
            return True
        request = OrderRequest(measurement=self.settings.measurement, work=self.settings.work)
        answer = self.hub.ask(ORDER, request, OrderAnswer)
        if answer.order is None:
            return False
        outcome = self._carry_out(answer.order)
        if isinstance(outcome, ErrorAnswer) and outcome.family == UnavailableError.family:
            raise UnavailableError(outcome.code, outcome.message, hint=outcome.hint)
        self._report(answer.order.run, outcome)
        return True

    def stop(self) -> None:
        """End soon: a worker that runs now is killed, and its order asked for again at the next start."""
        self.stopping.set()
        self.worker.stop()

    def _carry_out(self, order: RunOrder) -> KeptOutput | ErrorAnswer:
        settings = self.settings
        start = Start(
            studies_contract=settings.studies_contract,
            sessions_contract=settings.sessions_contract,
            panel_location=panel_location(settings.panels_url, order.study.panel),
        )
        _log.info("started", run=order.run)
        try:
            output = self.outbox.begin(order.run)
            return self.worker.run(start, order, self.courier, output=output, at=self.clock())
        except UnavailableError as error:
            if self.stopping.is_set():
                raise
            self._deaths[order.run] += 1
            if self._deaths[order.run] < MAX_DEATHS:
                raise
            message = f"the worker died {MAX_DEATHS} times; the last time: {error.message}"
            return ErrorAnswer(family="bug", code="host.worker-dies", message=message)

    def _report(self, run: Hash32, outcome: KeptOutput | ErrorAnswer) -> None:
        """Hand in an outcome. An output stays on disk until the hub has it, or says that it will not."""
        if isinstance(outcome, ErrorAnswer):
            _log.info("failed", run=run, code=outcome.code)
            self._insist(REPORT, RunReport(run=run, error=outcome))
            return
        _log.info("finished", run=run)
        try:
            session = outcome.head.signed.receipt.session
            for page in outcome.pages():
                self._insist(OWNERS, OwnersReport(run=run, session=session, page=page))
            self._insist(REPORT, RunReport(run=run, head=outcome.head))
        except UnavailableError:
            raise
        except NebulaError:
            outcome.discard()
            raise
        outcome.discard()

    def _insist(self, kind: Kind, report: OwnersReport | RunReport) -> None:
        """Hand in a message; while the hub is away, or clocks differ, again and again."""
        pause = self.settings.poll_seconds
        while True:
            try:
                self.hub.ask(kind, report, Accepted)
            except NebulaError as error:
                # What enclaves made is not lost to a clock that somebody will set.
                if not isinstance(error, UnavailableError) and error.code != STALE:
                    raise
                _log.info("report-waits", run=report.run, code=error.code)
                if self.stopping.wait(pause):
                    raise UnavailableError(error.code, error.message, hint=error.hint) from error
                pause = min(2 * pause, MAX_PAUSE_SECONDS)
            else:
                return


def build(settings: HostSettings, folder: Path) -> EnclaveHost:
    """Put a host together. ``folder``: what relative paths in the settings start from."""
    carrier = Carrier()
    hub = Peer(
        settings.hub_url, settings.hub_address, key=load_key(folder / settings.signing_key_file), carrier=carrier
    )
    courier = HttpCourier(carrier, {keeper.address: keeper.url for keeper in settings.keepers}, hub)
    outbox = Outbox(folder / settings.outbox_folder)
    return EnclaveHost(settings, hub, courier, Worker(worker_command(settings.cpu)), outbox)


def serve(settings_file: Path) -> None:
    """Run a host until SIGTERM or SIGINT."""
    structlog.configure(
        processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    host = build(load_settings(settings_file), settings_file.parent)

    def stop(_number: int, _frame: FrameType | None) -> None:
        host.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    sys.stderr.write(f"nebula host: asks {host.settings.hub_url} for work\n")
    host.run()
