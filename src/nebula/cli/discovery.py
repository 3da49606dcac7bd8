"""``nebula discovery start|list|count``: how many people fit, before a study is written."""

import math
import time
from typing import Annotated

from cyclopts import App, Parameter

from nebula.buyer import Buyer
from nebula.buyer.draft import StudyDraft
from nebula.buyer.drafting import write_study
from nebula.buyer.settings import BuyerSettings
from nebula.cli import asking
from nebula.cli.buying import open_buyer, open_shelf
from nebula.cli.console import err, out, print_json, short, show_table
from nebula.cli.discovery_words import parse_filter, parse_variant, told_in_words
from nebula.cli.hints import tell
from nebula.cli.options import OF_BUYER, BuyerOptions, Json, Yes
from nebula.cli.study_publish import choose_panel
from nebula.cli.study_words import day, tokens
from nebula.ledger.client import RevertedError
from nebula.localnet.discovery import add_discovery_host
from nebula.localnet.places import is_made
from nebula.protocol.beacon import BeaconRequest, Granularity, Query
from nebula.protocol.duo import Purpose
from nebula.protocol.errors import NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.record import Dealing
from nebula.protocol.study import ResultClass, StudyDocument
from nebula.transport.client import system_clock

discovery = App(name="discovery", help="For buyers: how many people fit, with noise, before anything is paid.")

POLL_SECONDS = 0.5
_PRICE_TOKENS = "0.000001"
"""For each record, and never paid. The ledger holds no study without a price."""
_SUMMARY = "Counts of people who fit a question, with noise, for verified buyers who plan health research."


@discovery.command
def start(
    *,
    title: str = "How many people fit?",
    summary: str = _SUMMARY,
    purpose: tuple[Purpose, ...] = (Purpose.HEALTH,),
    privacy_rho: float = 0.5,
    question_rho: float = 0.005,
    buyer_rho: float = 0.1,
    min_records: int = 100,
    max_records: int = 1000,
    days: float = 30,
    panel: str | None = None,
    wait: float = 120.0,
    yes: Yes = False,
    at: BuyerOptions = OF_BUYER,
    json: Json = False,
) -> None:
    """Have a discovery stand: an enclave that counts, until the deadline, those whose consent lets it.

    Nobody is paid for being counted, and the escrow that the ledger holds comes back whole. Each record gives the
    privacy budget that all answers together may spend.

    Args:
        title: what owners read first.
        summary: in plain words, who may count whom, and why.
        purpose: health, disease, ancestry, methods or general; may be given several times.
        privacy_rho: the privacy budget that all answers together may spend.
        question_rho: what each new answer spends; the less, the more noise.
        buyer_rho: what one buyer may spend in all.
        min_records: fewer people are not counted.
        max_records: more are not counted either.
        days: until it ends and the escrow comes back.
        panel: the panel's name or id; needed where the network has published several.
        wait: how many seconds to wait until it answers.
    """
    settings, buyer = open_buyer(at)
    _check_rho(settings, question_rho, buyer_rho, privacy_rho)
    draft = StudyDraft(
        title=title,
        summary=summary,
        purposes=purpose,
        analysis="discovery",
        parameters={"question_micro_rho": _micro(question_rho), "buyer_micro_rho": _micro(buyer_rho)},
        result_class=ResultClass.NOISED,
        privacy_rho=privacy_rho,
        price=_PRICE_TOKENS,
        fee="0",
        min_records=min_records,
        max_records=max_records,
        days=days,
    )
    document = write_study(
        draft,
        settings,
        buyer=buyer.address,
        result_key=buyer.result_key,
        panel=choose_panel(settings, panel).panel_id,
        at=system_clock(),
    )
    published = buyer.publish(document)
    open_shelf(at).keep(document)
    err.print(f"{published.matching} records may be counted; the escrow of {tokens(document.escrow_wei)} comes back")
    buyer.require_runnable(document)
    asking.agree("Shall the discovery stand?", yes=yes)
    try:
        buyer.fund(document)
    except RevertedError as error:
        raise NotPermittedError("study.fund", f"the ledger refuses: {error.reason}") from error
    run = buyer.run(document).run
    if is_made(at.folder):
        add_discovery_host(at.folder)
    _await_session(buyer, document, wait)
    if json:
        print_json({"study": published.study, "run": run, "matching": published.matching, "until": document.deadline})
        return
    out.print(f"The discovery {short(published.study)} answers until {day(document)}.")
    tell(
        "Next: `nebula discovery count` counts all of them, and `nebula discovery count --help` tells how to ask more."
    )


@discovery.command(name="list")
def list_discoveries(*, at: BuyerOptions = OF_BUYER, json: Json = False) -> None:
    """List the discoveries that answer now, and that keepers, code and ledger vouch for."""
    _, buyer = open_buyer(at)
    found = [(one.study, one.evidence.study) for one in buyer.discoverer.open()]
    if json:
        print_json({"discoveries": [{"study": study, "document": document} for study, document in found]})
    elif not found:
        tell("None answers now: `nebula discovery start` has one stand.")
    else:
        rows = [(short(study), document.title, day(document)) for study, document in found]
        show_table(("study", "title", "until"), rows)


@discovery.command
def count(
    *,
    variant: str | None = None,
    where: tuple[str, ...] = (),
    assembly: str = "GRCh38",
    exists: Annotated[bool, Parameter(name=["--exists"], negative="")] = False,
    study: str | None = None,
    at: BuyerOptions = OF_BUYER,
    json: Json = False,
) -> None:
    """Ask how many people carry a variant, or fit some conditions, or both.

    Args:
        variant: CHROMOSOME-POSITION-REF-ALT, 1-based, as in 22-16050075-A-G.
        where: a condition on a phenotype, such as "height >= 170", "age <= 60 years" or "sex = female"; may be
            given several times, and all must hold.
        assembly: of the position: GRCh38, GRCh37 or NCBI36; it must be the discovery's own.
        exists: ask only whether there are enough to say so.
        study: the discovery's id, or a prefix of it; needed where several answer.
    """
    query = Query(
        request_parameters=None if variant is None else parse_variant(variant, assembly=assembly),
        filters=tuple(parse_filter(text) for text in where),
        requested_granularity=Granularity.BOOLEAN if exists else Granularity.COUNT,
    )
    _, buyer = open_buyer(at)
    told = buyer.discoverer.ask(buyer.discoverer.choose(study), BeaconRequest(query=query))
    if json:
        print_json({"study": told.study, "block": told.block_number, "beacon": told.response})
        return
    for line in told_in_words(told):
        out.print(line)


def _micro(rho: float) -> int:
    return round(rho * 1_000_000)


def _check_rho(settings: BuyerSettings, question: float, each: float, every: float) -> None:
    if not all(map(math.isfinite, (question, each, every))):
        raise RejectedInputError("discovery.rho", "a privacy budget is a number", hint="0.5, for instance")
    dealing = Dealing(keepers=max(2, len(settings.keepers)), threshold=settings.keeper_threshold)
    charge = dealing.charge(_micro(question))
    if charge > min(_micro(each), _micro(every)):
        raise RejectedInputError(
            "discovery.rho",
            f"one answer is charged {charge / 1_000_000:g} by each keeper, more than a buyer or all of them may spend",
            hint="lower --question-rho, or raise --buyer-rho and --privacy-rho",
        )


def _await_session(buyer: Buyer, document: StudyDocument, seconds: float) -> None:
    until = time.monotonic() + seconds
    with err.status("waiting for its enclave"):
        while not any(one.evidence.study == document for one in buyer.discoverer.open()):
            standing = buyer.standing(document)
            if standing is not None and standing.state in ("failed", "refunded"):
                raise UnavailableError("discovery.failed", f"the discovery ended: {standing.detail}")
            if time.monotonic() > until:
                raise UnavailableError(
                    "discovery.slow",
                    "the discovery does not answer yet",
                    hint="`nebula discovery list` shows when it does; a host must ask for discoveries",
                )
            time.sleep(POLL_SECONDS)
