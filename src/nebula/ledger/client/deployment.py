"""Bringing the contracts onto a ledger, and finding them again.

The deployer is a key that does nothing else: the contracts' addresses follow from it and the nonces 0 to 5. So a
deployment that was interrupted is continued by running it again, and one that is complete is only looked up.
"""

import time
from collections.abc import Callable
from typing import Annotated

import msgspec
from eth_abi.abi import encode

from nebula.ledger.client.calls import MAX_TRANSACTION_GAS, artefact
from nebula.ledger.client.organizations import Organizations
from nebula.ledger.client.panels import Panels
from nebula.ledger.client.records import Records
from nebula.ledger.client.rpc import LedgerClient
from nebula.ledger.client.sessions import Sessions
from nebula.ledger.client.studies import Studies
from nebula.ledger.client.token import Token
from nebula.ledger.client.wallet import Fees, Wallet, contract_address
from nebula.protocol.errors import IntegrityError, NebulaError, RejectedInputError, UnavailableError
from nebula.protocol.ids import Address
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.wire import Document, parser

_ORDER = ("organizations", "token", "records", "sessions", "studies", "panels")
_WAIT_SECONDS = 0.25
_ROUNDS = 240
_KNOWN = frozenset(("ledger.known", "ledger.nonce-low"))


class NetworkAddresses(Document, frozen=True, kw_only=True):
    """Where a network's contracts stand. ``deployed_block``: the first block that can hold their events."""

    chain_id: Annotated[int, msgspec.Meta(ge=1, lt=2**53)]
    organizations: Address
    token: Address
    records: Address
    sessions: Address
    studies: Address
    panels: Address
    deployed_block: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


parse_network_addresses = parser(NetworkAddresses)


class Network:
    """The six contracts of one network."""

    def __init__(self, client: LedgerClient, addresses: NetworkAddresses) -> None:
        self.client = client
        self.addresses = addresses
        self.organizations = Organizations(client, addresses.organizations)
        self.token = Token(client, addresses.token)
        self.records = Records(client, addresses.records)
        self.sessions = Sessions(client, addresses.sessions)
        self.studies = Studies(client, addresses.studies)
        self.panels = Panels(client, addresses.panels)


def deploy_network(
    client: LedgerClient,
    deployer_key: SecretBytes,
    *,
    keeper_threshold: int,
    governor: Address | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> NetworkAddresses:
    """Deploy what is not there yet, and return where everything stands.

    Args:
        client: of the ledger's node.
        deployer_key: a key used for nothing else; it has some ether.
        keeper_threshold: how many keepers' votes register a session.
        governor: who registers organizations and approves measurements; the deployer if None.
        sleep: waits between looks for the blocks.

    Raises:
        RejectedInputError: the key has been used for other transactions, or has too little ether.
        UnavailableError: the ledger is away, or makes no blocks.
        IntegrityError: a network stands there, but with another threshold or governor.
    """
    wallet = Wallet(deployer_key)
    chosen = wallet.address if governor is None else governor
    addresses = {name: contract_address(wallet.address, nonce) for nonce, name in enumerate(_ORDER)}
    for _ in range(_ROUNDS):
        missing = _missing(client, addresses)
        if not missing:
            break
        _send_missing(client, wallet, missing, _arguments(addresses, chosen, keeper_threshold))
        if _missing(client, addresses):
            sleep(_WAIT_SECONDS)
    else:
        raise UnavailableError("ledger.away", "the ledger takes the contracts, but makes no block with them")
    found = NetworkAddresses(
        chain_id=client.chain_id(), deployed_block=_first_block(client, addresses[_ORDER[0]]), **addresses
    )
    _check_constructed(Network(client, found), chosen, keeper_threshold)
    return found


def _missing(client: LedgerClient, addresses: dict[str, Address]) -> list[int]:
    codes = client.results([("eth_getCode", [addresses[name], "latest"]) for name in _ORDER])
    return [nonce for nonce, code in enumerate(codes) if code == "0x"]


def _arguments(addresses: dict[str, Address], governor: Address, threshold: int) -> dict[str, bytes]:
    organizations, token, sessions = (addresses[name] for name in ("organizations", "token", "sessions"))
    return {
        "organizations": encode(["address"], [governor]),
        "token": encode(["address"], [organizations]),
        "records": b"",
        "sessions": encode(["address", "address", "uint256"], [organizations, governor, threshold]),
        "studies": encode(["address", "address", "address"], [token, organizations, sessions]),
        "panels": encode(["address"], [organizations]),
    }


def _send_missing(client: LedgerClient, wallet: Wallet, missing: list[int], arguments: dict[str, bytes]) -> None:
    used = client.nonce(wallet.address)
    if used > missing[0]:
        raise RejectedInputError(
            "ledger.deployer-used",
            f"{wallet.address} has sent other transactions, or its deployment failed",
            hint="deploy with a fresh key",
        )
    chain_id, head = client.chain_id(), client.head()
    fees = Fees.over(head.base_fee_wei, client.tip_wei())
    raws = []
    for nonce in missing:
        code = bytes.fromhex(artefact(_ORDER[nonce])["bytecode"].removeprefix("0x")) + arguments[_ORDER[nonce]]
        gas = min(500_000 + 400 * len(code), MAX_TRANSACTION_GAS)
        raws.append(wallet.sign(None, code, chain_id=chain_id, nonce=nonce, gas=gas, fees=fees).raw)
    for outcome in client.send(raws):
        if isinstance(outcome, NebulaError) and outcome.code not in _KNOWN:
            raise outcome


def _first_block(client: LedgerClient, address: Address) -> int:
    """Find the block in which an address got its code, by halving."""
    low, high = 0, client.head().number
    while low < high:
        middle = (low + high) // 2
        if client.code(address, middle):
            high = middle
        else:
            low = middle + 1
    return low


def _check_constructed(network: Network, governor: Address, threshold: int) -> None:
    if network.organizations.governor() != governor or network.sessions.threshold() != threshold:
        raise IntegrityError(
            "ledger.network", "a network with another governor or threshold was deployed with this key"
        )
