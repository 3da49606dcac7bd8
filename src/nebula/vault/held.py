"""Ask the keepers what they hold of a record, and believe what enough of them and the ledger say alike.

A keeper's answer counts when its manifest commitment and policy hash to the record's slot on the ledger. The manifest's
location is not in that hash, so as many keepers as the threshold must name the same one; whether the manifest that lies
there is the right one shows when it is opened.
"""

from collections import Counter

from nebula.ledger.client.records import Slot
from nebula.protocol.consent import policy_commitment, record_commitment
from nebula.protocol.errors import NebulaError, RejectedInputError, UnavailableError
from nebula.protocol.ids import to_bytes
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import HELD, HeldAnswer, HeldRequest
from nebula.transport.client import Carrier, Peer
from nebula.vault.settings import KeeperEntry, VaultSettings


def fetch_held(settings: VaultSettings, control_key: SigningKey, slot: Slot, carrier: Carrier) -> HeldAnswer:
    """Return what the keepers hold of a live record.

    Raises:
        UnavailableError: fewer keepers than the threshold answer alike, and as the ledger says.
    """
    votes: Counter[HeldAnswer] = Counter()
    for keeper in settings.keepers:
        answer = _ask(keeper, control_key, carrier)
        if answer is not None and _fits(answer, slot):
            votes[answer] += 1
            if votes[answer] >= settings.threshold:
                return answer
    raise UnavailableError(
        "vault.held",
        f"too few keepers say alike where record {slot.record} is and what its policy is: {settings.threshold} must",
        hint="nothing is lost; try again when more keepers answer (`nebula status`)",
    )


def _ask(keeper: KeeperEntry, control_key: SigningKey, carrier: Carrier) -> HeldAnswer | None:
    peer = Peer(keeper.url, keeper.address, key=control_key.secret, carrier=carrier)
    try:
        return peer.ask(HELD, HeldRequest(), HeldAnswer)
    except (UnavailableError, RejectedInputError):
        return None


def _fits(answer: HeldAnswer, slot: Slot) -> bool:
    try:
        commitment = record_commitment(to_bytes(answer.manifest_commitment), policy_commitment(answer.policy))
    except NebulaError:
        return False
    return (answer.record, answer.version, commitment) == (slot.record, slot.version, slot.commitment)
