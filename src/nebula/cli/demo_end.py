"""How a demo ends: who took part, what each party saw, what it cost, what an auditor finds, and the files."""

from pathlib import Path
from shlex import quote

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nebula.cli.console import short
from nebula.cli.hints import command
from nebula.disclosure.risk import owner_sentence
from nebula.localnet.custodian import pass_phrase_of
from nebula.localnet.outcome import costs_wei
from nebula.localnet.story import Outcome
from nebula.protocol.money import format_tokens, wei_from_wire

MEGABYTE = 1_000_000
LABEL_WIDTH = 16


def show_end(outcome: Outcome, written: dict[str, Path], show: Console) -> None:
    """Print everything that a story came to."""
    for heading, rows in (
        ("Who took part", _people(outcome)),
        ("What each party could see", _sights(outcome)),
        ("What it cost, in NBL", _costs(outcome)),
        ("What the auditor found", _audit(outcome)),
        ("Files", [(name.replace("_", " "), str(path)) for name, path in written.items()]),
    ):
        show.print(f"\n[bold]{heading}[/bold]")
        table = Table.grid(padding=(0, 2))
        table.add_column(width=LABEL_WIDTH)
        table.add_column(overflow="fold")
        for label, sentence in rows:
            table.add_row(Text(f"  {label}"), Text(sentence))
        show.print(table, soft_wrap=False)


def show_next(outcome: Outcome, written: dict[str, Path], folder: Path, show: Console) -> None:
    """Print what to look at, and what to try in the network that the story leaves behind."""
    drawn = [str(written[name]) for name in ("manhattan_png", "qq_png") if name in written]
    show.print("\n[bold]Next[/bold]")
    if drawn:
        show.print(f"  Look at {' and '.join(drawn)}.", markup=False)
    show.print(
        f"  The enclave signed {written['receipt']}: what ran, over how many records, for how much.", markup=False
    )
    show.print("  The network is down, and nothing of it is lost. Try, one after the other:\n")
    for words in _tries(outcome, written, folder):
        show.print(f"  {command(words)}", markup=False, soft_wrap=True)


def _tries(outcome: Outcome, written: dict[str, Path], folder: Path) -> list[str]:
    whose = short(outcome.payouts[0].record)
    opened = f"--pass-phrase-file {quote(str(pass_phrase_of(folder)))}"
    return [
        "up",
        f"audit run {quote(str(written['public_run']))}",
        f"record show {whose} {opened}",
        f"payout list {opened}",
        "down",
    ]


def _people(outcome: Outcome) -> list[tuple[str, str]]:
    rows = [("used", f"{outcome.receipt.record_count:,} of {outcome.enrolled:,} records")]
    rows += [("refused", f"{label}: {'; '.join(reasons)}") for label, reasons in outcome.refusals]
    if outcome.withdrawn:
        rows.append(("withdrawn", f"{outcome.withdrawn}, while the run was on: left out, not paid"))
    for reason, count in outcome.public.statement.dropped.items():
        if count and reason not in {"withdrawn", "refused"}:
            rows.append((reason, f"{count:,}"))
    return rows


def _sights(outcome: Outcome) -> list[tuple[str, str]]:
    seen, study, receipt = outcome.seen, outcome.study, outcome.receipt
    risk = owner_sentence(study.result_class, people=receipt.record_count, variants=outcome.imported.report.panel_sites)
    shares = f"{seen.shares_per_keeper:,} key shares, useless alone: {study.keeper_threshold} of {len(study.keepers)}"
    carried = f"{seen.leaves:,} sealed notes to owners, a sealed result of {seen.result_bytes / 1000:,.0f} kB"
    return [
        ("storage", f"{seen.objects:,} encrypted objects, {seen.object_bytes / MEGABYTE:,.1f} MB, and nothing to read"),
        ("each keeper", f"{shares} keepers' make a key; everyone's consent, kinds of parts, and panels; no data"),
        ("hub", f"{seen.enrolled:,} record ids, {seen.candidates:,} candidates, {carried}; no data, no consent"),
        ("ledger", f"{seen.blocks:,} blocks: salted commitments, escrow, receipt, one-time addresses; no name"),
        ("enclave", f"{receipt.record_count:,} people's data, in memory alone (simulated: this machine saw it too)"),
        ("buyer", f"aggregates of class '{study.result_class}'. {risk}"),
    ]


def _costs(outcome: Outcome) -> list[tuple[str, str]]:
    escrow, owners, fees, refund = (format_tokens(amount) for amount in costs_wei(outcome))
    price = format_tokens(wei_from_wire(outcome.study.price_per_record_wei))
    paid = f"{outcome.claimed:,} of {len(outcome.public.payouts):,}"
    return [
        ("escrow", f"{escrow} locked by the buyer before the run"),
        ("owners", f"{owners}, {price} a record; {paid} payouts claimed"),
        ("fees", f"{fees} for the hub and the keepers"),
        ("back", f"{refund} for records that did not take part"),
    ]


def _audit(outcome: Outcome) -> list[tuple[str, str]]:
    audit = outcome.audit
    rows = [("checks", f"{len(audit.checks)} re-computed, {len(audit.failed)} failed")]
    return rows + [(f"FAIL {check.name}", check.sentence) for check in audit.failed]
