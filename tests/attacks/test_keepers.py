"""Keepers that cheat: one alone (t - 1 of this network) with everything it can lay hands on, and liars in a run.

Promise 1: fewer than t keepers, with the storage provider, the ledger and every database, read nothing. What lying
keepers can do to a run is in enclave/test_run.py, to the memory of cohorts in enclave/test_earlier_cohorts.py.
"""

import sqlite3
from itertools import combinations

import msgspec
import pytest

from attacks.network import FinishedNetwork, rows_of
from nebula.crypt4gh.whole import decrypt_with_data_key
from nebula.protocol.errors import NebulaError, NotPermittedError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import (
    CONFIRM,
    DECISIONS,
    MATCH,
    NONCE,
    RELEASE,
    ConfirmAnswer,
    ConfirmRequest,
    DecisionsAnswer,
    DecisionsRequest,
    MatchAnswer,
    MatchRequest,
    NonceAnswer,
    NonceRequest,
    ReleaseAnswer,
    ReleaseRequest,
)
from nebula.protocol.record import MANIFEST, SHARES_INFO, ShareBundle, enrolment_context, parse_bundle, parse_manifest
from nebula.protocol.sealing import SealingKey, open_sealed
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.sharing import Share, combine
from nebula.storage.reading import parse_location
from nebula.transport.client import Carrier, Peer
from nebula.transport.keyfiles import load_key

pytestmark = pytest.mark.xdist_group("attacks")

Loot = dict[Address, ShareBundle]


def rob(network: FinishedNetwork, number: int) -> Loot:
    """Take a keeper's keys and database, and open every bundle in it."""
    name = f"keeper-{number}"
    key = SealingKey.from_secret(load_key(network.folder / "keys" / f"{name}.sealing"))
    address = network.local.keepers[number - 1].address
    with sqlite3.connect(f"file:{network.folder / name / name}.sqlite?mode=ro", uri=True) as database:
        rows = database.execute("SELECT record, manifest_commitment, sealed_shares FROM enrolments").fetchall()
    return {
        record: parse_bundle(
            open_sealed(key, sealed, info=SHARES_INFO, aad=enrolment_context(record, commitment, address)).reveal()
        )
        for record, commitment, sealed in rows
    }


def stored(network: FinishedNetwork) -> list[bytes]:
    return [network.vault.storage.get(name) for name in network.vault.storage.names(limit=10_000)]


def opens(raw: bytes, key: SecretBytes) -> bytes | None:
    try:
        return decrypt_with_data_key(raw, key)
    except NebulaError:
        return None


def manifest_of(network: FinishedNetwork, record: Address) -> bytes:
    (location,) = [found.manifest_location for found in network.records if found.record == record]
    return network.vault.storage.get(parse_location(location)[1])


def combined(loots: list[Loot], record: Address, part: str) -> SecretBytes:
    shares = []
    for loot in loots:
        (share,) = [found for found in loot[record].shares if found.part_id == part]
        shares.append(Share(share.index, SecretBytes(share.value)))
    return combine(shares)


def test_any_two_keepers_together_could_read_so_the_attack_is_a_real_one(network: FinishedNetwork) -> None:
    loots = [rob(network, number) for number in (1, 2, 3)]
    record = network.records[0].record
    for two in combinations(loots, 2):
        opened = opens(manifest_of(network, record), combined(list(two), record, MANIFEST))
        assert opened is not None
        manifest = parse_manifest(opened)
        assert manifest.record == record
        for part in manifest.parts:
            raw = network.vault.storage.get(parse_location(part.location)[1])
            assert opens(raw, combined(list(two), record, part.part_id)) is not None


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_keeper_with_storage_ledger_and_all_databases_opens_nothing(network: FinishedNetwork, number: int) -> None:
    loot, objects = rob(network, number), stored(network)
    assert 17 <= len(loot) <= 20, "all but those who withdrew"
    assert len(objects) >= 60
    record = network.records[0].record
    others = [bundle for owner, bundle in loot.items() if owner != record]
    guesses = [SecretBytes(share.value) for share in loot[record].shares]
    guesses += [combine([Share(share.index, SecretBytes(share.value))]) for share in loot[record].shares]
    # One's own share with another part's, or another person's, under any index.
    for share, other in zip(loot[record].shares, others[0].shares, strict=True):
        for index in {1, 2, 3} - {share.index}:
            mixed = (Share(share.index, SecretBytes(share.value)), Share(index, SecretBytes(other.value)))
            guesses.append(combine(mixed))
    for raw in [*objects[:12], manifest_of(network, record)]:
        assert all(opens(raw, guess) is None for guess in guesses)


def test_everything_that_32_bytes_were_ever_in_a_database_is_no_key(network: FinishedNetwork) -> None:
    """The hub's, the ledger's and one keeper's every value of a key's length, tried on a manifest and a part."""
    values = {
        value
        for party in ("hub", "keeper-1")
        for value in rows_of(network.folder / party / f"{party}.sqlite")
        if len(value) == 32
    }
    values |= {value for value in network.ledger_rows if len(value) == 32}
    values |= {
        bytes.fromhex(value[2:].decode()) for value in network.ledger_rows if len(value) == 66 and value[:2] == b"0x"
    }
    assert len(values) > 100
    raw = manifest_of(network, network.records[0].record)
    assert not any(opens(raw, SecretBytes(value)) for value in values)


def test_a_share_that_was_withdrawn_is_gone_from_every_keeper(network: FinishedNetwork) -> None:
    from nebula.localnet.supervisor import wait_until

    wait_until(
        lambda: all(network.withdrawn not in rob(network, number) for number in (1, 2, 3)),
        seconds=120,
        what="the keepers' forgetting",
    )


def test_one_keepers_shares_say_nothing_about_a_key(network: FinishedNetwork) -> None:
    """Given one share every key is as likely as any other: for each there is a share that another could hold."""
    import secrets

    (share,) = [found for found in rob(network, 1)[network.records[0].record].shares if found.part_id == MANIFEST]
    mine = Share(share.index, SecretBytes(share.value))
    keys = set()
    for _ in range(50):
        theirs = Share(share.index % 3 + 1, SecretBytes(secrets.token_bytes(32)))
        keys.add(combine([mine, theirs]).reveal())
    assert len(keys) == 50


def test_a_keeper_alone_knows_no_cohort(network: FinishedNetwork) -> None:
    for number in (1, 2, 3):
        name = f"keeper-{number}"
        key = SealingKey.from_secret(load_key(network.folder / "keys" / f"{name}.sealing"))
        with sqlite3.connect(f"file:{network.folder / name / name}.sqlite?mode=ro", uri=True) as database:
            rows = database.execute("SELECT session, note, sealed_share FROM cohorts").fetchall()
        assert len(rows) == 1, "one exact result; the noised one and the refused one left nothing"
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        from nebula.protocol.record import COHORT_INFO, cohort_context

        session, note, sealed = rows[0]
        address = network.local.keepers[number - 1].address
        context = cohort_context(session, keeper=address, reader=address)
        share = open_sealed(key, sealed, info=COHORT_INFO, aad=context)
        import base64

        ciphertext = base64.b64decode(msgspec.json.decode(note)["ciphertext"])
        with pytest.raises(InvalidTag):
            ChaCha20Poly1305(share.reveal()).decrypt(bytes(12), ciphertext, None)


# A keeper, or who stole its key, asks the others


def test_a_keeper_gets_nothing_out_of_another(network: FinishedNetwork) -> None:
    key = SigningKey.from_secret(load_key(network.folder / "keys" / "keeper-1.signing"))
    other = network.local.keepers[1]
    peer = Peer(other.url, other.address, key=key.secret, carrier=Carrier())
    public = network.runs[0]
    study, run = public.evidence.study, public.signed.receipt.run
    records = (network.records[0].record,)
    asked = (
        (MATCH, MatchRequest(study=study), MatchAnswer, "match.hub"),
        (RELEASE, ReleaseRequest(study=study_id(study), run=run, records=records), ReleaseAnswer, "session.unknown"),
        (CONFIRM, ConfirmRequest(study=study_id(study), run=run, records=records), ConfirmAnswer, "session.unknown"),
        (NONCE, NonceRequest(study=study_id(study), run=run), NonceAnswer, "study.not-open"),
    )
    for kind, request, answer, code in asked:
        with pytest.raises(NotPermittedError) as refused:
            peer.ask(kind, request, answer)
        assert refused.value.code == code
    assert peer.ask(DECISIONS, DecisionsRequest(), DecisionsAnswer).decisions == ()


def test_one_keepers_vote_registers_no_session(network: FinishedNetwork) -> None:
    """The ledger counts: a session with one vote, or with one vote twice, is none."""
    from nebula.protocol.session_vote import cast_vote, session_vote

    key = SigningKey.from_secret(load_key(network.folder / "keys" / "keeper-1.signing"))
    ledger = network.ledger()
    evidence = msgspec.structs.replace(network.runs[0].evidence, session=SigningKey.generate().address)
    vote = cast_vote(evidence, ledger.sessions.domain(network.local.addresses.chain_id), key.secret)
    for votes in ([(vote.keeper, vote.signature)], [(vote.keeper, vote.signature)] * 2):
        call = ledger.sessions.register_session(session_vote(evidence), votes)
        assert reverts(network, call.to, call.input)


def reverts(network: FinishedNetwork, to: Address, data: bytes) -> bool:
    try:
        network.ledger().client.request("eth_call", {"to": to, "data": "0x" + data.hex()}, "latest")
    except NebulaError:
        return True
    return False
