"""The embedded ledger node: py-evm over one SQLite file behind Ethereum JSON-RPC.

One block per call or batch, and each block with its state, transactions, receipts and logs in **one** SQLite
transaction: what was acknowledged survives ``kill -9``. Start with ``chain``, then ``machine`` and ``store``.
"""

from nebula.ledger.genesis import DEFAULT_CHAIN_ID, Genesis, parse_genesis
from nebula.ledger.node.check import CheckReport, check
from nebula.ledger.node.server import LedgerSettings, serve

__all__ = ["DEFAULT_CHAIN_ID", "CheckReport", "Genesis", "LedgerSettings", "check", "parse_genesis", "serve"]
