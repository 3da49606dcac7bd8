"""What anyone may fetch from the hub: studies, runs and their public files. All of it can be checked elsewhere."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Response, get
from litestar.params import Parameter
from litestar.response import Stream
from sqlalchemy import Engine

from nebula.database import reading
from nebula.hub import outputs, state
from nebula.protocol.ids import parse_hash
from nebula.protocol.messages import PAYOUT_PAGE, LeavesAnswer, LeavesRequest, PayoutsAnswer
from nebula.protocol.receipt import PublicRun
from nebula.protocol.wire import to_canonical

STUDY_PAGE = 100
JSON = MediaType.JSON
_NO_PAYOUTS = b'"payouts":[]'
After = Annotated[int, Parameter(ge=0, le=2**63 - 1)]


def leaves(engine: Engine, request: LeavesRequest) -> LeavesAnswer:
    """Return a page of a run's sealed leaves: everyone gets everyone's, so that nobody tells which is theirs."""
    with reading(engine) as connection:
        page, following = outputs.page_of_leaves(connection, request.run, after=request.after, limit=PAYOUT_PAGE)
    return LeavesAnswer(leaves=page, next_after=following)


def public_routes(engine: Engine) -> list[Any]:
    """Return the route handlers."""

    @get("/v1/studies", sync_to_thread=True, summary="Published studies, oldest first")
    def studies(after: After = 0) -> Response[bytes]:
        with reading(engine) as connection:
            page, following = state.list_studies(connection, after=after, limit=STUDY_PAGE)
        listed = [{"study": study, "document": document} for _, study, document in page]
        return _json({"studies": listed, "next_after": following})

    @get("/v1/studies/{study:str}", sync_to_thread=True, summary="One study's document")
    def study_document(study: str) -> Response[bytes]:
        with reading(engine) as connection:
            return Response(to_canonical(state.get_study(connection, parse_hash(study))), media_type=JSON)

    @get("/v1/runs/{run:str}", sync_to_thread=True, summary="Where a run stands")
    def run_state(run: str) -> Response[bytes]:
        with reading(engine) as connection:
            found = state.get_run(connection, parse_hash(run))
        return _json({"run": found.run, "study": found.study, "state": found.state.value, "detail": found.detail})

    @get("/v1/runs/{run:str}/public", sync_to_thread=True, summary="Everything that an auditor needs of a run")
    def run_public(run: str) -> Stream:
        with reading(engine) as connection:
            public = outputs.get_public_run(connection, parse_hash(run))
        return Stream(_in_pieces(engine, public), media_type=JSON)

    @get("/v1/runs/{run:str}/payouts", sync_to_thread=True, summary="A page of a run's payouts")
    def run_payouts(run: str, after: After = 0) -> Response[bytes]:
        with reading(engine) as connection:
            state.get_run(connection, parse_hash(run))
            page, following = outputs.page_of_payouts(connection, parse_hash(run), after=after, limit=PAYOUT_PAGE)
        return Response(to_canonical(PayoutsAnswer(payouts=page, next_after=following)), media_type=JSON)

    return [studies, study_document, run_state, run_public, run_payouts]


def _in_pieces(engine: Engine, public: PublicRun) -> Iterator[bytes]:
    """Yield a run's public file, page by page of its payouts: it can be a gigabyte, and memory need not hold it.

    The last place where no payouts stand is theirs: behind it are only digests, counts and a signature.
    """
    before, mark, behind = to_canonical(public).rpartition(_NO_PAYOUTS)
    yield before + mark[:-1]
    after: int | None = 0
    while after is not None:
        with reading(engine) as connection:
            page, following = outputs.page_of_payouts(
                connection, public.signed.receipt.run, after=after, limit=PAYOUT_PAGE
            )
        yield (b"," if after and page else b"") + b",".join(map(to_canonical, page))
        after = following
    yield b"]" + behind


def _json(value: object) -> Response[bytes]:
    return Response(msgspec.json.encode(value), media_type=JSON)
