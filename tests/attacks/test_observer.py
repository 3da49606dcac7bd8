"""Whoever holds a copy of the ledger, of every database and log, and of all that ever went over a wire.

Promises 1, 2 and 3: nothing personal stands anywhere outside the owners' vault, no commitment can be tried out, and
nobody can tell whose a payout is.
"""

import base64
import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from scipy.stats import chisquare

from attacks.network import DIAGNOSES, NAMES, FinishedNetwork, rows_of, spellings
from nebula.enclave.read_record import Owner
from nebula.enclave.receipt import settle_owners
from nebula.protocol.consent import policy_commitment
from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import to_bytes
from nebula.protocol.messages import LEAVES, LeavesAnswer, LeavesRequest
from nebula.protocol.receipt import parse_owner_leaf
from nebula.protocol.record import LEAF_INFO, mailbox_locator
from nebula.protocol.sealing import open_sealed
from nebula.protocol.signing import keccak256
from nebula.protocol.stealth import parse_meta_address
from nebula.protocol.wire import to_canonical
from nebula.vault.enrol import keys_of
from simulators.storage import MemoryStorage
from simulators.studies import make_world

pytestmark = pytest.mark.xdist_group("attacks")

Digest = Callable[[bytes], bytes]
DIGESTS: tuple[Digest, ...] = (
    keccak256,
    lambda raw: hashlib.sha256(raw).digest(),
    lambda raw: hashlib.sha512(raw).digest()[:32],
    lambda raw: hashlib.sha3_256(raw).digest(),
    lambda raw: hashlib.blake2b(raw, digest_size=32).digest(),
    lambda raw: hashlib.blake2b(raw).digest()[:32],
    lambda raw: hashlib.blake2s(raw).digest(),
    lambda raw: hashlib.md5(raw).digest(),
    lambda raw: hashlib.sha1(raw).digest(),
)


def leaks(where: bytes, secrets: dict[str, bytes]) -> list[str]:
    """Name the secrets that stand somewhere, however they are written down."""
    return [name for name, secret in secrets.items() if any(form in where for form in spellings(secret))]


def canaries(network: FinishedNetwork) -> dict[str, bytes]:
    """What is about one person and occurs nowhere else."""
    found = {name: name.encode() for name in (*NAMES, *DIAGNOSES)}
    found |= {f"trait {trait}": trait[:9].encode() for trait in network.traits}
    words = network.mnemonic.split()
    found["seed"] = " ".join(words[:4]).encode()
    return found


def plaintexts(network: FinishedNetwork) -> dict[str, bytes]:
    """Slices of every part's and manifest's plaintext that are nobody else's."""
    found: dict[str, bytes] = {}
    for record, manifest, parts in network.plaintexts():
        for place, plain in enumerate((manifest, *parts)):
            for eighth in (4, 5, 6):
                found[f"{record.label}/{place}/{eighth}"] = plain[len(plain) * eighth // 8 :][:16]
    repeated = {piece for piece, count in Counter(found.values()).items() if count > 1}
    return {name: piece for name, piece in found.items() if piece not in repeated}


def digests(network: FinishedNetwork, functions: Iterable[Digest] = DIGESTS) -> dict[str, bytes]:
    """Every unsalted digest that somebody who guesses a person could compute."""
    subjects: dict[str, bytes] = {name: name.encode() for name in (*NAMES, *DIAGNOSES, *network.traits)}
    for record, manifest, parts in network.plaintexts():
        subjects |= {f"{record.label}/{place}": plain for place, plain in enumerate((manifest, *parts))}
        subjects[f"{record.label}/policy"] = to_canonical(record.policy)
        subjects[f"{record.label}/record"] = to_bytes(record.record)
        subjects[f"{record.label}/address"] = record.record.encode()
    # Also cut short: a slot on the ledger has 26 bytes.
    return {f"{name} #{n}": digest(raw)[:20] for name, raw in subjects.items() for n, digest in enumerate(functions)}


def test_the_studies_were_real(network: FinishedNetwork) -> None:
    assert [public.signed.receipt.record_count for public in network.runs] == [20, 20]
    assert len(network.payouts(network.runs[0])) == 20


def test_a_leak_would_be_found(network: FinishedNetwork) -> None:
    """The search is only as good as this: it finds all canaries where they do stand, however they are written."""
    known = canaries(network)
    source = (network.folder / "source" / "people.tsv").read_bytes()
    assert set(leaks(source, known)) == set(known) - {"seed"}
    for shift in range(3):
        hidden = base64.b64encode(b"." * shift + source)
        assert set(leaks(hidden, known)) == set(known) - {"seed"}
    assert set(leaks(source.hex().encode(), known)) == set(known) - {"seed"}
    looked_for = {name.rpartition("/")[0] for name in plaintexts(network)}
    assert {f"{record.label}/1" for record in network.records} <= looked_for, "everybody's genotypes"
    assert len(looked_for) > 40
    assert len(network.taps["hub"].heard) > 10_000


# What stands on the ledger


def test_no_byte_of_a_person_stands_on_the_ledger(network: FinishedNetwork) -> None:
    rows = b"\xff".join(network.ledger_rows)
    assert len(rows) > 100_000
    assert leaks(rows, canaries(network)) == []
    assert leaks(rows, plaintexts(network)) == []


def test_no_digest_that_could_be_guessed_stands_on_the_ledger(network: FinishedNetwork) -> None:
    rows = b"\xff".join(network.ledger_rows)
    assert [name for name, digest in digests(network).items() if digest in rows or digest.hex().encode() in rows] == []


def test_what_stands_there_is_worthless_without_its_salt(network: FinishedNetwork) -> None:
    """The slot is a digest over two salted commitments: with another salt it is another slot."""

    rows = b"\xff".join(network.ledger_rows)
    for record in network.records[:3]:
        guessed = msgspec.structs.replace(record.policy, salt=bytes(32))
        assert policy_commitment(guessed) not in rows
        assert policy_commitment(guessed) != policy_commitment(record.policy)


def test_withdrawing_leaves_nothing_but_a_version(network: FinishedNetwork) -> None:
    (slot,) = network.ledger().records.slots([network.withdrawn])
    assert (slot.commitment, slot.version) == (None, 2)


# Who is who


def study_transactions(network: FinishedNetwork) -> list[bytes]:
    """Calldata and logs of everything that ever happened at the studies' contract."""
    studies = to_bytes(network.local.addresses.studies)
    with sqlite3.connect(f"file:{network.folder / 'ledger.sqlite'}?mode=ro", uri=True) as database:
        calls = [raw for (raw,) in database.execute("SELECT raw FROM transactions WHERE recipient = ?", (studies,))]
        logs = database.execute(
            "SELECT topic0, topic1, topic2, topic3, body FROM logs WHERE (block, position) IN "
            "(SELECT block, position FROM transactions WHERE recipient = ?)",
            (studies,),
        ).fetchall()
    return calls + [value for row in logs for value in row if value]


def test_no_record_stands_in_a_transaction_that_moves_a_studys_money(network: FinishedNetwork) -> None:
    moved = study_transactions(network)
    assert len(moved) > 10
    content = b"\xff".join(moved)
    for record in network.records:
        assert to_bytes(record.record) not in content


def test_no_payout_address_stands_where_records_are_governed(network: FinishedNetwork) -> None:
    records = to_bytes(network.local.addresses.records)
    with sqlite3.connect(f"file:{network.folder / 'ledger.sqlite'}?mode=ro", uri=True) as database:
        content = b"\xff".join(
            raw for (raw,) in database.execute("SELECT raw FROM transactions WHERE recipient = ?", (records,))
        )
    assert content
    for public in network.runs:
        for payout in public.payouts:
            assert to_bytes(payout.address) not in content


def test_no_address_is_ever_paid_twice_nor_is_anybodys_record(network: FinishedNetwork) -> None:
    addresses = [payout.address for public in network.runs for payout in public.payouts]
    assert len(addresses) == len(set(addresses)) == 40
    assert not set(addresses) & {record.record for record in network.records}


def test_payouts_of_one_study_are_alike(network: FinishedNetwork) -> None:
    for public in network.runs:
        assert len({payout.amount_wei for payout in public.payouts}) == 1


def test_nothing_that_an_owner_finds_again_is_the_same_in_two_studies(network: FinishedNetwork) -> None:
    first, second = (network.payouts(public) for public in network.runs)
    for one, other in zip(first, second, strict=True):
        assert one.record == other.record
        assert one.leaf.leaf_salt != other.leaf.leaf_salt
        assert one.leaf.ephemeral_public_key != other.leaf.ephemeral_public_key
        assert one.key != other.key
    for record in network.records:
        locators = [mailbox_locator(record.mailbox, public.signed.receipt.run) for public in network.runs]
        assert len(set(locators)) == 2


def test_payouts_follow_neither_the_order_of_records_nor_that_of_another_study(network: FinishedNetwork) -> None:
    orders = [tuple(own.leaf.payout_index for own in network.payouts(public)) for public in network.runs]
    orders += [tuple(own.leaf.use_index for own in network.payouts(public)) for public in network.runs]
    orders.append(tuple(range(20)))
    for one, other in combinations(orders, 2):
        agreeing = sum(a == b for a, b in zip(one, other, strict=True))
        assert agreeing < 10, "a chance of less than one in a million"


def test_every_place_in_a_payout_tree_is_as_likely_for_every_record(network: FinishedNetwork) -> None:
    """The order of payouts carries no information: counted over many settlements of the same people."""

    people, times = 5, 150
    owners = [keys_of(network.vault.owner, record) for record in network.records[:people]]
    metas = [parse_meta_address(keys.stealth_keys().meta_address) for keys in owners]
    settled = [
        Owner(keys.crypt4gh_identity().public_key, meta, bytes([n]) * 32)
        for n, (keys, meta) in enumerate(zip(owners, metas, strict=True))
    ]
    study = make_world(MemoryStorage(), people=40).study
    session: Any = SimpleNamespace(evidence=SimpleNamespace(study=study, run="0x" + "11" * 32))
    records = [record.record for record in network.records[:people]]
    places: Counter[tuple[int, int]] = Counter()

    for _ in range(times):
        settlement = settle_owners(session, records, settled)
        for leaf in settlement.leaves:
            for n, keys in enumerate(owners):
                if leaf.locator == mailbox_locator(bytes([n]) * 32, "0x" + "11" * 32):
                    opened = open_sealed(keys.crypt4gh_identity(), leaf.sealed, info=LEAF_INFO, aad=b"0x" + b"11" * 32)
                    found = parse_owner_leaf(opened.reveal())
                    places[n, found.payout_index] += 1
    counts = [places[n, place] for n in range(people) for place in range(people)]
    assert chisquare(counts).pvalue > 1e-9


# Databases, logs, files and wires of every party but the vault


def test_no_party_but_the_vault_holds_anything_about_a_person(network: FinishedNetwork) -> None:
    secrets = canaries(network) | plaintexts(network)
    found = {place: leaks(content, secrets) for place, content in network.databases().items()}
    assert {place: names for place, names in found.items() if names} == {}
    looked_into = {place.partition("/")[0] for place in found}
    assert looked_into >= {"hub", "host", "buyer", "keeper-1", "keeper-2", "keeper-3", "logs", "storage"}


def test_no_wire_ever_carried_anything_about_a_person(network: FinishedNetwork) -> None:
    secrets = canaries(network) | plaintexts(network)
    for name, tap in network.taps.items():
        heard = tap.heard
        assert len(heard) > 1000, name
        assert leaks(heard, secrets) == [], name


def test_keepers_and_hub_and_ledger_together_cannot_try_a_guess(network: FinishedNetwork) -> None:
    """Part and manifest digests stand in the encrypted manifest alone."""
    everything = b"\xff".join(network.databases().values()) + b"".join(tap.heard for tap in network.taps.values())
    guessable = {
        name: digest
        for name, digest in digests(network, (keccak256, DIGESTS[1], DIGESTS[4])).items()
        if "/policy" not in name and "/record" not in name and "/address" not in name
    }
    found = [name for name, digest in guessable.items() if digest in everything or digest.hex().encode() in everything]
    assert found == []


def test_the_hub_has_no_policy_and_no_name_of_a_share(network: FinishedNetwork) -> None:
    content = b"\xff".join(rows_of(network.folder / "hub" / "hub.sqlite"))
    for record in network.records:
        assert record.policy.salt not in content
        assert all(form not in content for form in spellings(record.policy.salt))
        assert record.manifest_location.encode() not in content


def test_a_payout_says_nothing_to_a_record_and_a_record_nothing_to_a_payout(network: FinishedNetwork) -> None:
    """Outside the enclave no row anywhere has a record and one of its payout addresses side by side."""
    for party in ("hub", "keeper-1", "keeper-2", "keeper-3"):
        path = network.folder / party / f"{party}.sqlite"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = [row for table in tables for row in database.execute(f'SELECT * FROM "{table}"')]
        addresses = {payout.address.encode() for public in network.runs for payout in public.payouts}
        records = {record.record.encode() for record in network.records}
        for row in rows:
            content = b"\xff".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
            has_record = any(record in content for record in records)
            has_payout = any(address in content for address in addresses)
            assert not (has_record and has_payout), party


def test_the_second_of_two_studies_that_would_tell_who_withdrew_gave_no_result(network: FinishedNetwork) -> None:
    assert "fewer than 10 people" in network.refused_detail


def test_another_owners_leaf_does_not_open(network: FinishedNetwork) -> None:

    run = network.runs[0].signed.receipt.run
    leaves = network.others.hub.ask(LEAVES, LeavesRequest(run=run), LeavesAnswer).leaves
    assert len({len(leaf.sealed) for leaf in leaves}) == 1
    me = network.records[0]
    identity, mine = keys_of(network.vault.owner, me).crypt4gh_identity(), mailbox_locator(me.mailbox, run)
    for leaf in leaves:
        if leaf.locator != mine:
            with pytest.raises(IntegrityError):
                open_sealed(identity, leaf.sealed, info=LEAF_INFO, aad=run.encode())
