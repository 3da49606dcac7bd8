"""A chain that takes real transactions, so that gas is what people pay: intrinsic, calldata, execution, refunds."""

import json
from typing import Any

from coincurve import PrivateKey
from eth import constants
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth_account import Account
from eth_utils import to_canonical_address
from web3 import Web3

from contracts.deployment import SOURCES, Key

ARTEFACTS = SOURCES.parent / "src" / "nebula" / "ledger" / "artefacts"
BLOCK_GAS = 100_000_000
GENESIS_TIME = 1_800_000_000


class MeasuringChain:
    """One open block on which each transaction runs with cold access lists, as on any chain."""

    def __init__(self, payers: list[Key]) -> None:
        configured = MiningChain.configure(
            __name__="Measured", vm_configuration=((constants.GENESIS_BLOCK_NUMBER, PragueVM),), chain_id=1
        )
        rich = {"balance": 10**24, "nonce": 0, "code": b"", "storage": {}}
        self.chain = configured.from_genesis(
            AtomicDB(),
            {"difficulty": 0, "gas_limit": BLOCK_GAS, "timestamp": GENESIS_TIME},
            {to_canonical_address(key.address): rich for key in payers},
        )
        self.nonces = dict.fromkeys((key.name for key in payers), 0)
        self.refused: list[str] = []

    def send(self, payer: Key, to: str | None, data: bytes) -> tuple[int, Any]:
        """Apply a transaction; returns the gas that it used and its computation. It must not fail."""
        vm = self.chain.get_vm()
        transaction = {
            "nonce": self.nonces[payer.name],
            "to": Web3.to_checksum_address(to) if to else b"",
            "value": 0,
            "data": data,
            "gas": 16_777_216,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 0,
            "chainId": 1,
            "type": 2,
        }
        raw = Account.sign_transaction(transaction, PrivateKey(payer.secret.reveal()).secret).raw_transaction
        before = self.chain.header.gas_used
        _, receipt, computation = self.chain.apply_transaction(vm.get_transaction_builder().decode(raw))
        self.nonces[payer.name] += 1
        if computation.is_error:
            raise AssertionError(f"the transaction failed: {computation.output!r}")
        used = receipt.gas_used - before
        self.chain.mine_block()
        return used, computation

    def deploy(self, name: str, payer: Key, *arguments: Any) -> "MeasuredContract":
        artefact = json.loads((ARTEFACTS / f"{name}.json").read_text(encoding="utf-8"))
        factory = Web3().eth.contract(abi=artefact["abi"], bytecode=artefact["bytecode"])
        data = bytes.fromhex(factory.constructor(*arguments).data_in_transaction[2:])
        gas, computation = self.send(payer, None, data)
        address = Web3.to_checksum_address(computation.msg.storage_address)
        return MeasuredContract(self, address, factory, gas)


class MeasuredContract:
    """A contract whose every call tells its gas."""

    def __init__(self, chain: MeasuringChain, address: str, factory: Any, deployment_gas: int) -> None:
        self.chain, self.address, self.factory = chain, address, factory
        self.deployment_gas = deployment_gas

    def call(self, payer: Key, function: str, *arguments: Any) -> int:
        data = bytes.fromhex(self.factory.encode_abi(function, args=list(arguments))[2:])
        gas, _ = self.chain.send(payer, self.address, data)
        return gas
