"""What strangers and cheats try at a keeper's door, over HTTP. What no door lets in: attacks/test_every_door.py."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import pytest
import uvicorn

from keeper.world import World
from nebula.keeper.app import application
from nebula.protocol.errors import NebulaError, NotPermittedError
from nebula.protocol.funding import study_id
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import (
    DECISIONS,
    ENROL,
    MATCH,
    NONCE,
    RELEASE,
    DecisionsAnswer,
    DecisionsRequest,
    EnrolAnswer,
    EnrolRequest,
    MatchAnswer,
    MatchRequest,
    NonceRequest,
    ReleaseAnswer,
    ReleaseRequest,
)
from nebula.transport.client import Carrier, Peer
from simulators.sgx import SgxHardware


@dataclass
class Door:
    """A keeper that answers, and how to knock."""

    world: World
    url: str
    carrier: Carrier

    def peer(self, key: SigningKey) -> Peer:
        return Peer(
            self.url,
            self.world.keeper.address,
            key=key.secret,
            carrier=self.carrier,
            clock=lambda: self.world.at,
        )


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, hardware: SgxHardware) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    # Real time: a request takes some.
    world = World(f"sqlite:///{folder}/keeper.db", hardware, at=datetime.now(UTC).replace(microsecond=0))
    config = uvicorn.Config(
        application(world.keeper, world.judge, simulated=True), port=0, log_level="error", access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    carrier = Carrier()
    yield Door(world, f"http://127.0.0.1:{port}", carrier)
    carrier.close()
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def body(door: Door) -> NonceRequest:
    return NonceRequest(study=study_id(door.world.study()), run="0x" + "11" * 32)


def test_nobody_reads_decisions_about_anothers_record(door: Door) -> None:
    owner, session = door.world.owner(), door.world.session(door.world.study())
    door.world.release(session, owner.record)
    mine = door.peer(owner.key).ask(DECISIONS, DecisionsRequest(), DecisionsAnswer)
    theirs = door.peer(SigningKey.generate()).ask(DECISIONS, DecisionsRequest(), DecisionsAnswer)
    assert (len(mine.decisions), theirs.decisions) == (1, ())


def test_only_the_session_gets_its_shares_whoever_carries_them(door: Door) -> None:
    owner, session = door.world.owner(), door.world.session(door.world.study())
    request = ReleaseRequest(study=study_id(session.study), run=session.run, records=(owner.record,))
    for stranger in (door.world.hub, door.world.buyer, owner.key, SigningKey.generate()):
        with pytest.raises(NotPermittedError) as refused:
            door.peer(stranger).ask(RELEASE, request, ReleaseAnswer)
        assert refused.value.code == "session.unknown"
    answer = door.peer(session.signing).ask(RELEASE, request, ReleaseAnswer)
    assert session.open(answer.released[0], door.world.keeper.address).record == owner.record


def test_nobody_but_the_hub_matches(door: Door) -> None:
    request = MatchRequest(study=door.world.study())
    with pytest.raises(NotPermittedError, match="only this network's hub"):
        door.peer(door.world.buyer).ask(MATCH, request, MatchAnswer)
    door.peer(door.world.hub).ask(MATCH, request, MatchAnswer)


def test_anyone_may_carry_an_owners_enrolment_and_nobody_can_change_it(door: Door) -> None:
    owner = door.world.stranger()
    forged = msgspec.structs.replace(owner.enrolment, manifest_location="file:///elsewhere#x")
    answer = door.peer(SigningKey.generate()).ask(ENROL, EnrolRequest(enrolments=(forged,)), EnrolAnswer)
    assert answer.refused[0].error.code == "document.signature"
    answer = door.peer(SigningKey.generate()).ask(ENROL, EnrolRequest(enrolments=(owner.enrolment,)), EnrolAnswer)
    assert [item.record for item in answer.accepted] == [owner.record]


def test_an_error_carries_its_family_code_and_hint(door: Door, body: NonceRequest) -> None:
    door.world.ledger.away = True
    try:
        with pytest.raises(NebulaError) as away:
            door.peer(SigningKey.generate()).ask(NONCE, body, type(body))
    finally:
        door.world.ledger.away = False
    assert (away.value.family, away.value.code) == ("unavailable", "ledger.away")


def test_the_identity_says_who_answers_and_that_hardware_is_simulated(door: Door) -> None:
    identity = door.carrier.identity(door.url)
    assert (identity.party, identity.address, identity.simulated) == ("keeper", door.world.keeper.address, True)
    assert identity.key == door.world.sealing.public_key
