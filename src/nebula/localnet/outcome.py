"""What a story leaves behind: the result and the receipt as files, and all of it as one JSON object."""

from pathlib import Path
from typing import Any

from nebula.localnet.plot import Plot
from nebula.localnet.story import Outcome
from nebula.localnet.teller import Teller
from nebula.protocol.funding import funding_of, study_id
from nebula.protocol.money import wei_from_wire
from nebula.protocol.wire import to_canonical


def costs_wei(outcome: Outcome) -> tuple[int, int, int, int]:
    """Return the escrow, and where it went: owners, fees, back to the buyer."""
    funding = funding_of(outcome.study)
    owners_wei = wei_from_wire(outcome.receipt.amount_wei)
    return funding.escrow_wei, owners_wei, funding.fee_wei, funding.escrow_wei - owners_wei - funding.fee_wei


def to_json(plot: Plot, outcome: Outcome, teller: Teller, written: dict[str, Path]) -> dict[str, Any]:
    """Return the story as one JSON object."""
    receipt = outcome.receipt
    escrow_wei, owners_wei, fees_wei, refund_wei = costs_wei(outcome)
    return {
        "people": outcome.imported.new + outcome.imported.known,
        "records_enrolled": outcome.enrolled,
        "records_refused": len(outcome.refusals),
        "records_withdrawn": outcome.withdrawn,
        "records_used": receipt.record_count,
        "variants": outcome.imported.report.panel_sites,
        "study": study_id(outcome.study),
        "run": receipt.run,
        **{name: str(path) for name, path in written.items()},
        "escrow_wei": escrow_wei,
        "owners_wei": owners_wei,
        "fees_wei": fees_wei,
        "refund_wei": refund_wei,
        "payouts": len(outcome.payouts),
        "payouts_claimed": outcome.claimed,
        "audit": {"checks": len(outcome.audit.checks), "failed": len(outcome.audit.failed)},
        "simulated": receipt.simulated,
        "seconds": teller.seconds,
        "seed": plot.seed,
    }


def write_outcome(outcome: Outcome, folder: Path) -> dict[str, Path]:
    """Write result, receipt and public run below a folder; returns what went where."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in outcome.result.files.items():
        (folder / name).write_bytes(content)
    table = next(name for name in outcome.result.files if name in ("associations.tsv", "frequencies.tsv"))
    (folder / "receipt.json").write_bytes(to_canonical(outcome.public.signed))
    (folder / "run.json").write_bytes(to_canonical(outcome.public))
    (folder / "result.json").write_bytes(to_canonical(outcome.result))
    return {"result": folder / table, "receipt": folder / "receipt.json", "public_run": folder / "run.json"}
