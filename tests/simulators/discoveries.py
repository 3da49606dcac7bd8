"""A discovery's session in this process, and buyers who ask it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from nebula.analysis.parameters import Discovery
from nebula.disclosure.people import ToldCount
from nebula.enclave.discover import AnsweringSession, people_of
from nebula.enclave.run import Surroundings, assemble_run
from nebula.genome.panel import Panel
from nebula.protocol.beacon import BeaconRequest, Filter, Query, VariantParameters
from nebula.protocol.discovery import AskedQuestion, ask
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import DiscoveryAnswer
from nebula.protocol.study import ResultClass
from simulators.studies import StubQuoter, World


def now() -> datetime:
    return datetime.now(UTC)


def make_discovery(world: World, **changes: Any) -> None:
    """Turn a world's study into a discovery."""
    world.change(
        **{
            "analysis": "discovery@1",
            "parameters": {},
            "result_class": ResultClass.NOISED,
            "privacy_micro_rho": 500_000,
            "min_records": 10,
            **changes,
        }
    )


def exactly(people: int, _micro_rho: int) -> ToldCount:
    """No noise, for laws about who is counted."""
    return ToldCount(people or None, 1, 0.0)


@dataclass
class OpenSession:
    """An open session, and whoever asks it."""

    world: World
    answering: AnsweringSession
    buyer: SigningKey = field(default_factory=SigningKey.generate)

    def letter(self, query: Query, *, buyer: SigningKey | None = None, at: datetime | None = None) -> AskedQuestion:
        key = (buyer or self.buyer).secret
        return ask(BeaconRequest(query=query), self.answering.session.evidence, key=key, at=at or now())

    def ask(self, query: Query, *, buyer: SigningKey | None = None) -> DiscoveryAnswer:
        asked = self.letter(query, buyer=buyer)
        return asked.open_answer(self.answering.answer(asked.sealed))

    def count(self, query: Query, *, buyer: SigningKey | None = None) -> int | None:
        answer = self.ask(query, buyer=buyer)
        assert answer.response is not None, answer.error
        return answer.response.response_summary.num_total_results


def open_discovery(world: World) -> OpenSession:
    """Have a session appraised and its records read."""
    world.name_everybody()
    around = Surroundings(world.host, StubQuoter(), lambda _url: world.storage, now)
    made = assemble_run(world.start, world.order, around)
    assert isinstance(made.parameters, Discovery)
    people = people_of(made.reading, made.panel)
    return OpenSession(world, AnsweringSession(made.session, made.keepers, made.parameters, made.read, people, now))


def carriers(panel: Panel, row: int) -> VariantParameters:
    site = panel.site(row)
    return VariantParameters(
        assembly_id="GRCh38",
        reference_name=site.chromosome,
        start=(site.pos - 1,),
        reference_bases=site.reference,
        alternate_bases=site.alternate,
    )


def where(column: str, operator: str, value: float | str, unit: str | None = None) -> Filter:
    from nebula.protocol.beacon import Operator

    return Filter(id=column, operator=Operator(operator), value=value, unit=unit)
