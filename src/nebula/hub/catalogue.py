"""What buyers ask of the hub: publish a study, run it, fetch its sealed result."""

from collections.abc import Callable

from sqlalchemy import Engine

from nebula.database import reading, writing
from nebula.hub import outputs, state
from nebula.hub.match import highest_told_alike, match, thresholded
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import (
    PublishAnswer,
    PublishRequest,
    ResultAnswer,
    ResultRequest,
    RunAnswer,
    RunRequest,
)
from nebula.protocol.study import StudyDocument
from nebula.transport.client import Peer

Keepers = Callable[[StudyDocument], list[Peer]]


class Catalogue:
    """Answers buyers."""

    def __init__(self, engine: Engine, *, chain_id: int, keepers: Keepers, start: Callable[[Hash32], Hash32]) -> None:
        self._engine = engine
        self._chain_id = chain_id
        self._keepers = keepers
        self._start = start

    def publish(self, request: PublishRequest, sender: Address) -> PublishAnswer:
        """Keep a study and tell its buyer roughly how many records would take part.

        Raises:
            NotPermittedError: it names another buyer, or another chain.
        """
        document = request.study
        if document.buyer != sender:
            raise NotPermittedError("hub.buyer", "a study is published by the buyer that it names")
        if document.chain_id != self._chain_id:
            raise NotPermittedError("hub.chain", f"this network's chain is {self._chain_id}, not {document.chain_id}")
        matching = match(document, self._keepers(document), threshold=document.keeper_threshold)
        study = study_id(document)
        with writing(self._engine) as connection:
            state.add_study(connection, study, document)
        refused = {reason: thresholded(count) for reason, count in matching.refused.items()}
        count = len(matching.records)
        return PublishAnswer(
            study=study, matching=thresholded(count), matching_at_most=highest_told_alike(count), refused=refused
        )

    def run(self, request: RunRequest, sender: Address) -> RunAnswer:
        """Start a study's run, or tell where it stands."""
        self._check_buyer(request.study, sender)
        run = self._start(request.study)
        with reading(self._engine) as connection:
            found = state.get_run(connection, run)
        return RunAnswer(run=run, state=found.state.value, detail=found.detail)

    def result(self, request: ResultRequest, sender: Address) -> ResultAnswer:
        """Hand the buyer its result, sealed to its key."""
        with reading(self._engine) as connection:
            self._check_buyer(state.get_run(connection, request.run).study, sender)
            return ResultAnswer(sealed_result=outputs.get_sealed_result(connection, request.run))

    def _check_buyer(self, study: Hash32, sender: Address) -> None:
        with reading(self._engine) as connection:
            if state.get_study(connection, study).buyer != sender:
                raise NotPermittedError("hub.buyer", "this is another buyer's study")
