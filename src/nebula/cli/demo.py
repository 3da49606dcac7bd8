"""``nebula demo``: one study, from genome files to payouts, told as it happens."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nebula.analysis.report import parse_tsv
from nebula.cli import network
from nebula.cli.console import err, out, print_json, progress
from nebula.disclosure.risk import owner_sentence
from nebula.localnet.settings_files import load_network
from nebula.localnet.story import Outcome, Plot, Teller, tell_story, to_json, write_outcome
from nebula.localnet.supervisor import running
from nebula.portal import charts
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.money import format_tokens, from_wei
from nebula.protocol.study import ResultClass

FOLDER = Path("nebula-demo")


def demo(
    *,
    people: int = 300,
    cohort: Path | None = None,
    phenotypes: Path | None = None,
    trait: str = "trait",
    analysis: Literal["gwas-linear", "allele-frequency"] = "gwas-linear",
    pcs: int = 4,
    result_class: ResultClass | None = None,
    seed: int = 1,
    folder: Annotated[Path, Parameter(name=["--dir"])] = FOLDER,
    json: network.Json = False,
) -> None:
    """Tell the whole story on this machine, with simulated hardware and, without a cohort, made-up people.

    Parameters
    ----------
    people: how many people to make up.
    cohort: a multi-sample VCF to use instead, GRCh38.
    phenotypes: a table of its people's phenotypes, keyed on sample names.
    trait: the phenotype to study.
    analysis: what to compute.
    pcs: principal components among the covariates.
    result_class: noised, hits or full; by default what suits the analysis.
    seed: of the made-up people and the analysis.
    folder: where everything goes; a new folder, or one of an earlier demo.
    json: end standard output with one JSON object.
    """
    plot = Plot(
        folder=folder,
        people=people,
        cohort=cohort,
        phenotypes=phenotypes,
        trait=trait,
        analysis=analysis,
        pcs=pcs,
        result_class=result_class,
        seed=seed,
    )
    _check(plot)
    show = err if json else out
    show.print("[bold]Nebula demo[/bold]: SIMULATED hardware, which protects nothing; it shows how things go.")
    with progress() as bar:
        tasks: dict[str, object] = {}

        def count(what: str, done: int, total: int) -> None:
            task = tasks.setdefault(what, bar.add_task(what, total=total))
            bar.update(task, completed=done)  # type: ignore[arg-type]

        teller = Teller(say=lambda what: show.print(f"  · {what}"), count=count)
        try:
            outcome = tell_story(plot, teller)
            with teller.step("plots"):
                written = write_outcome(outcome, folder / "results")
                plots = _draw(outcome, folder / "results")
        finally:
            if load_network(folder) is not None and running(folder) is not None:
                network.down(folder=folder) if not json else _stop_quietly(folder)
    _tell_end(outcome, written | plots, show)
    if json:
        print_json(to_json(plot, outcome, teller, written | plots))


def _check(plot: Plot) -> None:
    if plot.cohort is None and plot.people < 50:  # noqa: PLR2004 - below that no analysis has enough people
        raise RejectedInputError("demo.people", f"{plot.people} people are too few", hint="take 50 or more")
    if plot.cohort is not None and plot.analysis == "gwas-linear" and plot.phenotypes is None:
        raise RejectedInputError(
            "demo.phenotypes", "an association study needs a trait", hint="add --phenotypes TSV --trait COLUMN"
        )


def _stop_quietly(folder: Path) -> None:
    with out.capture():
        network.down(folder=folder)


def _draw(outcome: Outcome, folder: Path) -> dict[str, Path]:
    files = outcome.result.files
    if "associations.tsv" not in files:
        return {}
    table, quantiles = parse_tsv(files["associations.tsv"]), parse_tsv(files["qq.tsv"])
    inflation = float(outcome.result.summary["lambda_gc"])
    drawn = {"manhattan": charts.manhattan(table), "qq": charts.qq(quantiles, inflation)}
    written: dict[str, Path] = {}
    for name, chart in drawn.items():
        for kind, render in (("png", charts.to_png), ("svg", charts.to_svg)):
            path = folder / f"{name}.{kind}"
            content = render(chart)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            written[f"{name}_{kind}"] = path
    return written


def _tell_end(outcome: Outcome, written: dict[str, Path], show: object) -> None:
    say = show.print  # type: ignore[attr-defined]
    receipt = outcome.receipt
    say("\n[bold]Who took part[/bold]")
    say(f"  {receipt.record_count} records of {outcome.imported.new + outcome.imported.known}")
    for label, reasons in outcome.refusals:
        say(f"  refused: {label}, because {'; '.join(reasons)}")
    for reason, count in outcome.public.dropped.reasons.items():
        if count:
            say(f"  left out during the run: {count} ({reason})")
    say("[bold]What each party saw[/bold]")
    say("  keepers: key shares and policies, no data; hub: record ids and sealed bytes; storage: ciphertext;")
    say(f"  buyer: aggregates of class '{outcome.result.result_class.value}'; enclave: data, inside (simulated)")
    variants = outcome.imported.report.panel_sites
    people = receipt.record_count
    say(f"  {owner_sentence(outcome.result.result_class, people=people, variants=variants)}")
    say("[bold]What it cost[/bold]")
    owners, fee = from_wei(receipt.amount_wei), from_wei(outcome.study.fee_wei)
    say(f"  owners {format_tokens(owners)}, fee {format_tokens(fee)}, back to the buyer the rest of the escrow")
    say(f"  {outcome.claimed} of {len(outcome.public.payouts)} payouts claimed, each at an address of its own")
    say("[bold]Audit[/bold]")
    say(f"  {len(outcome.audit.checks)} checks, {len(outcome.audit.failed)} failed")
    for check in outcome.audit.failed:
        say(f"  FAIL {check.name}: {check.sentence}")
    say("[bold]Files[/bold]")
    for name, path in written.items():
        say(f"  {name:<14} {path}")
