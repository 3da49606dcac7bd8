"""A thin, typed client of the ledger over plain JSON-RPC.

``rpc`` speaks to any Ethereum node; one module per contract has its reads, its calls and its events;
``deployment`` brings the contracts onto a new ledger.
"""

from nebula.ledger.client.answers import BlockRef, RawLog, TransactionReceipt
from nebula.ledger.client.calls import ContractCall
from nebula.ledger.client.deployment import Network, NetworkAddresses, deploy_network, parse_network_addresses
from nebula.ledger.client.failures import RevertedError
from nebula.ledger.client.organizations import Organizations
from nebula.ledger.client.panels import Panels
from nebula.ledger.client.records import Records
from nebula.ledger.client.rpc import LedgerClient
from nebula.ledger.client.sessions import Sessions
from nebula.ledger.client.studies import Studies
from nebula.ledger.client.token import Token

__all__ = [
    "BlockRef",
    "ContractCall",
    "LedgerClient",
    "Network",
    "NetworkAddresses",
    "Organizations",
    "Panels",
    "RawLog",
    "Records",
    "RevertedError",
    "Sessions",
    "Studies",
    "Token",
    "TransactionReceipt",
    "deploy_network",
    "parse_network_addresses",
]
