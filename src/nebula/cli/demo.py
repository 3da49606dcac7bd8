"""``nebula demo``: one study, from genome files to payouts, told as it happens."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.console import Console

from nebula.cli.console import err, out, print_json, progress
from nebula.cli.options import NetworkOptions
from nebula.localnet.plot import Plot
from nebula.localnet.processes import begin
from nebula.localnet.supervisor import stop
from nebula.protocol.study import ResultClass

if TYPE_CHECKING:
    from rich.progress import TaskID

    from nebula.localnet.teller import Teller

FOLDER = Path("nebula-demo")


@Parameter(name="*")
@dataclass(frozen=True)
class DemoOptions(NetworkOptions):
    """Which network a demo is told in: never the one that is used for anything else, unless it is named."""

    folder: Annotated[
        Path, Parameter(name=["--dir"], help="Where everything goes: a new folder, or one of an earlier demo.")
    ] = FOLDER


OF_DEMO = DemoOptions()
Json = Annotated[bool, Parameter(name=["--json"], negative="", help="End standard output with one JSON object.")]


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
    at: DemoOptions = OF_DEMO,
    json: Json = False,
) -> None:
    """Tell the whole story on this machine, with simulated hardware and, without a cohort, made-up people.

    A story that was interrupted is gone on with; one that ended is followed by another study on the same people.

    Args:
        people: how many people to make up.
        cohort: a VCF of many people to use instead, on GRCh38.
        phenotypes: a table with a line for each of its people, keyed on sample names.
        trait: the phenotype to study; with a cohort, a column of the table.
        analysis: what to compute.
        pcs: principal components among the covariates.
        result_class: what may leave; by default what suits the analysis.
        seed: of the made-up people and the analysis.
    """
    plot = Plot(
        folder=at.folder,
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
    show.print("[bold]Nebula demo[/bold]  SIMULATED hardware: it protects nothing, it shows how things go.\n")
    began = time.monotonic()
    with _network(at.folder):
        # The ledger starts while the rest of the story is imported.
        from nebula.localnet.outcome import to_json, write_outcome  # noqa: PLC0415
        from nebula.localnet.story import tell_story  # noqa: PLC0415

        with _teller(show, began) as teller:
            outcome = tell_story(plot, teller)
            with teller.step("plots", "The result is written down and drawn"):
                from nebula.cli.demo_end import show_end, show_next  # noqa: PLC0415
                from nebula.cli.plots import draw  # noqa: PLC0415

                results = at.folder / "results" / outcome.receipt.study.removeprefix("0x")[:8]
                written = write_outcome(outcome, results)
                written |= draw(outcome.result, outcome.receipt, results, title=outcome.study.title)
    show_end(outcome, written, show)
    show_next(outcome, written, at.folder, show)
    if json:
        print_json(to_json(plot, outcome, teller, written))


def _check(plot: Plot) -> None:
    plot.check()
    if plot.cohort is not None:
        from nebula.localnet.materials import check_files  # noqa: PLC0415 - readers that made-up people need later

        check_files(plot, plot.cohort)


@contextmanager
def _network(folder: Path) -> Iterator[None]:
    """A network that is taken down in the end, whatever happens; its state stays."""
    try:
        begin(folder)
        yield
    finally:
        stop(folder)


@contextmanager
def _teller(show: Console, began: float) -> Iterator["Teller"]:
    from nebula.localnet.teller import Teller  # noqa: PLC0415 - see above

    with progress(on=show) as bar:
        counted: dict[str, TaskID] = {}

        def count(what: str, done: int, total: int) -> None:
            if what not in counted:
                hide()
                counted[what] = bar.add_task(what, total=total)
            bar.update(counted[what], completed=done, visible=done < total)

        def hide() -> None:
            # What comes next is under way: the last count of what went before may never have been told.
            for task in counted.values():
                bar.update(task, visible=False)

        def step(sentence: str) -> None:
            hide()
            show.print(f"[dim]{time.monotonic() - began:5.0f} s[/dim]  [bold]{sentence}[/bold]")

        def say(what: str) -> None:
            hide()
            show.print(f"         {what}")

        yield Teller(open=step, say=say, count=count)
