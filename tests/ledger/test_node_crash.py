"""SIGKILL at any moment: what was acknowledged stands, and the chain is sound."""

import random
import signal
import threading
from pathlib import Path

from ledger.ledgers import FAUCET, free_port, start_embedded
from nebula.ledger.client import LedgerClient
from nebula.ledger.client.wallet import Fees, Wallet
from nebula.ledger.node import DEFAULT_CHAIN_ID, check
from nebula.protocol.errors import UnavailableError

ROUNDS = 3


def test_no_acknowledged_transaction_is_lost_by_kill_9(tmp_path: Path) -> None:
    wallet, dice = Wallet(FAUCET), random.Random(20017)
    acknowledged: list[str] = []
    for round_ in range(ROUNDS):
        port = free_port()
        process = start_embedded(tmp_path, port)
        client = LedgerClient(f"http://127.0.0.1:{port}", sleep=lambda _: None)
        receipts = client.receipts(acknowledged)
        assert all(receipt is not None and receipt.succeeded for receipt in receipts)

        threading.Timer(dice.uniform(0.2, 0.7), process.send_signal, [signal.SIGKILL]).start()
        nonce, width = client.nonce(wallet.address), 1 if round_ % 2 else 10
        try:
            while True:
                raws = [
                    wallet.sign(
                        "0x" + "ab" * 20,
                        b"",
                        chain_id=DEFAULT_CHAIN_ID,
                        nonce=nonce + place,
                        gas=21_000,
                        fees=Fees(10**10, 0),
                        value_wei=1,
                    ).raw
                    for place in range(width)
                ]
                answers = client.send(raws)
                acknowledged += [answer for answer in answers if isinstance(answer, str)]
                nonce += width
        except UnavailableError:
            pass
        assert process.wait(10) == -signal.SIGKILL
        client.close()

    report = check(tmp_path / "ledger.db")
    assert report.sound, report.problems
    assert report.transactions >= len(acknowledged) > ROUNDS
