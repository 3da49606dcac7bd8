"""How many records a keeper releases a second: signatures, consent, log, budgets and sealing, all of it.

    PYTHONPATH=tests python benchmarks/key_release.py [--records 2000]

One keeper with SQLite on disk (every commit synced), one process, one core. Owners enrol, stand on the ledger, and a
session on simulated hardware asks in pages of 1,000. Timed is the whole answer: open and check the envelope, note it
against replay, read slots, decide, write log and budgets, open and seal the shares, sign the answer. Once with slots
from memory (the keeper alone), and once from an embedded ledger node over JSON-RPC (its own process).
"""

import argparse
import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from keeper.world import NOW, EnclaveSession, Owner, World
from ledger.ledgers import Ledger, embedded, make_market
from nebula.attestation.simulator.pki import DevelopmentPki
from nebula.database.replay import ReplayGuard
from nebula.keeper.app import handlers
from nebula.keeper.ledger_view import Block, Slot
from nebula.keeper.node_ledger import NodeLedger
from nebula.keeper.tables import seen_messages
from nebula.ledger.client.records import MAX_PUTS, Put
from nebula.protocol.envelope import open_envelope, seal_envelope
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address
from nebula.protocol.messages import RELEASE, RELEASE_PAGE, ReleaseAnswer, ReleaseRequest
from nebula.protocol.signing import sign_digest
from nebula.protocol.typed_data import record_put_digest
from nebula.protocol.wire import MAX_MESSAGE_BYTES, parser, to_canonical
from simulators.ledger import SimulatedLedger
from simulators.sgx import SgxHardware

ROUNDS = 3
_parse = parser(ReleaseRequest, max_bytes=MAX_MESSAGE_BYTES)


class SlotsFromNode:
    """The simulated ledger, but records' slots come from a real node."""

    def __init__(self, simulated: SimulatedLedger, node: NodeLedger) -> None:
        self._simulated, self._node = simulated, node

    def __getattr__(self, name: str) -> object:
        return getattr(self._simulated, name)

    def slots(self, records: Sequence[Address], _at: Block) -> list[Slot]:
        """Read from the node's newest block."""
        return self._node.slots(records, self._node.newest_block())


def register(ledger: Ledger, owners: list[Owner]) -> NodeLedger:
    """Put the owners' records on a real ledger."""
    market = make_market(ledger)
    domain = market.network.records.domain(ledger.client.chain_id())
    for start in range(0, len(owners), MAX_PUTS):
        puts = []
        for owner in owners[start : start + MAX_PUTS]:
            digest = record_put_digest(domain, owner.record, owner.commitment, version=1)
            puts.append(Put(owner.record, owner.commitment, 1, sign_digest(owner.key.secret, digest)))
        ledger.transact(market.buyer.secret, market.network.records.put_many(puts))
    return NodeLedger(ledger.client, market.network.addresses)


def ask(world: World, session: EnclaveSession, records: tuple[Address, ...]) -> ReleaseAnswer:
    """One page, as the server answers it, from the request's bytes to the answer's."""
    keeper = world.keeper
    request = ReleaseRequest(study=study_id(session.study), run=session.run, records=records)
    raw = seal_envelope(
        RELEASE.name,
        request,
        key=session.signing.secret,
        recipient=keeper.address,
        at=NOW,
        nonce=secrets.token_bytes(16),
    )
    start = time.perf_counter()
    message = open_envelope(raw, me=keeper.address, at=NOW, kinds=frozenset({RELEASE.name}))
    ReplayGuard(keeper.engine, seen_messages).admit(message)
    answer = handlers(keeper, world.judge)[RELEASE](_parse(message.body), message)
    seal_envelope(
        RELEASE.name, answer, key=keeper.signing_key, recipient=session.address, at=NOW, nonce=secrets.token_bytes(16)
    )
    ask.seconds += time.perf_counter() - start  # type: ignore[attr-defined]
    assert isinstance(answer, ReleaseAnswer)
    return answer


def measure(name: str, world: World, owners: list[Owner]) -> None:
    """Print the best and the slowest of some rounds, each of them a run of its own."""
    rates = []
    records = tuple(owner.record for owner in owners)
    for _ in range(ROUNDS):
        session = world.session(world.study(privacy_micro_rho=3), run="0x" + secrets.token_hex(32))
        ask.seconds = 0.0  # type: ignore[attr-defined]
        released = 0
        for start in range(0, len(records), RELEASE_PAGE):
            released += len(ask(world, session, records[start : start + RELEASE_PAGE]).released)
        assert released == len(records)
        rates.append(released / ask.seconds)  # type: ignore[attr-defined]
    print(f"{name:<40}{max(rates):8,.0f} records/s   (slowest of {ROUNDS}: {min(rates):,.0f})")


def main() -> None:
    """Enrol, register, release."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--records", type=int, default=2000)
    count = asked.parse_args().records
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hardware = SgxHardware(DevelopmentPki.create(folder / "pki", at=NOW), at=NOW)
        world = World(f"sqlite:///{folder}/keeper.db", hardware)
        owners = [world.stranger() for _ in range(count)]
        start = time.perf_counter()
        for first in range(0, count, 500):
            assert world.enrol(*owners[first : first + 500]).refused == ()
        print(f"{'enrolment':<40}{count / (time.perf_counter() - start):8,.0f} records/s")
        for owner in owners:
            world.ledger.put(owner.record, owner.commitment, 1)
        measure("release, slots from memory", world, owners)
        with embedded(folder) as ledger:
            node = register(ledger, owners)
            world.keeper = world.restarted(ledger=SlotsFromNode(world.ledger, node))
            measure("release, slots from the embedded ledger", world, owners)
        size = len(to_canonical(owners[0].enrolment))
        print(f"one enrolment has {size:,} bytes; the needed rate is 300 records/s")
        world.engine.dispose()


if __name__ == "__main__":
    main()
