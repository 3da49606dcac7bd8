"""``nebula payout list|claim``: what your records earned, and how to get it."""

from collections.abc import Sequence
from pathlib import Path

from cyclopts import App

from nebula.cli import asking
from nebula.cli.console import counted, err, out, print_json, show_table
from nebula.cli.hints import tell
from nebula.cli.options import OF_VAULT, Json, VaultOptions, Yes
from nebula.cli.owning import open_own
from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import Address, parse_address
from nebula.protocol.money import format_tokens
from nebula.vault.direct import Direct, load_wallet
from nebula.vault.earnings import Earning, Lost, Unreadable, claim, move, read_earnings
from nebula.vault.finding import find_record
from nebula.vault.opening import OpenVault
from nebula.vault.payouts import all_records

payout = App(name="payout", help="What your records earned: each payout at a one-time address of its own.")

SHOWN = 50
_NO_SINGLE_LEAF = {Lost.RUN: "the whole of it", Lost.LEAVES: "some leaves may be missing"}


@payout.command(name="list")
def list_payouts(*, at: VaultOptions = OF_VAULT, json: Json = False) -> None:
    """List what each record earned in each run, checked against the receipt and the ledger."""
    opened = open_own(at)
    found, unreadable = _earnings(opened)
    labels = {one.record: one.label for one in all_records(opened.vault.engine)}
    if json:
        print_json(
            {"payouts": [_facts(one, labels) for one in found], "unreadable": [_lost(one) for one in unreadable]}
        )
        _tell_unreadable(unreadable)
        return
    if not found:
        if not unreadable:
            err.print("Nothing yet. A record earns when a study that its consent permits has run.")
        _tell_unreadable(unreadable)
        return
    rows = [
        (
            labels[one.payout.record],
            one.public.evidence.study.title,
            format_tokens(one.amount_wei),
            one.payout.key.address,
            _state(one),
        )
        for one in found[:SHOWN]
    ]
    show_table(("record", "study", "tokens", "one-time address", "state"), rows, numbers=("tokens",))
    if len(found) > SHOWN:
        err.print(f"  … and {len(found) - SHOWN:,} more; --json lists all")
    total, held = sum(one.amount_wei for one in found), sum(one.held_wei for one in found)
    out.print(f"{counted(len(found), 'payout')}, {format_tokens(total)} tokens; {format_tokens(held)} not moved on yet")
    _tell_unreadable(unreadable)


@payout.command(name="claim")
def claim_payouts(
    record: str | None = None,
    *,
    to: str | None = None,
    wallet: Path | None = None,
    yes: Yes = False,
    at: VaultOptions = OF_VAULT,
    json: Json = False,
) -> None:
    """Claim what is not paid yet; with --to, also move what was paid to one-time addresses there.

    The hub usually pays every payout to its one-time address by itself, so there is nothing to claim. Payouts that
    go to one address can be seen to belong together: whoever looks at the ledger learns that one person has them.

    Args:
        record: only this one's; its id, a prefix of it, or its label.
        to: an address of yours; without it each payout goes to its own one-time address.
        wallet: the key that pays the gas; by default the one in the vault's settings.
    """
    receiver = None if to is None else parse_address(to)
    opened = open_own(at)
    only = None if record is None else find_record(opened.vault.engine, record).record
    readable, unreadable = _earnings(opened)
    found = [one for one in readable if only is None or one.payout.record == only]
    unpaid = [one for one in found if not one.paid]
    movable = [one for one in found if one.paid and one.held_wei] if receiver is not None else []
    already = len(found) - len(unpaid)
    if already:
        err.print(f"The hub paid {already:,} of {counted(len(found), 'payout')} to one-time addresses already.")
    if unpaid or movable:
        _warn(len(unpaid) + len(movable), receiver)
        asking.agree("Shall they be sent?", yes=yes)
    sender = Direct(opened.vault.engine, opened.network, load_wallet(opened.folder, opened.settings, wallet))
    blocks = [claim(opened.network, one, receiver, sender).block_number for one in unpaid]
    blocks += [move(opened.network, one, receiver, sender).block_number for one in movable if receiver is not None]
    if json:
        facts = {"payouts": len(found), "paid_before": already, "claimed": len(unpaid), "moved": len(movable)}
        print_json(facts | {"to": receiver, "blocks": blocks})
    else:
        _tell_end(unpaid, movable, receiver, at_hand=already)
    _tell_unreadable(unreadable)


def _tell_end(unpaid: Sequence[Earning], movable: Sequence[Earning], receiver: Address | None, *, at_hand: int) -> None:
    if unpaid:
        where = receiver or "their one-time addresses"
        amount = format_tokens(sum(one.amount_wei for one in unpaid))
        out.print(f"claimed {counted(len(unpaid), 'payout')}: {amount} tokens to {where}")
    if movable:
        amount = format_tokens(sum(one.held_wei for one in movable))
        out.print(f"moved {counted(len(movable), 'payout')}: {amount} tokens to {receiver}")
    if not unpaid and not movable:
        out.print("There is nothing to claim.")
        if at_hand and receiver is None:
            tell("To move what was paid to an address of yours: `nebula payout claim --to ADDRESS`")


def _earnings(opened: OpenVault) -> tuple[list[Earning], list[Unreadable]]:
    with err.status("asking the ledger and the hub"):
        found = list(read_earnings(opened.vault.engine, opened.vault.owner, opened.network))
    labels = {one.record: one.label for one in all_records(opened.vault.engine)}
    earnings = [one for one in found if isinstance(one, Earning)]
    earnings.sort(key=lambda one: (labels[one.payout.record], one.payout.leaf.run))
    return earnings, [one for one in found if isinstance(one, Unreadable)]


def _tell_unreadable(unreadable: Sequence[Unreadable]) -> None:
    """Say what the hub altered or lost, after everything else was said and done.

    Raises:
        IntegrityError: there is any.
    """
    for one in unreadable:
        err.print(f"  · run {one.run}, {_NO_SINGLE_LEAF.get(one.what, one.record)}: {one.error.message}")
    if unreadable:
        raise IntegrityError(
            "payout.unreadable",
            f"{counted(len(unreadable), 'answer')} of the hub about runs cannot be believed",
            hint="the others are above; ask the hub's operator, or anyone who keeps the runs' public files",
        )


def _lost(one: Unreadable) -> dict[str, object]:
    return {
        "what": one.what.value,
        "study": one.study,
        "run": one.run,
        "record": one.record,
        "code": one.error.code,
        "why": one.error.message,
    }


def _warn(count: int, receiver: Address | None) -> None:
    if receiver is not None and count > 1:
        err.print(f"{count:,} payouts will go to one address: everyone can then see that one person has them all.")


def _state(one: Earning) -> str:
    if not one.paid:
        return "not paid yet"
    return "paid" if one.held_wei else "paid, moved on"


def _facts(one: Earning, labels: dict[Address, str]) -> dict[str, object]:
    leaf = one.payout.leaf
    return {
        "record": leaf.record,
        "label": labels[leaf.record],
        "study": leaf.study,
        "run": leaf.run,
        "title": one.public.evidence.study.title,
        "amount_wei": leaf.amount_wei,
        "address": leaf.payout_address,
        "paid": one.paid,
        "held_wei": str(one.held_wei),
    }
