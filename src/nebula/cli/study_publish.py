"""``nebula study publish``: the terms of a study, from options and a file, and what they would cost."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nebula.buyer.client import Buyer
from nebula.buyer.columns import columns_of, likely_meant
from nebula.buyer.draft import StudyDraft, read_draft, with_options
from nebula.buyer.drafting import write_study
from nebula.buyer.feasible import require_feasible
from nebula.buyer.settings import BuyerSettings
from nebula.buyer.shelf import Shelf
from nebula.cli.buying import open_buyer, open_shelf
from nebula.cli.console import counted, err, out, print_json, short, show_facts
from nebula.cli.hints import tell
from nebula.cli.options import OF_BUYER, BuyerOptions, Json
from nebula.cli.study_words import facts, terms
from nebula.genome.panel import Panel
from nebula.keeper.reasons import SENTENCES
from nebula.ledger.client import LedgerClient, Panels
from nebula.protocol.duo import Pledge, Purpose
from nebula.protocol.errors import NebulaError, RejectedInputError
from nebula.protocol.messages import PublishAnswer
from nebula.protocol.study import ResultClass, StudyDocument
from nebula.storage.panels import PanelShelf

Names = tuple[str, ...] | None
Flag = Annotated[bool | None, Parameter(negative="")]


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
    score: Path | None = None,
    score_build: str | None = None,
    without_complex: Flag = None,
    loadings: Path | None = None,
    grid_step: float | None = None,
    regions: Path | None = None,
    condition: Names = None,
    traits: Names = None,
    variant: str | None = None,
    steps: int | None = None,
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
        analysis: gwas-linear, gwas-logistic, gwas-conditional, allele-frequency, kinship, pca-structure,
            polygenic-score, rare-variants, phewas-variant, phewas-score,
            missingness or pca-projection.
        trait: the phenotype's column, of analyses that are about one.
        pcs: principal components among the covariates; 10 unless said.
        covariate: a further column; may be given several times.
        score: a PGS Catalog scoring file, for polygenic-score and phewas-score; harmonised to the panel's build.
        score_build: GRCh37 or GRCh38, where the scoring file or the loadings do not say.
        without_complex: leave rows of the score out that are no single variant, such as haplotypes.
        loadings: a table of a reference's loadings, for pca-projection: GWAS-SSF's columns of a variant and of its
            frequency, then PC1, PC2 and so on; at most 4,000 variants.
        grid_step: side of the squares on which pca-projection counts people, in the components' units; the grid reaches
            16 squares each way.
        regions: a BED file of genes or other regions by name, for rare-variants.
        condition: a variant to condition on, such as 1:12345:A:G, for gwas-conditional; may be given several times.
        traits: a phenotype's column, for phewas-variant and phewas-score; may be given several times.
        variant: the variant of phewas-variant, such as 1:12345:A:G.
        steps: so many independent signals gwas-conditional looks for, one after the other.
        result_class: noised, hits or full; what suits the analysis unless said.
        privacy_rho: the privacy budget that noise takes from each record, for noised results.
        price: tokens for each record; 2 unless said.
        fee: tokens for the operator; 50 unless said.
        min_records: fewer do not run; 100 unless said, and 1000 for full results.
        max_records: more are not paid for; 1000 unless said.
        days: until the deadline, after which the escrow comes back; 30 unless said.
        panel: the panel's name or id; needed where the network has published several.
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
        "score": None if score is None else str(score),
        "score_build": score_build,
        "without_complex": without_complex,
        "condition": condition,
        "steps": steps,
        "traits": traits,
        "variant": variant,
        "loadings": None if loadings is None else str(loadings),
        "grid_step": grid_step,
        "regions": None if regions is None else str(regions),
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
    settings, buyer = open_buyer(at)
    chosen = choose_panel(settings, draft.panel)
    document = write_study(
        draft,
        settings,
        buyer=buyer.address,
        result_key=buyer.result_key,
        panel=chosen.panel_id,
        at=datetime.now(UTC),
    )
    require_feasible(document, chosen)
    answer = buyer.publish(document)
    shelf = open_shelf(at)
    shelf.keep(document)
    if json:
        print_json(facts(document) | _told(answer))
        return
    _tell_published(document, answer)
    for line in next_words(document, answer, _meant(document, shelf, buyer)):
        tell(line)


def next_words(document: StudyDocument, answer: PublishAnswer, meant: Mapping[str, str]) -> list[str]:
    """Say what a published study is good for, and what is to be done next.

    Args:
        document: the study.
        answer: of the hub.
        meant: of its columns, those that may be mistyped, and what was meant.
    """
    if answer.matching_at_most < document.min_records:
        return [f"It needs {counted(document.min_records, 'record')}: as it is, it cannot run, and need not be funded."]
    lines = []
    if columns := ", ".join(columns_of(document)):
        lines = [
            f"Counted are records on the panel, with phenotypes: which of them have {columns}, only the run shows."
        ]
    for column, known in meant.items():
        lines.append(f"None of your studies has named {column} before: did you mean {known}?")
    return [*lines, f"Next: `nebula study fund {short(answer.study)}`"]


def _meant(document: StudyDocument, shelf: Shelf, buyer: Buyer) -> dict[str, str]:
    """What may have been meant by columns; nothing where an earlier study's file cannot be read: this one stands."""
    try:
        earlier = [one for one in shelf.documents() if one != document]
    except NebulaError as error:
        err.print(f"nebula: note: {error.message}", markup=False)
        return {}
    return likely_meant(document, earlier, has_result=buyer.has_settled)


def choose_panel(settings: BuyerSettings, wanted: str | None) -> Panel:
    """Return the published panel of this name or id; the only one there is, where nothing is said."""
    if settings.panels_url is None:
        raise RejectedInputError(
            "panel.url", "the buyer's settings do not say where panels are", hint="add panels_url to settings.json"
        )
    published = Panels(LedgerClient(settings.ledger_url), settings.network.panels).is_published
    return PanelShelf(settings.panels_url).choose(wanted, published=published)


def _told(answer: PublishAnswer) -> dict[str, object]:
    return {"matching": answer.matching, "matching_at_most": answer.matching_at_most, "refused": answer.refused}


def _tell_published(document: StudyDocument, answer: PublishAnswer) -> None:
    show_facts(terms(document))
    out.print(f"\n[bold]{answer.matching} records[/bold] would take part")
    if answer.refused:
        out.print("refused, by reason (a record may have several):")
        for reason, count in sorted(answer.refused.items()):
            out.print(f"  {count:<16} {SENTENCES.get(reason, reason)}")
