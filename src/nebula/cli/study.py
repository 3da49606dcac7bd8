"""``nebula study publish|fund|run|show|list|result|meta|refund``: a buyer's question, from its terms to its answer."""

import time
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated

from cyclopts import App, Parameter

from nebula.buyer import Buyer
from nebula.buyer.results import write_result
from nebula.cli import asking
from nebula.cli.buying import OwnStudy, open_buyer, open_shelf, open_study
from nebula.cli.console import err, out, print_json, short, show_facts, show_table
from nebula.cli.hints import tell
from nebula.cli.options import OF_BUYER, BuyerOptions, Json, Yes
from nebula.cli.study_meta import meta
from nebula.cli.study_publish import publish
from nebula.cli.study_words import MONEY, day, facts, price, run_words, terms, tokens
from nebula.ledger.client import RevertedError
from nebula.ledger.client.studies import StudyState
from nebula.protocol.errors import NotPermittedError, UnavailableError
from nebula.protocol.receipt import Receipt
from nebula.protocol.result import ResultBundle
from nebula.protocol.study import StudyDocument

study = App(name="study", help="For buyers: ask a question of everyone whose consent permits it.")

POLL_SECONDS = 0.5
_NOT_RUN = ("matching", "ordered")
study.command(publish)
study.command(meta)


@study.command
def fund(study: str, *, yes: Yes = False, at: BuyerOptions = OF_BUYER, json: Json = False) -> None:
    """Lock a study's escrow. What is not paid to owners comes back.

    Args:
        study: the study's id, or a prefix of it.
    """
    own = open_study(at, study)
    if own.buyer.study_state(own.study) is StudyState.UNKNOWN:
        own.buyer.require_runnable(own.document)
        most = f"at most {own.document.max_records:,} records at {price(own.document)} tokens"
        err.print(f"{own.document.title}: {most}", markup=False)
        err.print(
            f"  the escrow is {tokens(own.document.escrow_wei)}, of {tokens(own.buyer.balance_wei())} that you have"
        )
        asking.agree("Shall it be locked?", yes=yes)
    try:
        outcome = own.buyer.fund(own.document)
    except RevertedError as error:
        raise NotPermittedError("study.fund", f"the ledger refuses: {error.reason}") from error
    block = None if outcome is None else outcome.block_number
    if json:
        print_json({"study": own.study, "escrow_wei": str(own.document.escrow_wei), "block": block})
        return
    said = "was locked before" if block is None else f"is locked, with block {block}"
    out.print(f"The escrow of {tokens(own.document.escrow_wei)} {said}.")
    tell(f"Next: `nebula study run {short(own.study)} --follow`")


@study.command
def run(
    study: str,
    *,
    follow: Annotated[bool, Parameter(name=["--follow", "-f"], negative="")] = False,
    at: BuyerOptions = OF_BUYER,
    json: Json = False,
) -> None:
    """Have a funded study run, or see where its run stands. A study runs once.

    Args:
        study: the study's id, or a prefix of it.
        follow: wait until everyone is paid.
    """
    own = open_study(at, study)
    answer = own.buyer.run(own.document)
    state, detail = answer.state, answer.detail
    if state in _NOT_RUN:
        _require_runnable(own)
    if follow:
        state, detail = _follow(own.buyer, own.document)
    if json:
        print_json({"study": own.study, "run": answer.run, "state": state, "detail": detail})
    else:
        out.print(f"run {answer.run}: {state}" + (f", {detail}" if detail else ""))
    _require_result(own, state, detail)
    if not json and state == "paid":
        tell(f"Next: `nebula study result {short(own.study)}`")


def _require_result(own: OwnStudy, state: str, detail: str | None) -> None:
    """Refuse to go on with a run that has ended without a result."""
    if state not in ("failed", "refunded"):
        return
    back = f"the escrow comes back after {day(own.document)}: `nebula study refund {short(own.study)}`"
    raise NotPermittedError(
        "study.failed",
        f"the run ended without a result: {detail}",
        hint=None if state == "refunded" else back,
    )


@study.command
def show(study: str, *, at: BuyerOptions = OF_BUYER, json: Json = False) -> None:
    """Show a study's terms, where its money is by the ledger, and where its run stands by the hub.

    Args:
        study: the study's id, or a prefix of it.
    """
    own = open_study(at, study)
    money, standing = own.buyer.study_state(own.study).name.lower(), own.buyer.standing(own.document)
    if json:
        print_json(facts(own.document) | {"money": money, "run": standing, "document": own.document})
        return
    show_facts(terms(own.document) | {"money": MONEY[money], "run": run_words(standing)})


@study.command(name="list")
def list_studies(*, at: BuyerOptions = OF_BUYER, json: Json = False) -> None:
    """List the studies that were published from here."""
    _, buyer = open_buyer(at)
    shelf = open_shelf(at)
    found = [shelf.find(one) for one in shelf.all()]
    rows = [(one, document, buyer.study_state(one).name.lower()) for one, document in found]
    if json:
        print_json({"studies": [facts(document) | {"money": money} for _, document, money in rows]})
    elif not rows:
        tell("None yet: `nebula study publish --help` tells how.")
    else:
        show_table(
            ("study", "title", "analysis", "escrow", "money", "deadline"),
            [
                (
                    short(one),
                    document.title,
                    document.analysis,
                    tokens(document.escrow_wei),
                    MONEY[money].partition(":")[0],
                    day(document),
                )
                for one, document, money in rows
            ],
            numbers=("escrow",),
        )


@study.command
def result(
    study: str, *, to: Path | None = None, plots: bool = True, at: BuyerOptions = OF_BUYER, json: Json = False
) -> None:
    """Open a study's result, check it against the receipt that the ledger settled on, and write it into a folder.

    Args:
        study: the study's id, or a prefix of it.
        to: the folder; by default one of the study's own below DIR/results.
        plots: whether to draw plots of the tables, as PNG and SVG.
    """
    own = open_study(at, study)
    try:
        public = own.buyer.public_run(own.document)
    except UnavailableError:
        # Where the ledger has settled, that counts; else the hub may know that nothing will come.
        if (standing := own.buyer.standing(own.document)) is not None:
            _require_result(own, standing.state, standing.detail)
        raise
    bundle = own.buyer.result(public.signed.receipt)
    folder = to or at.folder / "results" / short(own.study)
    written = write_result(bundle, public, folder)
    if plots:
        written |= _draw(bundle, public.signed.receipt, folder, title=own.document.title)
    if json:
        files = {name: str(path) for name, path in written.items()}
        receipt = public.signed.receipt
        print_json({"study": own.study, "run": receipt.run, "records": receipt.record_count, "files": files})
        return
    receipt = public.signed.receipt
    opened = f"{receipt.record_count:,} records, opened and equal to the receipt's digest"
    out.print(f"{own.document.title}: {opened}", markup=False)
    if receipt.simulated:
        out.print("[bold]SIMULATED hardware: it protected nothing.[/bold]")
    if (piled := bundle.summary.get("outermost_squares")) is not None:
        out.print(f"{piled}.", markup=False)
    for path in sorted(written.values()):
        out.print(f"  {path.name:<20} {path}")
    tell(f"Next: `nebula audit run {quote(str(folder / 'run.json'))} --result {quote(str(folder / 'result.json'))}`")


@study.command
def refund(study: str, *, at: BuyerOptions = OF_BUYER, json: Json = False) -> None:
    """Take a study's escrow back, after its deadline has passed without a result.

    Args:
        study: the study's id, or a prefix of it.
    """
    own = open_study(at, study)
    state = own.buyer.study_state(own.study)
    if state in (StudyState.UNKNOWN, StudyState.SETTLED):
        said = "was never funded" if state is StudyState.UNKNOWN else "is settled: its owners were paid"
        raise NotPermittedError("study.refund", f"there is no escrow to take back: the study {said}")
    # The ledger's clock counts. Its last block may be old, and then the next has the time that it is now.
    if state is StudyState.FUNDED and max(datetime.now(UTC), own.buyer.ledger_time()) <= own.document.deadline_at:
        raise NotPermittedError(
            "study.deadline",
            f"the escrow comes back after the deadline, {own.document.deadline_at:%Y-%m-%d %H:%M} UTC",
            hint="until then a result may still settle it",
        )
    try:
        outcome = own.buyer.refund(own.document)
    except RevertedError as error:
        raise NotPermittedError("study.refund", f"the ledger refuses: {error.reason}") from error
    block = None if outcome is None else outcome.block_number
    if json:
        print_json({"study": own.study, "refund_wei": str(own.document.escrow_wei), "block": block})
        return
    out.print(
        f"{tokens(own.document.escrow_wei)} {'were taken back before' if block is None else 'are back with you'}."
    )


def _require_runnable(own: OwnStudy) -> None:
    """Say of a run that can only wait where its escrow goes."""
    try:
        own.buyer.require_runnable(own.document)
    except NotPermittedError as error:
        back = f"the escrow of this one comes back after {day(own.document)}: `nebula study refund {short(own.study)}`"
        raise NotPermittedError(error.code, error.message, hint=f"{error.hint}; {back}") from error


def _follow(buyer: Buyer, document: StudyDocument) -> tuple[str, str | None]:
    last = ""
    with err.status("waiting for the run") as shown:
        while True:
            standing = buyer.standing(document)
            said = run_words(standing)
            shown.update(said)
            if said != last and not err.is_terminal:
                err.print(f"  · {said}")
            last = said
            if standing is not None and standing.state in ("paid", "failed", "refunded"):
                return standing.state, standing.detail
            time.sleep(POLL_SECONDS)


def _draw(bundle: ResultBundle, receipt: Receipt, folder: Path, *, title: str) -> dict[str, Path]:
    try:
        from nebula.cli.plots import draw  # noqa: PLC0415 - plots need an extra that not every buyer has
    except ModuleNotFoundError:
        err.print("No plots: they need the extra `nebula-network[demo]`.")
        return {}
    return draw(bundle, receipt, folder, title=title)
