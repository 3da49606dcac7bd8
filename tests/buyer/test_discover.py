"""Whom a buyer believes: the hub brings everything, and is believed in nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from nebula.buyer.discover import Discoverer
from nebula.buyer.settings import BuyerSettings
from nebula.ledger.client import NetworkAddresses
from nebula.protocol.beacon import BeaconRequest, Query
from nebula.protocol.errors import IntegrityError, NebulaError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import AskAnswer, AskRequest, OpenDiscovery
from nebula.protocol.sealing import SealingKey
from nebula.protocol.typed_data import Domain
from simulators.discoveries import OpenSession, make_discovery, open_discovery
from simulators.storage import MemoryStorage
from simulators.studies import CHAIN_ID, SESSIONS, make_world

EVERYONE = BeaconRequest(query=Query())


@dataclass
class Ledger:
    """As much of the network's contracts as a buyer looks at."""

    registered: bool = True
    asked: list[Any] = field(default_factory=list)

    @property
    def sessions(self) -> "Ledger":
        return self

    addresses = NetworkAddresses(
        chain_id=CHAIN_ID,
        token="0x" + "01" * 20,
        organizations="0x" + "02" * 20,
        records="0x" + "03" * 20,
        sessions=SESSIONS,
        studies="0x" + "04" * 20,
        panels="0x" + "05" * 20,
        deployed_block=1,
    )

    def domain(self, chain_id: int) -> Domain:
        return Domain(chain_id, SESSIONS)

    def vouches_for(self, vote: Any, *, simulated: bool) -> bool:
        self.asked.append((vote, simulated))
        return self.registered


@dataclass
class Hub:
    """Hands out what it is told to, and carries to a session in this process."""

    session: OpenSession
    listed: list[OpenDiscovery] = field(default_factory=list)
    slow: int = 0
    letters: list[bytes] = field(default_factory=list)
    bend: Callable[[bytes], bytes] = lambda letter: letter

    def discoveries(self) -> tuple[OpenDiscovery, ...]:
        return tuple(self.listed)

    def ask(self, _kind: Any, request: AskRequest, _answer: Any) -> AskAnswer:
        self.letters.append(request.letter)
        if self.slow:
            self.slow -= 1
            raise UnavailableError("discovery.no-answer", "not yet")
        return AskAnswer(letter=self.bend(self.session.answering.answer(request.letter)))


@dataclass
class Setting:
    session: OpenSession
    hub: Hub
    ledger: Ledger
    discoverer: Discoverer

    @property
    def honest(self) -> OpenDiscovery:
        return self.hub.listed[0]


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Setting:
    monkeypatch.setattr("nebula.enclave.keepers.PAUSE_SECONDS", 0.0)
    world = make_world(MemoryStorage(), people=24)
    make_discovery(world)
    session = open_discovery(world)
    request = world.host.registered[-1]
    hub = Hub(session, [OpenDiscovery(study=study_id(world.study), evidence=request.evidence, votes=request.votes)])
    ledger = Ledger()
    settings = BuyerSettings(
        ledger_url="http://127.0.0.1:9",
        network=ledger.addresses,
        hub_url="http://127.0.0.1:9",
        hub_address="0x" + "0b" * 20,
        signing_key_file="x",
        sealing_key_file="x",
        keepers=world.study.keepers,
        keeper_threshold=2,
        measurement=world.study.measurement,
        trust_root=world.study.trust_root,
    )
    discoverer = Discoverer(
        settings,
        session.buyer.secret,
        ledger,  # type: ignore[arg-type]
        hub,  # type: ignore[arg-type]
        hub,  # type: ignore[arg-type]
        lambda: datetime.now(UTC),
    )
    return Setting(session, hub, ledger, discoverer)


def test_a_question_to_a_discovery_that_all_vouch_for_is_answered(setting: Setting) -> None:
    told = setting.discoverer.ask(setting.discoverer.choose(), EVERYONE)
    assert told.study == setting.honest.study
    assert told.block_number == 100
    assert told.response.meta.test_mode
    ((vote, simulated),) = setting.ledger.asked
    assert (vote.session, simulated) == (setting.honest.evidence.session, True)


def lie(setting: Setting, what: str) -> OpenDiscovery:
    honest, evidence = setting.honest, setting.honest.evidence
    match what:
        case "the hub's own key to seal to":
            own = msgspec.structs.replace(evidence, session_key=SealingKey.generate().public_key)
            return msgspec.structs.replace(honest, evidence=own)
        case "another study's terms":
            changed = msgspec.structs.replace(evidence.study, title="A friendlier title")
            return msgspec.structs.replace(honest, evidence=msgspec.structs.replace(evidence, study=changed))
        case "too few votes":
            return msgspec.structs.replace(honest, votes=honest.votes[:1])
        case "one vote thrice":
            return msgspec.structs.replace(honest, votes=honest.votes[:1] * 3)
        case "another study's id":
            return msgspec.structs.replace(honest, study="0x" + "77" * 32)
        case _:
            setting.ledger.registered = False
            return honest


@pytest.mark.parametrize(
    "what",
    [
        "the hub's own key to seal to",
        "another study's terms",
        "too few votes",
        "one vote thrice",
        "another study's id",
        "a session that the ledger does not know",
    ],
)
def test_what_the_hub_made_up_is_not_asked(setting: Setting, what: str) -> None:
    setting.hub.listed = [lie(setting, what)]
    with pytest.raises(UnavailableError) as refused:
        setting.discoverer.choose()
    assert refused.value.code == "discovery.none"
    assert setting.hub.letters == []


@pytest.mark.parametrize(
    "own",
    [
        {"measurement": "0x" + "99" * 32},
        {"trust_root": "0x" + "99" * 32},
        {"keepers": ("0x" + "0a" * 20, "0x" + "0b" * 20)},
        {"keeper_threshold": 3},
    ],
    ids=lambda own: next(iter(own)),
)
def test_other_code_other_roots_and_other_keepers_are_not_asked(setting: Setting, own: dict[str, Any]) -> None:
    discoverer = setting.discoverer
    strict = Discoverer(
        msgspec.structs.replace(discoverer.settings, **own),
        discoverer.key,
        discoverer.network,
        discoverer.public,
        discoverer.hub,
        discoverer.clock,
    )
    assert strict.open() == []


def test_an_answer_that_the_hub_altered_or_made_up_is_noticed(setting: Setting) -> None:
    setting.hub.bend = lambda letter: letter[:-1] + bytes([letter[-1] ^ 1])
    with pytest.raises(IntegrityError):
        setting.discoverer.ask(setting.honest, EVERYONE)


def test_an_answer_to_an_earlier_question_does_not_pass_for_this_ones(setting: Setting) -> None:
    earlier: list[bytes] = []
    setting.hub.bend = lambda letter: earlier.append(letter) or letter
    setting.discoverer.ask(setting.honest, EVERYONE)
    setting.hub.bend = lambda _letter: earlier[0]
    with pytest.raises(IntegrityError):
        setting.discoverer.ask(setting.honest, EVERYONE)


def test_an_answer_that_takes_long_is_asked_for_with_the_same_letter(setting: Setting) -> None:
    setting.hub.slow = 2
    setting.discoverer.ask(setting.honest, EVERYONE)
    assert len(setting.hub.letters) == 3
    assert len(set(setting.hub.letters)) == 1
    setting.hub.slow = 100
    with pytest.raises(UnavailableError):
        setting.discoverer.ask(setting.honest, EVERYONE)


def test_a_rule_that_says_no_is_told_as_the_session_said_it(setting: Setting) -> None:
    for keeper in setting.session.world.keepers:
        keeper.suspended.add(setting.session.buyer.address)
    with pytest.raises(NotPermittedError) as refused:
        setting.discoverer.ask(setting.honest, EVERYONE)
    assert refused.value.code == "buyer.standing"


def test_a_discovery_is_named_by_a_beginning_or_is_the_only_one(setting: Setting) -> None:
    study = setting.honest.study
    assert setting.discoverer.choose(study[:8]).study == setting.discoverer.choose(study[2:10].upper()).study == study
    with pytest.raises(UnavailableError):
        setting.discoverer.choose("0x" + ("0" if study[2] != "0" else "1"))
    setting.hub.listed *= 2
    with pytest.raises(RejectedInputError) as refused:
        setting.discoverer.choose()
    assert refused.value.code == "discovery.several"


def test_another_signer_is_another_buyer(setting: Setting) -> None:
    key = SigningKey.generate()
    for keeper in setting.session.world.keepers:
        keeper.suspended.add(key.address)
    discoverer = setting.discoverer
    other = Discoverer(
        discoverer.settings, key.secret, discoverer.network, discoverer.public, discoverer.hub, discoverer.clock
    )
    with pytest.raises(NebulaError):
        other.ask(setting.honest, EVERYONE)
    assert setting.discoverer.ask(setting.honest, EVERYONE).block_number == 100
