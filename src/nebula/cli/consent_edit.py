"""``nebula consent edit``: what is to be different, told beside what was, agreed to, and signed."""

from datetime import date
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from nebula.cli import asking, importing
from nebula.cli.consent import print_policy, sites_of
from nebula.cli.console import err, out, show_changes
from nebula.cli.options import OF_VAULT, Json, VaultOptions, Yes
from nebula.cli.owning import open_own
from nebula.protocol.consent import ConsentPolicy
from nebula.protocol.consent_words import in_words
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.study import PartKind, ResultClass
from nebula.vault.consent import change_policy
from nebula.vault.consent_edits import PolicyChange, change
from nebula.vault.current import catch_up
from nebula.vault.finding import find_record
from nebula.vault.state import Record

Names = tuple[str, ...] | None
OnOff = bool | None


def edit(
    record: str,
    *,
    permission: str | None = None,
    condition: Names = None,
    disease: Names = None,
    commercial: OnOff = None,
    ai_training: OnOff = None,
    country: Names = None,
    part: tuple[PartKind, ...] | None = None,
    allow: Names = None,
    deny: Names = None,
    ask: Annotated[OnOff, Parameter(name=["--ask"], negative="--standing")] = None,
    price_floor: str | None = None,
    result_class: tuple[ResultClass, ...] | None = None,
    searches: OnOff = None,
    expires: date | None = None,
    yes: Yes = False,
    at: VaultOptions = OF_VAULT,
    json: Json = False,
) -> None:
    """Change a record's consent. Only what is named changes; lists replace the ones before.

    Args:
        record: its id, a prefix of it, or its label.
        permission: NRES (any use), GRU (any research), HMB (health), DS (named diseases) or POA (ancestry only).
        condition: a further condition, such as NPUNCU or IRB; may be given several times; `none` takes all away.
        disease: for DS, a disease such as MONDO:0005148; may be given several times.
        commercial: whether commercial use is allowed.
        ai_training: whether AI models may be trained.
        country: where buyers may be, such as CH; may be given several times; `any` for anywhere.
        part: what is offered; may be given several times.
        allow: the only buyers' addresses that may; may be given several times; `any` for all.
        deny: buyers' addresses that never may; `none` for nobody.
        ask: be asked about each study, or let the consent answer by itself.
        price_floor: the least that a study must pay, in tokens.
        result_class: what may leave: noised, hits, full; may be given several times.
        searches: whether the record is counted when buyers look for how many there are.
        expires: the consent's last day, such as 2030-12-31.
    """
    wanted = PolicyChange(
        permission=permission,
        conditions=condition,
        diseases=disease,
        commercial_use=commercial,
        ai_training=ai_training,
        countries=country,
        parts=part,
        buyers_allowed=allow,
        buyers_denied=deny,
        ask=ask,
        price_floor=price_floor,
        result_classes=result_class,
        discoverable=searches,
        expires=expires,
    )
    opened = open_own(at)
    vault, network = opened.vault, opened.network
    found = find_record(vault.engine, record)
    current = catch_up(vault.engine, vault.owner, network, found.record)
    policy = change(current.policy, wanted)
    if policy == current.policy:
        raise RejectedInputError(
            "consent.nothing",
            "nothing would change",
            hint="name what is to be different: `nebula consent edit --help` lists it",
        )
    _tell_change(current, policy, sites_of(opened, current))
    asking.agree("Shall the consent be changed?", yes=yes)
    changed = change_policy(vault.engine, vault.owner, network, found.record, policy)
    if json:
        print_policy(changed, opened)
        return
    out.print(
        f"The consent of {changed.label} has changed; version {changed.version} stands on the ledger.", markup=False
    )


def _tell_change(current: Record, policy: ConsentPolicy, sites: int) -> None:
    err.print(f"[bold]What changes for {escape(current.label)}[/bold]")
    show_changes(in_words(current.policy), in_words(policy))
    importing.tell_risks(policy, sites)
