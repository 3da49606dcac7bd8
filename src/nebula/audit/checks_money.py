"""Checks 14 to 20: who is paid, from what; the privacy budget; the result."""

from nebula.audit.facts import RunCase
from nebula.audit.report import require
from nebula.ledger.client.studies import Claimed, StudyState, SubtreeClaimed
from nebula.ledger.client.token import Transfer
from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import to_hex
from nebula.protocol.merkle import payout_tree
from nebula.protocol.money import format_tokens, wei_from_wire
from nebula.protocol.study import ResultClass


def payout_root(case: RunCase) -> str:
    """The payouts in the file are those that receipt and ledger commit to."""
    root = to_hex(payout_tree(case.public.payouts).root)
    require(root == case.public.signed.receipt.payout_root, "the payouts are not those that the receipt commits to")
    require(root == case.settled.payout_root, "the payouts are not those that the ledger settled on")
    return f"the payouts hash to {root}"


def record_count(case: RunCase) -> str:
    """There is one payout per record, each to an address of its own, and as many as the study allows."""
    payouts, document = case.public.payouts, case.public.evidence.study
    count = case.public.signed.receipt.record_count
    require(len(payouts) == count, f"the receipt counts {count} records, but there are {len(payouts)} payouts")
    require(len({payout.address for payout in payouts}) == count, "two payouts go to one address")
    bounds = f"{document.min_records:,} to {document.max_records:,}"
    require(document.min_records <= count <= document.max_records, f"{count} records are not {bounds}")
    return f"{count} records were used and {count} payouts made; the study asked for {bounds}"


def amounts(case: RunCase) -> str:
    """Every record is paid the study's price."""
    price, receipt = case.public.evidence.study.price_per_record_wei, case.public.signed.receipt
    odd = [payout.index for payout in case.public.payouts if payout.amount_wei != price]
    require(not odd, f"payout {odd[0] if odd else ''} is not the study's price")
    total = len(case.public.payouts) * wei_from_wire(price)
    require(wei_from_wire(receipt.amount_wei) == total, "the receipt's amount is not its payouts' sum")
    return f"every record is paid {format_tokens(wei_from_wire(price))} tokens, {format_tokens(total)} together"


def escrow(case: RunCase) -> str:
    """What was locked equals payouts, fee and refund; and so the tokens moved."""
    funded, settled, studies = case.funded, case.settled, case.facts.addresses.studies
    locked = funded.price_wei * funded.max_records + funded.fee_wei
    parts = (settled.owners_wei, settled.fee_wei, settled.refund_wei)
    require(locked == sum(parts), "the escrow is not payouts, fee and refund together")
    require(settled.owners_wei == wei_from_wire(case.public.signed.receipt.amount_wei), "owners get another amount")
    require(settled.fee_wei == funded.fee_wei, "the operator gets another fee than the buyer agreed to")
    require(case.facts.state is StudyState.SETTLED, "the study's money does not stand as settled")
    case.require_moved(case.facts.funded, [Transfer(funded.buyer, studies, locked)], "the funding")
    paid = [
        Transfer(studies, funded.operator, settled.fee_wei),
        Transfer(studies, funded.buyer, settled.refund_wei),
    ]
    case.require_moved(case.facts.settled, paid, "the settlement")
    owners, fee, refund = map(format_tokens, parts)
    return f"{format_tokens(locked)} tokens locked = {owners} to owners + {fee} fee + {refund} back to the buyer"


def claims(case: RunCase) -> str:
    """Every claim is of payouts in the tree, none twice, and what is left is still in escrow."""
    paid: set[int] = set()
    total = 0
    for placed in case.facts.claims:
        claim = placed.event
        if not isinstance(claim, Claimed | SubtreeClaimed):
            raise IntegrityError("audit.claims", "an event of another kind stands among the claims")
        indices, expected = _claimed(case, claim)
        require(paid.isdisjoint(indices), f"payout {min(paid.intersection(indices), default='')} was paid twice")
        case.require_moved(placed, expected, f"the claim in block {placed.block_number}")
        paid.update(indices)
        total += sum(transfer.amount for transfer in expected)
    require(case.settled.owners_wei - total == case.facts.escrow_wei, "the escrow is not what claims leave of it")
    left = format_tokens(case.facts.escrow_wei)
    return f"{len(paid)} of {len(case.public.payouts)} payouts were claimed, each once; {left} tokens wait in escrow"


def _claimed(case: RunCase, claim: Claimed | SubtreeClaimed) -> tuple[list[int], list[Transfer]]:
    """Return which payouts a claim paid, and how the tokens must have moved."""
    payouts, studies = case.public.payouts, case.facts.addresses.studies
    indices = [claim.index] if isinstance(claim, Claimed) else claim.indices
    outside = [index for index in indices if index >= len(payouts)]
    require(indices and not outside, f"a claim paid {outside[:1] or 'nothing'}, which is no payout")
    chosen = [payouts[index] for index in indices]
    receivers = [payout.address for payout in chosen]
    if isinstance(claim, Claimed):
        require(claim.owner == chosen[0].address, "a claim names another address than its payout")
        receivers = [claim.receiver]
    amount = claim.amount if isinstance(claim, Claimed) else claim.amount_wei
    require(
        amount == sum(wei_from_wire(payout.amount_wei) for payout in chosen), "a claim's amount is not its payouts' sum"
    )
    pairs = zip(receivers, chosen, strict=True)
    return indices, [Transfer(studies, receiver, wei_from_wire(payout.amount_wei)) for receiver, payout in pairs]


def privacy(case: RunCase) -> str:
    """The privacy spent is what the study said: nothing, unless its result is noised."""
    document, spent = case.public.evidence.study, case.public.signed.receipt.privacy_micro_rho
    wanted = document.privacy_micro_rho if document.result_class is ResultClass.NOISED else 0
    require(spent == wanted, f"the run spent a privacy budget of {spent} micro-rho; the study said {wanted}")
    return f"each record spent {spent} micro-rho of its privacy budget, as the study said"


def result(case: RunCase) -> str:
    """The result at hand is the one that the receipt commits to."""
    bundle, receipt = case.result, case.public.signed.receipt
    document = case.public.evidence.study
    if bundle is None:
        raise IntegrityError("audit.result", "there is no result to compare")
    require(bundle.digest == receipt.result_digest, "the result's files are not those that the receipt commits to")
    require((bundle.study, bundle.run) == (receipt.study, receipt.run), "the result is another run's")
    told = (bundle.analysis, bundle.result_class)
    require(told == (document.analysis, document.result_class), "the result is of another analysis or class")
    return f"the result's {len(bundle.files)} files are those that the receipt commits to"
