"""``nebula study publish|fund|run|show|list|result|refund``: a buyer's question, from its terms to its answer."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from nebula.buyer import Buyer
from nebula.buyer.drafting import StudyDraft, read_draft, with_options, write_study
from nebula.buyer.results import write_result
from nebula.buyer.settings import BuyerSettings, load_settings
from nebula.buyer.shelf import Shelf
from nebula.cli import asking
from nebula.cli.console import err, out, print_json, short, show_facts, show_table
from nebula.cli.options import OF_BUYER, BuyerOptions, Json, Yes
from nebula.ledger.client import RevertedError
from nebula.ledger.client.studies import StudyState
from nebula.protocol.consent import SENTENCES, Refusal
from nebula.protocol.duo import Pledge, Purpose
from nebula.protocol.errors import NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.messages import PublishAnswer
from nebula.protocol.money import format_tokens, from_wei
from nebula.protocol.receipt import Receipt
from nebula.protocol.result import ResultBundle
from nebula.protocol.study import ResultClass, StudyDocument
from nebula.storage.panels import Panels

study = App(name="study", help="For buyers: ask a question of everyone whose consent permits it.")

POLL_SECONDS = 0.5
Names = tuple[str, ...] | None
Flag = Annotated[bool | None, Parameter(negative="")]


@study.command
def publish(
    file: Path | None = None,
    *,
    title: str | None = None,
    summary: str | None = None,
    purpose: tuple[Purpose, ...] | None = None,
    disease: Names = None,
    pledge: tuple[Pledge, ...] | None = None,
    commercial: Flag = None,
    ai_training: Flag = None,
    analysis: str | None = None,
    trait: str | None = None,
    pcs: int | None = None,
    covariate: Names = None,
    result_class: ResultClass | None = None,
    privacy_rho: float | None = None,
    price: str | None = None,
    fee: str | None = None,
    min_records: int | None = None,
    max_records: int | None = None,
    days: float | None = None,
    panel: str | None = None,
    at: BuyerOptions = OF_BUYER,
    json: Json = False,
) -> None:
    """Publish a study, and learn roughly how many records would take part and what it costs, before paying.

    Args:
        file: the study as TOML or JSON, with fields named as the options are; options go before it.
        title: what owners read first.
        summary: in plain words, what is to be found out and why; at least 20 characters.
        purpose: health, disease, ancestry, methods or general; may be given several times.
        disease: what it is about, such as MONDO:0005148; may be given several times.
        pledge: ethics-approval, publication, collaboration or return; may be given several times.
        commercial: the use is commercial.
        ai_training: AI models are trained on the result.
        analysis: gwas-linear or allele-frequency.
        trait: the phenotype's column, for gwas-linear.
        pcs: principal components among the covariates; 10 unless said.
        covariate: a further column; may be given several times.
        result_class: noised, hits or full; what suits the analysis unless said.
        privacy_rho: the privacy budget that noise takes from each record, for noised results.
        price: tokens for each record; 2 unless said.
        fee: tokens for the operator; 50 unless said.
        min_records: fewer do not run; 100 unless said.
        max_records: more are not paid for; 1000 unless said.
        days: until the deadline, after which the escrow comes back; 30 unless said.
        panel: the panel's name or id; needed where the network has several.
    """
    options = {
        "title": title,
        "summary": summary,
        "purposes": purpose,
        "diseases": disease,
        "pledges": pledge,
        "commercial": commercial,
        "ai_training": ai_training,
        "analysis": analysis,
        "trait": trait,
        "pcs": pcs,
        "covariates": covariate,
        "result_class": result_class,
        "privacy_rho": privacy_rho,
        "price": price,
        "fee": fee,
        "min_records": min_records,
        "max_records": max_records,
        "days": days,
        "panel": panel,
    }
    draft = with_options(StudyDraft() if file is None else read_draft(file), options)
    settings, buyer = _open(at)
    document = write_study(
        draft,
        settings,
        buyer=buyer.address,
        result_key=buyer.result_key,
        panel=_panel(settings, draft.panel),
        at=datetime.now(UTC),
    )
    answer = buyer.publish(document)
    _shelf(at).keep(document)
    if json:
        print_json(_facts(document) | {"matching": answer.matching, "refused": answer.refused})
        return
    _tell_published(document, answer)
    err.print(f"Next: `nebula study fund {short(answer.study)}`")


@study.command
def fund(study: str, *, yes: Yes = False, at: BuyerOptions = OF_BUYER, json: Json = False) -> None:
    """Lock a study's escrow. What is not paid to owners comes back.

    Args:
        study: the study's id, or a prefix of it.
    """
    _, buyer = _open(at)
    found, document = _shelf(at).find(study)
    if buyer.study_state(found) is StudyState.UNKNOWN:
        err.print(f"{document.title}: at most {document.max_records:,} records at {_price(document)} tokens")
        err.print(f"  the escrow is {_tokens(document.escrow_wei)}, of {_tokens(buyer.balance_wei())} that you have")
        asking.agree("Shall it be locked?", yes=yes)
    try:
        outcome = buyer.fund(document)
    except RevertedError as error:
        raise NotPermittedError("study.fund", f"the ledger refuses: {error.reason}") from error
    block = None if outcome is None else outcome.block_number
    if json:
        print_json({"study": found, "escrow_wei": str(document.escrow_wei), "block": block})
        return
    said = "was locked before" if block is None else f"is locked, with block {block}"
    out.print(f"The escrow of {_tokens(document.escrow_wei)} {said}.")
    err.print(f"Next: `nebula study run {short(found)} --follow`")


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
    _, buyer = _open(at)
    found, document = _shelf(at).find(study)
    answer = buyer.run(document)
    state, detail = answer.state, answer.detail
    if follow:
        state, detail = _follow(buyer, document)
    if json:
        print_json({"study": found, "run": answer.run, "state": state, "detail": detail})
    else:
        out.print(f"run {answer.run}: {state}" + (f", {detail}" if detail else ""))
    if state in ("failed", "refunded"):
        raise UnavailableError(
            "study.failed",
            f"the run ended without a result: {detail}",
            hint=None
            if state == "refunded"
            else f"the escrow comes back after {_day(document)}: `nebula study refund {short(found)}`",
        )
    if not json and state == "paid":
        err.print(f"Next: `nebula study result {short(found)}`")


@study.command
def show(study: str, *, at: BuyerOptions = OF_BUYER, json: Json = False) -> None:
    """Show a study's terms, where its money is by the ledger, and where its run stands by the hub.

    Args:
        study: the study's id, or a prefix of it.
    """
    _, buyer = _open(at)
    found, document = _shelf(at).find(study)
    money, standing = buyer.study_state(found).name.lower(), buyer.standing(document)
    if json:
        print_json(_facts(document) | {"money": money, "run": standing, "document": document})
        return
    show_facts(_terms(document) | {"money": _MONEY[money], "run": _run_words(standing)})


@study.command(name="list")
def list_studies(*, at: BuyerOptions = OF_BUYER, json: Json = False) -> None:
    """List the studies that were published from here."""
    _, buyer = _open(at)
    shelf = _shelf(at)
    found = [shelf.find(one) for one in shelf.all()]
    rows = [(one, document, buyer.study_state(one).name.lower()) for one, document in found]
    if json:
        print_json({"studies": [_facts(document) | {"money": money} for _, document, money in rows]})
    elif not rows:
        err.print("None yet: `nebula study publish --help` tells how.")
    else:
        show_table(
            ("study", "title", "analysis", "escrow", "money", "deadline"),
            [
                (short(one), document.title, document.analysis, _tokens(document.escrow_wei), money, _day(document))
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
        plots: whether to draw the Manhattan and QQ plots.
    """
    _, buyer = _open(at)
    found, document = _shelf(at).find(study)
    public = buyer.public_run(document)
    bundle = buyer.result(public.signed.receipt)
    folder = to or at.folder / "results" / short(found)
    written = write_result(bundle, public, folder)
    if plots:
        written |= _draw(bundle, public.signed.receipt, folder, title=document.title)
    if json:
        files = {name: str(path) for name, path in written.items()}
        receipt = public.signed.receipt
        print_json({"study": found, "run": receipt.run, "records": receipt.record_count, "files": files})
        return
    receipt = public.signed.receipt
    out.print(f"{document.title}: {receipt.record_count:,} records, opened and equal to the receipt's digest")
    if receipt.simulated:
        out.print("[bold]SIMULATED hardware: it protected nothing.[/bold]")
    for name, path in sorted(written.items()):
        out.print(f"  {name:<20} {path}")
    err.print(f"Next: `nebula audit run {folder / 'run.json'} --result {folder / 'result.json'}`")


@study.command
def refund(study: str, *, at: BuyerOptions = OF_BUYER, json: Json = False) -> None:
    """Take a study's escrow back, after its deadline has passed without a result.

    Args:
        study: the study's id, or a prefix of it.
    """
    _, buyer = _open(at)
    found, document = _shelf(at).find(study)
    state = buyer.study_state(found)
    if state in (StudyState.UNKNOWN, StudyState.SETTLED):
        said = "was never funded" if state is StudyState.UNKNOWN else "is settled: its owners were paid"
        raise NotPermittedError("study.refund", f"there is no escrow to take back: the study {said}")
    if state is StudyState.FUNDED and datetime.now(UTC) <= document.deadline_at:
        raise NotPermittedError(
            "study.deadline",
            f"the escrow comes back after the deadline, {document.deadline_at:%Y-%m-%d %H:%M} UTC",
            hint="until then a result may still settle it",
        )
    try:
        outcome = buyer.refund(document)
    except RevertedError as error:
        raise NotPermittedError("study.refund", f"the ledger refuses: {error.reason}") from error
    block = None if outcome is None else outcome.block_number
    if json:
        print_json({"study": found, "refund_wei": str(document.escrow_wei), "block": block})
        return
    out.print(f"{_tokens(document.escrow_wei)} {'were taken back before' if block is None else 'are back with you'}.")


_MONEY = {
    "unknown": "not funded",
    "funded": "in escrow",
    "settled": "settled: owners and fee are paid, the rest came back",
    "refunded": "taken back",
}


def _open(at: BuyerOptions) -> tuple[BuyerSettings, Buyer]:
    settings = load_settings(at.buyer_folder / "settings.json")
    return settings, Buyer(settings, at.buyer_folder)


def _shelf(at: BuyerOptions) -> Shelf:
    return Shelf(at.buyer_folder / "studies")


def _panel(settings: BuyerSettings, wanted: str | None) -> str:
    if settings.panels_url is None:
        raise RejectedInputError(
            "panel.url", "the buyer's settings do not say where panels are", hint="add panels_url to settings.json"
        )
    return Panels(settings.panels_url).choose(wanted).panel_id


def _follow(buyer: Buyer, document: StudyDocument) -> tuple[str, str | None]:
    last = ""
    with err.status("waiting for the run") as shown:
        while True:
            standing = buyer.standing(document)
            said = _run_words(standing)
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


def _tell_published(document: StudyDocument, answer: PublishAnswer) -> None:
    show_facts(_terms(document))
    out.print(f"\n[bold]{answer.matching} records[/bold] would take part")
    if answer.refused:
        out.print("refused, by reason (a record may have several):")
        for reason, count in sorted(answer.refused.items()):
            out.print(f"  {count:<16} {_reason(reason)}")


def _reason(reason: str) -> str:
    known = {str(refusal.name).lower(): sentence for refusal, sentence in SENTENCES.items() if refusal in Refusal}
    return known.get(reason, reason)


def _terms(document: StudyDocument) -> dict[str, str]:
    parameters = [f"{name} {value}" for name, value in document.parameters.items()]
    return {
        "study": study_id(document),
        "title": document.title,
        "summary": document.summary,
        "purpose": ", ".join([*document.purpose.purposes, *document.purpose.diseases]),
        "analysis": "; ".join([document.analysis, *parameters]),
        "result": document.result_class.value,
        "records": f"{document.min_records:,} to {document.max_records:,}, at {_price(document)} tokens each",
        "escrow": f"{_tokens(document.escrow_wei)}, {_tokens(from_wei(document.fee_wei))} of it the operator's fee",
        "deadline": f"{document.deadline_at:%Y-%m-%d %H:%M} UTC",
    }


def _facts(document: StudyDocument) -> dict[str, object]:
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


def _run_words(standing: object) -> str:
    if standing is None:
        return "not started"
    state, detail = getattr(standing, "state", ""), getattr(standing, "detail", None)
    return f"{state}: {detail}" if detail else str(state)


def _tokens(amount_wei: int) -> str:
    return f"{format_tokens(amount_wei)} tokens"


def _price(document: StudyDocument) -> str:
    return format_tokens(from_wei(document.price_per_record_wei))


def _day(document: StudyDocument) -> str:
    return f"{document.deadline_at:%Y-%m-%d}"
