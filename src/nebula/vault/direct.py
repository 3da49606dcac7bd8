"""What an owner sends to the ledger alone, with a wallet of their own that pays the gas: nobody can be in the way.

Effects stand in the vault's outbox before they are sent, so that one that was interrupted goes on. A wallet that sends
for several records shows that these belong together: that is the price of doing without the hub.
"""

from pathlib import Path

from sqlalchemy import Engine

from nebula.ledger.client import ContractCall, LedgerClient, RevertedError
from nebula.ledger.relay import Outcome, Relay
from nebula.protocol.errors import NotPermittedError, RejectedInputError
from nebula.protocol.keys import SigningKey
from nebula.transport.keyfiles import load_key
from nebula.vault import tables
from nebula.vault.enrol import Network
from nebula.vault.settings import VaultSettings


def load_wallet(folder: Path, settings: VaultSettings, file: Path | None = None) -> SigningKey:
    """Read the owner's wallet: the file that is named, or the one in the vault's settings.

    Raises:
        RejectedInputError: there is none.
    """
    if file is None and settings.wallet_file is None:
        raise RejectedInputError(
            "vault.wallet",
            "no wallet is named, and sending without the hub costs gas",
            hint="--wallet FILE names a key with some ether: 64 hex digits, readable by you alone",
        )
    return SigningKey.from_secret(load_key(file or folder / (settings.wallet_file or "")))


class Direct:
    """The ledger, as an owner's own wallet acts on it."""

    def __init__(self, engine: Engine, network: Network, wallet: SigningKey) -> None:
        self._ledger: LedgerClient = network.ledger
        self._chain_id = network.settings.chain_id
        self._relay = Relay(engine, tables.outbox, self._ledger, wallet.secret, chain_id=self._chain_id)
        self.address = wallet.address

    def send(self, key: str, call: ContractCall) -> Outcome:
        """Have a call done once, under a key that names it, and return where it stands.

        Raises:
            NotPermittedError: the wallet has no ether, or the contract refuses.
            UnavailableError: the ledger is away; the effect waits in the outbox.
        """
        if self._relay.outcome(key) is None:
            self._ledger.require_chain(self._chain_id)
            if not self._ledger.balance_wei(self.address):
                raise NotPermittedError(
                    "vault.no-ether",
                    f"the wallet {self.address} has no ether to pay the gas with",
                    hint="send it some, name another with --wallet, or let the hub carry it",
                )
            self._relay.submit(key, call)
        try:
            return self._relay.wait(key)
        except RevertedError as error:
            raise NotPermittedError("ledger.refused", f"the ledger refuses: {error.reason}") from error
