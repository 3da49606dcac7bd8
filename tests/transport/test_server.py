"""Signed messages over HTTP: the server believes nobody, the client only the party it asked."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2
import msgspec
import pytest
import structlog
import uvicorn
from litestar import Litestar
from sqlalchemy import MetaData

from nebula.database import open_database
from nebula.database.replay import ReplayGuard, seen_messages_table
from nebula.protocol.envelope import VerifiedMessage
from nebula.protocol.errors import IntegrityError, NebulaError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import CONFIRM, NONCE, RUN, Identity, NonceAnswer, NonceRequest, RunAnswer, RunRequest
from nebula.transport.client import Carrier, Peer
from nebula.transport.server import Party, signed_app

KEY = SigningKey.generate()
HASH = "0x" + "11" * 32
FAMILIES = [RejectedInputError, NotPermittedError, UnavailableError, IntegrityError]


def give_nonce(_body: NonceRequest, message: VerifiedMessage) -> NonceAnswer:
    return NonceAnswer(
        nonce=bytes(12) + bytes.fromhex(message.sender[2:]), key=bytes(32), block_number=1, block_hash=HASH
    )


def fail(body: RunRequest, _message: VerifiedMessage) -> RunAnswer:
    family = int(body.study[2:4], 16)
    if family < len(FAMILIES):
        raise FAMILIES[family]("test.refused", "it is refused", hint="do it otherwise")
    raise ZeroDivisionError("secret things")


def make_app() -> Litestar:
    tables = MetaData()
    seen = seen_messages_table(tables)
    identity = Identity(party="test", address=KEY.address, key=bytes(32), chain_id=1, simulated=True)
    # One connection for all threads would be one transaction for all: a file it is.
    engine = open_database("sqlite:///file:transport?mode=memory&cache=shared&uri=true", tables, party="test")
    party = Party(identity, KEY.secret, ReplayGuard(engine, seen), lambda: datetime.now(UTC))
    return signed_app(party, {NONCE: give_nonce, RUN: fail})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    server = uvicorn.Server(uvicorn.Config(make_app(), port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    structlog.reset_defaults()


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    found = Carrier()
    yield found
    found.close()


def peer(url: str, carrier: Carrier, address: str = KEY.address) -> Peer:
    return Peer(url, address, key=SigningKey.generate().secret, carrier=carrier)


def test_a_question_is_answered_to_its_sender(url: str, carrier: Carrier) -> None:
    asking = SigningKey.generate()
    found = Peer(url, KEY.address, key=asking.secret, carrier=carrier).ask(
        NONCE, NonceRequest(study=HASH, run=HASH), NonceAnswer
    )
    assert found.nonce[12:].hex() == asking.address[2:]


@pytest.mark.parametrize("family", range(4))
def test_a_refusal_arrives_with_its_family_code_sentence_and_hint(url: str, carrier: Carrier, family: int) -> None:
    with pytest.raises(FAMILIES[family]) as refused:
        peer(url, carrier).ask(RUN, RunRequest(study=f"0x{family:02x}" + "00" * 31), RunAnswer)
    assert (refused.value.code, refused.value.message, refused.value.hint) == (
        "test.refused",
        "it is refused",
        "do it otherwise",
    )


def test_a_bug_is_admitted_without_its_details(url: str, carrier: Carrier) -> None:
    with pytest.raises(UnavailableError) as failed:
        peer(url, carrier).ask(RUN, RunRequest(study="0x" + "ff" * 32), RunAnswer)
    assert "secret things" not in failed.value.message


def test_another_party_at_the_url_is_not_believed(url: str, carrier: Carrier) -> None:
    with pytest.raises(NebulaError):
        peer(url, carrier, SigningKey.generate().address).ask(NONCE, NonceRequest(study=HASH, run=HASH), NonceAnswer)


def test_a_kind_that_is_not_answered_here_is_refused(url: str, carrier: Carrier) -> None:
    with pytest.raises(RejectedInputError) as refused:
        carrier.carry(url, CONFIRM.name, b"{}")
    assert refused.value.code in ("wire.malformed", "message.kind")


def test_nobody_at_home_is_called_away(carrier: Carrier) -> None:
    with pytest.raises(UnavailableError) as away:
        peer("http://127.0.0.1:9", carrier).ask(NONCE, NonceRequest(study=HASH, run=HASH), NonceAnswer)
    assert away.value.code == "peer.away"
    with pytest.raises(UnavailableError):
        carrier.identity("http://127.0.0.1:9")


def test_the_public_face_is_there_for_everyone(url: str, carrier: Carrier) -> None:
    assert carrier.identity(url).address == KEY.address


def test_messages_are_described_by_json_schema_and_openapi(url: str) -> None:
    schema = msgspec.json.decode(httpx2.get(f"{url}/v1/schema", trust_env=False).content)
    assert schema["messages"]["keeper.nonce"] == {"request": "NonceRequest", "answer": "NonceAnswer"}
    assert "NonceRequest" in schema["$defs"]
    openapi = httpx2.get(f"{url}/v1/openapi/openapi.json", trust_env=False)
    assert openapi.status_code == 200


def test_an_unknown_path_has_a_stable_code(url: str) -> None:
    answer = httpx2.get(f"{url}/v1/nothing", trust_env=False)
    assert (answer.status_code, msgspec.json.decode(answer.content)["code"]) == (404, "http.404")
