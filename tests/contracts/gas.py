"""What each step costs. ``PYTHONPATH=tests python -m contracts.gas`` writes the table anew, from the artefacts."""

import json
from pathlib import Path
from typing import Any

from web3 import Web3

from contracts.deployment import (
    BUYER,
    DESK,
    FOREVER,
    KEEPER,
    OPERATOR,
    TOKEN,
    Key,
    as_bytes,
    as_tuple,
    digest,
    hexed,
    owner_key,
    payouts_for,
    receipt_tuple,
)
from contracts.measured import MeasuredContract, MeasuringChain
from nebula.protocol import merkle, typed_data
from nebula.protocol.receipt import Payout, Receipt
from nebula.protocol.typed_data import Authorization, Domain, Funding, SessionVote

TABLE = Path(__file__).with_name("gas.json")

GOVERNOR, DESK_KEY, BUYER_KEY, RELAY = Key("governor"), Key("desk"), Key("buyer"), Key("relay")
KEEPERS = [Key(f"keeper {i}") for i in range(3)]
MEASUREMENT, TRUST_ROOT = hexed("measurement"), hexed("trust root")
COMMITMENT = digest("commitment")[:26]
checksum = Web3.to_checksum_address


class Network:
    """The contracts on a measuring chain. The hub's relay is the operator; balances are what they usually are."""

    def __init__(self) -> None:
        self.table: dict[str, int] = {}
        chain = MeasuringChain([GOVERNOR, DESK_KEY, BUYER_KEY, RELAY])
        governor = checksum(GOVERNOR.address)
        self.organizations = chain.deploy("organizations", GOVERNOR, governor)
        self.token = chain.deploy("token", GOVERNOR, self.organizations.address)
        self.records = chain.deploy("records", GOVERNOR)
        self.sessions = chain.deploy("sessions", GOVERNOR, self.organizations.address, governor, 2)
        self.studies = chain.deploy(
            "studies", GOVERNOR, self.token.address, self.organizations.address, self.sessions.address
        )
        self.panels = chain.deploy("panels", GOVERNOR, self.organizations.address)
        for key, role in ((DESK_KEY, DESK), (BUYER_KEY, BUYER), (RELAY, OPERATOR), *((k, KEEPER) for k in KEEPERS)):
            gas = self.organizations.call(GOVERNOR, "register", checksum(key.address), role, FOREVER, key.name)
            self.table.setdefault("organizations.register", gas)
        self.sessions.call(GOVERNOR, "approve_measurement", as_bytes(MEASUREMENT), as_bytes(TRUST_ROOT), True)
        for key in (BUYER_KEY, RELAY):
            amount, payment = 10**7 * TOKEN, digest(key.name)
            gas = self.token.call(DESK_KEY, "mint", checksum(key.address), amount, payment)
            self.table["token.mint"] = gas
        self.token.call(BUYER_KEY, "approve", self.studies.address, 10**12 * TOKEN)

    def domain(self, contract: MeasuredContract) -> Domain:
        return Domain(1, contract.address.lower())

    # Records

    def put(self, key: Key, version: int) -> tuple[Any, ...]:
        message = typed_data.record_put_digest(self.domain(self.records), key.address, COMMITMENT, version=version)
        return checksum(key.address), COMMITMENT, version, key.sign(message)

    def measure_records(self) -> None:
        key = Key("control key")
        self.table["records.put, first"] = self.records.call(RELAY, "put", *self.put(key, 1))
        self.table["records.put, update"] = self.records.call(RELAY, "put", *self.put(key, 2))
        message = typed_data.record_withdrawal_digest(self.domain(self.records), key.address, version=3)
        withdrawal = checksum(key.address), 3, key.sign(message)
        self.table["records.withdraw"] = self.records.call(RELAY, "withdraw", *withdrawal)
        batch = [self.put(Key(f"person {i}"), 1) for i in range(200)]
        gas = self.records.call(RELAY, "put_many", batch)
        self.table["records.put_many of 200, per record"] = -(-gas // 200)

    # Studies

    def register_session(self, study: str, session: Key) -> int:
        vote = SessionVote(
            session=session.address,
            study=study,
            run=hexed("run"),
            measurement=MEASUREMENT,
            trust_root=TRUST_ROOT,
            evidence=hexed("evidence"),
        )
        message = typed_data.session_vote_digest(self.domain(self.sessions), vote)
        votes = [key.sign(message) for key in sorted(KEEPERS[:2], key=lambda key: key.address)]
        fields = (vote.study, vote.run, vote.measurement, vote.trust_root, vote.evidence)
        return self.sessions.call(RELAY, "register_session", checksum(session.address), *map(as_bytes, fields), votes)

    def study(self, people: int, root_of: list[Payout] | None = None) -> tuple[Funding, int, int]:
        """Fund and settle a study over so many people; the fee is paid and a rest goes back."""
        funding = Funding(
            buyer=BUYER_KEY.address,
            operator=RELAY.address,
            terms_digest=hexed(f"terms over {people}"),
            measurement=MEASUREMENT,
            price_wei=TOKEN,
            fee_wei=5 * TOKEN,
            max_records=people + 10,
            deadline=FOREVER,
        )
        fund = self.studies.call(BUYER_KEY, "fund", checked(funding))
        session = Key(f"session over {people}")
        self.table["sessions.register_session, 2 votes"] = self.register_session(funding.study, session)
        payouts = payouts_for(people, TOKEN, funding.study) if root_of is None else root_of
        receipt = Receipt(
            study=funding.study,
            run=hexed("run"),
            session=session.address,
            measurement=MEASUREMENT,
            trust_root=TRUST_ROOT,
            analysis_digest=hexed("analysis"),
            consent_block_number=19_000_000,
            consent_block_hash=hexed("block"),
            use_root=hexed("uses"),
            payout_root="0x" + merkle.payout_tree(payouts).root.hex(),
            record_count=people,
            amount_wei=str(people * TOKEN),
            privacy_micro_rho=500_000,
            result_digest=hexed("result"),
            simulated=True,
        )
        signature = session.sign(typed_data.receipt_digest(self.domain(self.studies), receipt))
        _, _, session_address, *_ = fields = receipt_tuple(receipt)
        fields = tuple(checksum(field) if field == session_address else field for field in fields)
        settle = self.studies.call(RELAY, "settle", checked(funding), fields, signature)
        return funding, fund, settle

    def measure_studies(self) -> None:
        self.study(3)  # so that nobody's balance is new
        for people in (128, 1000):
            funding, fund, settle = self.study(people)
            self.table[f"studies.fund + settle, {people} records"] = fund + settle
        self.table |= {"studies.fund": fund, "studies.settle": settle}
        _, *gas = self.study(1_000_000, root_of=payouts_for(1, TOKEN, "nobody"))
        self.table["studies.fund + settle, 1000000 records"] = sum(gas)
        self.measure_claims(funding, payouts_for(1000, TOKEN, funding.study))

    def measure_claims(self, funding: Funding, payouts: list[Payout]) -> None:
        tree, study = merkle.payout_tree(payouts), as_bytes(funding.study)
        owners = [checksum(payout.address) for payout in payouts]
        gas = self.studies.call(RELAY, "claim_subtree", study, 0, TOKEN, owners[:128], merkle.subtree_proof(tree, 0))
        self.table["studies.claim_subtree of 128, per owner"] = -(-gas // 128)
        for index, receiver in ((200, Key("fresh wallet").address), (201, RELAY.address)):
            message = typed_data.claim_digest(self.domain(self.studies), funding.study, index=index, receiver=receiver)
            signature = owner_key(funding.study, index).sign(message)
            gas = self.studies.call(
                RELAY,
                "claim",
                study,
                index,
                owners[index],
                TOKEN,
                tree.proof(index),
                checksum(receiver),
                signature,
            )
            self.table["studies.claim, to a fresh address" if index == 200 else "studies.claim"] = gas

    # Panels

    def measure_panels(self) -> None:
        follows = bytes(32)
        for version, step in (("1", "panels.publish, the first of its name"), ("2", "panels.publish, a newer version")):
            panel = digest(f"panel {version}")
            self.table[step] = self.panels.call(RELAY, "publish", panel, follows, "imputation", version)
            follows = panel

    # The token

    def measure_token(self) -> None:
        self.table["token.transfer"] = self.token.call(BUYER_KEY, "transfer", checksum(RELAY.address), TOKEN)
        fresh = Key("newcomer").address
        self.table["token.transfer, to a fresh address"] = self.token.call(
            BUYER_KEY, "transfer", checksum(fresh), TOKEN
        )
        spent = Authorization(
            owner=BUYER_KEY.address,
            receiver=RELAY.address,
            amount_wei=TOKEN,
            valid_after=0,
            valid_before=FOREVER,
            nonce=digest("nonce"),
        )
        signature = BUYER_KEY.vrs(typed_data.transfer_digest(self.domain(self.token), spent))
        self.table["token.transferWithAuthorization"] = self.token.call(
            RELAY,
            "transferWithAuthorization",
            checksum(spent.owner),
            checksum(spent.receiver),
            TOKEN,
            0,
            FOREVER,
            spent.nonce,
            *signature,
        )


def checked(funding: Funding) -> tuple[Any, ...]:
    """The funding as web3 takes it: addresses with their checksum."""
    buyer, operator, *rest = as_tuple(funding)
    return checksum(buyer), checksum(operator), *rest


def measure() -> dict[str, int]:
    """Run the network's steps on a fresh chain; returns gas by step, everything included that a payer pays."""
    network = Network()
    network.measure_records()
    network.measure_studies()
    network.measure_panels()
    network.measure_token()
    return dict(sorted(network.table.items()))


if __name__ == "__main__":
    TABLE.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
