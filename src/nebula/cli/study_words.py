"""How a study is told: its terms, its money, where its run stands."""

from nebula.protocol.funding import study_id
from nebula.protocol.money import format_tokens, wei_from_wire
from nebula.protocol.study import StudyDocument
from nebula.transport.public import RunStanding

MOST_LISTED = 10
MONEY = {
    "unknown": "not funded",
    "funded": "in escrow",
    "settled": "settled: owners and fee are paid, the rest came back",
    "refunded": "taken back",
}


def terms(document: StudyDocument) -> dict[str, str]:
    """A study's terms, for people."""
    parameters = [f"{name} {_value(value)}" for name, value in document.parameters.items()]
    return {
        "study": study_id(document),
        "title": document.title,
        "summary": document.summary,
        "purpose": ", ".join([*document.purpose.purposes, *document.purpose.diseases]),
        "analysis": "; ".join([document.analysis, *parameters]),
        "result": document.result_class.value,
        "records": f"{document.min_records:,} to {document.max_records:,}, at {price(document)} tokens each",
        "escrow": f"{tokens(document.escrow_wei)}, {tokens(wei_from_wire(document.fee_wei))} of it the operator's fee",
        "deadline": f"{document.deadline_at:%Y-%m-%d %H:%M} UTC",
    }


def _value(value: object) -> object:
    """A parameter; a score's rows or a list of regions by their number."""
    return f"({len(value):,} of them)" if isinstance(value, list) and len(value) > MOST_LISTED else value


def facts(document: StudyDocument) -> dict[str, object]:
    """A study's terms, for programs."""
    return {
        "study": study_id(document),
        "title": document.title,
        "analysis": document.analysis,
        "result_class": document.result_class,
        "price_per_record_wei": document.price_per_record_wei,
        "fee_wei": document.fee_wei,
        "escrow_wei": str(document.escrow_wei),
        "min_records": document.min_records,
        "max_records": document.max_records,
        "deadline": document.deadline,
    }


def run_words(standing: RunStanding | None) -> str:
    """Where a run stands; None: it was never started."""
    if standing is None:
        return "not started"
    return f"{standing.state}: {standing.detail}" if standing.detail else standing.state


def tokens(amount_wei: int) -> str:
    """An amount, with its unit."""
    return f"{format_tokens(amount_wei)} tokens"


def price(document: StudyDocument) -> str:
    """What each record earns, in tokens."""
    return format_tokens(wei_from_wire(document.price_per_record_wei))


def day(document: StudyDocument) -> str:
    """The day of the deadline."""
    return f"{document.deadline_at:%Y-%m-%d}"
