"""Locking a study's escrow: once, and again after what kept it from being locked is mended."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from audit.miniature import make_study
from buyer.folder import approve_code, make_folder
from ledger.ledgers import FOREVER, Market, embedded, make_market
from nebula.attestation.roots import TrustRoot
from nebula.buyer import Buyer
from nebula.ledger.client.organizations import Role
from nebula.ledger.client.studies import StudyState
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.funding import funding_of, study_id
from nebula.protocol.study import StudyDocument


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with embedded(tmp_path_factory.mktemp("buyer-ledger")) as ledger:
        yield make_market(ledger)


@pytest.fixture
def buyer(market: Market, tmp_path: Path) -> Buyer:
    """A verified buyer without a token."""
    key = market.ledger.fresh_key()
    entered = market.network.organizations.register(
        key.address, Role.BUYER, standing_until=FOREVER, legal_name="Poor Institute"
    )
    market.ledger.transact(market.governor.secret, entered)
    return Buyer(make_folder(market, key.secret, tmp_path), tmp_path)


@pytest.fixture
def study(market: Market, buyer: Buyer) -> StudyDocument:
    anybody = TrustRoot(secrets.token_bytes(32))
    deadline = market.ledger.client.head().timestamp_seconds + 10**6
    made = msgspec.structs.replace(make_study(market, anybody), buyer=buyer.address, deadline=deadline)
    approve_code(market, made)
    return made


def test_a_study_that_could_not_be_paid_can_be_funded_when_there_are_tokens(
    market: Market, buyer: Buyer, study: StudyDocument
) -> None:
    for _ in range(2):
        with pytest.raises(NotPermittedError):
            buyer.fund(study)
    escrow_wei = funding_of(study).escrow_wei
    market.ledger.transact(market.buyer.secret, market.network.token.transfer(buyer.address, escrow_wei))

    assert buyer.fund(study) is not None
    assert buyer.study_state(study_id(study)) is StudyState.FUNDED
    assert buyer.fund(study) is None
    assert buyer.balance_wei() == 0


def test_nothing_is_locked_for_code_that_could_not_run(market: Market, buyer: Buyer, study: StudyDocument) -> None:
    escrow_wei = funding_of(study).escrow_wei
    market.ledger.transact(market.buyer.secret, market.network.token.transfer(buyer.address, escrow_wei))
    revoke = market.network.sessions.revoke_measurement(study.measurement, study.trust_root)
    market.ledger.transact(market.governor.secret, revoke)

    with pytest.raises(NotPermittedError) as refused:
        buyer.fund(study)
    assert refused.value.code == "study.code"
    assert buyer.balance_wei() == escrow_wei


def test_nothing_is_locked_for_code_that_a_network_left_behind(
    market: Market, buyer: Buyer, study: StudyDocument, tmp_path: Path
) -> None:
    settings = make_folder(market, market.ledger.fresh_key().secret, tmp_path / "later")
    later = Buyer(msgspec.structs.replace(settings, measurement="0x" + "77" * 32), tmp_path / "later")

    with pytest.raises(NotPermittedError) as refused:
        later.fund(study)
    assert refused.value.code == "study.code"
