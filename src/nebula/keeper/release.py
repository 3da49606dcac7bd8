"""Step 8: seal my shares of a page of records to an attested session.

For the page, in this order: (1) no record stands twice; (2) the sender is a session that may ask, at my node's
newest block (see ``admission``); (3) the records' slots, at that same block. For each record: see ``verdicts``.

Then ONE transaction: lock the log's head, decide, spend the budgets, append to the log. Only when it is committed are
shares opened and sealed to the session. A keeper that dies in between has noted a use that did not happen, never the
other way round; the session asks again and is given the same, and nothing is spent or noted twice.

Sealed are the shares of the manifest and of the parts that the study needs, and no others: not of vectors on other
panels, either.
"""

from collections.abc import Sequence

import structlog

from nebula.database import writing
from nebula.keeper import budgets, log
from nebula.keeper.admission import Admitted, admit
from nebula.keeper.context import Keeper
from nebula.keeper.enrol import open_bundle
from nebula.keeper.noting import note
from nebula.keeper.reasons import DAMAGED, in_public
from nebula.keeper.sessions import Session
from nebula.keeper.state import Holding
from nebula.keeper.verdicts import Verdict, decide, distinct
from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import Address
from nebula.protocol.messages import RefusedRecord, ReleaseAnswer, ReleasedShares, ReleaseRequest
from nebula.protocol.record import MANIFEST, SHARES_INFO, ShareBundle, needed_parts, part_name, release_context
from nebula.protocol.sealing import seal
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.wire import to_canonical

_log = structlog.get_logger()


def release(keeper: Keeper, request: ReleaseRequest, sender: Address) -> ReleaseAnswer:
    """Decide about a page of records and seal the shares of those that may be used.

    Raises:
        RejectedInputError, NotPermittedError: the whole page is refused; nothing is written.
        UnavailableError: the ledger or the database is away.
    """
    records = distinct(request.records)
    asking = admit(keeper, request, sender)
    slots = keeper.ledger.slots(records, asking.block)

    with writing(keeper.engine) as connection:
        head = log.lock_head(connection)
        verdicts = decide(connection, slots, asking.terms, run=request.run, at=asking.at)
        newly = {verdict.record: verdict.micro_rho for verdict in verdicts if not verdict.reasons and not verdict.used}
        budgets.spend(connection, request.run, newly)
        note(connection, head, verdicts, asking, step="release")

    return _seal_page(keeper, verdicts, asking)


def _seal_page(keeper: Keeper, verdicts: Sequence[Verdict], asking: Admitted) -> ReleaseAnswer:
    wanted = {MANIFEST, *needed_parts(asking.terms.document)}
    released: list[ReleasedShares] = []
    refused: list[RefusedRecord] = []
    for verdict in verdicts:
        if verdict.holding is None or verdict.reasons:
            refused.append(RefusedRecord(record=verdict.record, reasons=in_public(verdict.reasons)))
            continue
        try:
            released.append(_seal(keeper, verdict.holding, asking.session, wanted))
        except IntegrityError as error:
            # They opened when they were enrolled: the disk is at fault. The others must not suffer for it.
            _log.error("damaged", code=error.code)
            refused.append(RefusedRecord(record=verdict.record, reasons=(DAMAGED,)))
    return ReleaseAnswer(
        released=tuple(released),
        refused=tuple(refused),
        block_number=asking.block.number,
        block_hash=asking.block.hash,
    )


def _seal(keeper: Keeper, holding: Holding, session: Session, wanted: set[str]) -> ReleasedShares:
    evidence = session.evidence
    bundle = open_bundle(keeper, holding.record, holding.manifest_commitment, holding.sealed_shares)
    chosen = tuple(share for share in bundle.shares if part_name(share.kind, share.panel) in wanted)
    filtered = ShareBundle(record=bundle.record, manifest_commitment=bundle.manifest_commitment, shares=chosen)
    context = release_context(
        holding.record,
        holding.manifest_commitment,
        keeper=keeper.address,
        session=evidence.session,
        run=evidence.run,
    )
    return ReleasedShares(
        record=holding.record,
        manifest_commitment=holding.manifest_commitment,
        manifest_location=holding.manifest_location,
        sealed=seal(evidence.session_key, SecretBytes(to_canonical(filtered)), info=SHARES_INFO, aad=context),
    )
