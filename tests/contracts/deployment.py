"""All six contracts on a fresh chain, the parties' keys, and the steps of a study: what contract tests start from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import boa
import msgspec

from nebula.protocol import merkle, typed_data
from nebula.protocol.receipt import Payout, Receipt
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signing import address_of_secret, keccak256, sign_digest
from nebula.protocol.typed_data import Domain, Funding, SessionVote

SOURCES = Path(__file__).resolve().parent.parent.parent / "contracts"
ZERO = "0x" + "00" * 20
BUYER, LAB, OPERATOR, KEEPER, DESK, ACCREDITED = 1, 2, 4, 8, 16, 32
UNKNOWN, FUNDED, SETTLED, REFUNDED = range(4)
FOREVER = 2**40
TOKEN = 10**18
NO_SIGNATURE = bytes(65)


def digest(text: str) -> bytes:
    return keccak256(text.encode())


def hexed(text: str) -> str:
    return "0x" + digest(text).hex()


@dataclass(frozen=True)
class Key:
    """A party's key, from its name."""

    name: str

    @cached_property
    def secret(self) -> SecretBytes:
        return SecretBytes(digest(f"key of {self.name}"))

    @cached_property
    def address(self) -> str:
        return address_of_secret(self.secret)

    def sign(self, message: bytes) -> bytes:
        return sign_digest(self.secret, message)

    def vrs(self, message: bytes) -> tuple[int, bytes, bytes]:
        signature = self.sign(message)
        return signature[64], signature[:32], signature[32:64]


def deployers() -> dict[str, Any]:
    """Compile every contract once."""
    names = ("organizations", "token", "records", "sessions", "studies", "panels")
    return {name: boa.load_partial(str(SOURCES / f"{name}.vy")) for name in names}


@dataclass
class Deployment:
    """The network's ledger on its first day: everybody registered, the buyer rich, one measurement approved."""

    compiled: dict[str, Any]
    threshold: int = 2
    governor: Key = Key("governor")
    desk: Key = Key("desk")
    buyer: Key = Key("buyer")
    operator: Key = Key("operator")
    session: Key = Key("session")
    keepers: Sequence[Key] = field(default_factory=lambda: [Key(f"keeper {i}") for i in range(3)])
    stranger: Key = Key("stranger")
    measurement: str = field(default_factory=lambda: hexed("measurement"))
    trust_root: str = field(default_factory=lambda: hexed("trust root"))

    def __post_init__(self) -> None:
        compiled, governor = self.compiled, self.governor.address
        self.organizations = compiled["organizations"].deploy(governor)
        self.token = compiled["token"].deploy(self.organizations)
        self.records = compiled["records"].deploy()
        self.sessions = compiled["sessions"].deploy(self.organizations, governor, self.threshold)
        self.studies = compiled["studies"].deploy(self.token, self.organizations, self.sessions)
        self.panels = compiled["panels"].deploy(self.organizations)
        for key, role in ((self.desk, DESK), (self.buyer, BUYER), (self.operator, OPERATOR)):
            self.register(key, role)
        for keeper in self.keepers:
            self.register(keeper, KEEPER)
        self.sessions.approve_measurement(as_bytes(self.measurement), as_bytes(self.trust_root), True, sender=governor)
        self.mint(self.buyer, 1_000_000 * TOKEN)
        self.token.approve(self.studies, 2**256 - 1, sender=self.buyer.address)

    # Parties

    def domain(self, contract: Any) -> Domain:
        return Domain(boa.env.evm.chain.chain_id, str(contract.address).lower())

    def register(self, key: Key, roles: int, until: int = FOREVER) -> None:
        self.organizations.register(key.address, roles, until, key.name, sender=self.governor.address)

    def mint(self, key: Key, amount: int, payment: str | None = None) -> None:
        name = payment or f"payment {self.token.totalSupply()}"
        self.token.mint(key.address, amount, digest(name), sender=self.desk.address)

    @property
    def now(self) -> int:
        return int(boa.env.evm.patch.timestamp)

    # A study

    def funding(self, **changes: Any) -> Funding:
        usual = Funding(
            buyer=self.buyer.address,
            operator=self.operator.address,
            terms_digest=hexed("terms"),
            measurement=self.measurement,
            price_wei=2 * TOKEN,
            fee_wei=5 * TOKEN,
            max_records=10,
            deadline=self.now + 86_400,
        )
        return replace(usual, **changes)

    def fund(self, funding: Funding) -> str:
        return "0x" + self.studies.fund(as_tuple(funding), sender=funding.buyer).hex()

    def vote(self, **changes: Any) -> SessionVote:
        usual = SessionVote(
            session=self.session.address,
            study=hexed("study"),
            run=hexed("run"),
            measurement=self.measurement,
            trust_root=self.trust_root,
            evidence=hexed("evidence"),
        )
        return replace(usual, **changes)

    def votes(self, vote: SessionVote, keepers: Iterable[Key]) -> list[bytes]:
        message = typed_data.session_vote_digest(self.domain(self.sessions), vote)
        return [keeper.sign(message) for keeper in sorted(keepers, key=lambda keeper: keeper.address)]

    def register_session(self, vote: SessionVote, signatures: Sequence[bytes]) -> None:
        fields = (vote.study, vote.run, vote.measurement, vote.trust_root, vote.evidence)
        self.sessions.register_session(vote.session, *map(as_bytes, fields), list(signatures))

    def vouch(self, study: str, session: Key | None = None) -> None:
        vote = self.vote(study=study, session=(session or self.session).address)
        self.register_session(vote, self.votes(vote, self.keepers[:2]))

    def receipt(self, study: str, payouts: Sequence[Payout], /, **changes: Any) -> Receipt:
        usual = Receipt(
            study=study,
            run=hexed("run"),
            session=self.session.address,
            measurement=self.measurement,
            trust_root=self.trust_root,
            analysis_digest=hexed("analysis"),
            consent_block_number=7,
            consent_block_hash=hexed("block"),
            use_root=hexed("uses"),
            payout_root="0x" + merkle.payout_tree(payouts).root.hex(),
            record_count=len(payouts),
            amount_wei=str(sum(int(payout.amount_wei) for payout in payouts)),
            privacy_micro_rho=0,
            result_digest=hexed("result"),
            simulated=True,
        )
        return msgspec.structs.replace(usual, **changes)

    def settle(self, funding: Funding, receipt: Receipt, signature: bytes | None = None) -> None:
        signed = signature if signature is not None else self.sign_receipt(receipt)
        self.studies.settle(as_tuple(funding), receipt_tuple(receipt), signed)

    def sign_receipt(self, receipt: Receipt, session: Key | None = None) -> bytes:
        return (session or self.session).sign(typed_data.receipt_digest(self.domain(self.studies), receipt))

    def settled(self, people: int = 4, **changes: Any) -> tuple[str, list[Payout]]:
        """Take a study from its funding to its settlement."""
        funding = self.funding(max_records=max(10, people), **changes)
        study = self.fund(funding)
        session = Key(f"session of {study}")
        self.vouch(study, session)
        payouts = payouts_for(people, funding.price_wei, study)
        receipt = self.receipt(study, payouts, session=session.address)
        self.settle(funding, receipt, self.sign_receipt(receipt, session))
        return study, payouts

    def claim_subtree(self, study: str, payouts: Sequence[Payout], subtree: int = 0) -> None:
        within = payouts[subtree * 128 : (subtree + 1) * 128]
        proof = merkle.subtree_proof(merkle.payout_tree(payouts), subtree)
        owners = [payout.address for payout in within]
        self.studies.claim_subtree(as_bytes(study), subtree, int(within[0].amount_wei), owners, list(proof))

    def claim(self, study: str, payouts: Sequence[Payout], index: int, receiver: str, **forged: Any) -> None:
        key = owner_key(study, index)
        message = typed_data.claim_digest(self.domain(self.studies), study, index=index, receiver=receiver)
        payout = payouts[index]
        self.studies.claim(
            as_bytes(study),
            index,
            payout.address,
            forged.get("amount", int(payout.amount_wei)),
            forged.get("proof", list(merkle.payout_tree(payouts).proof(index))),
            forged.get("redirected", receiver),
            forged.get("signature", key.sign(message)),
        )


@lru_cache(maxsize=10_000)
def owner_key(study: str, index: int) -> Key:
    return Key(f"owner {index} of {study}")


def payouts_for(people: int, amount: int, study: str) -> list[Payout]:
    """One payout each, to one-time keys whose secrets the tests know."""
    return [
        Payout(index=index, address=owner_key(study, index).address, amount_wei=str(amount)) for index in range(people)
    ]


def as_bytes(value: str) -> bytes:
    return bytes.fromhex(value[2:])


def as_tuple(funding: Funding) -> tuple[Any, ...]:
    """The funding as the contract takes it."""
    return (
        funding.buyer,
        funding.operator,
        as_bytes(funding.terms_digest),
        as_bytes(funding.measurement),
        funding.price_wei,
        funding.fee_wei,
        funding.max_records,
        funding.deadline,
    )


def receipt_tuple(receipt: Receipt) -> tuple[Any, ...]:
    """The receipt as the contract takes it."""
    fields = msgspec.structs.asdict(receipt)
    fields["amount_wei"] = int(receipt.amount_wei)
    return tuple(as_bytes(value) if isinstance(value, str) and len(value) == 66 else value for value in fields.values())
