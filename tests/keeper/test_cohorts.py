"""What a keeper remembers of cohorts: for later sessions of the same buyer alone, and nothing that it could read."""

from typing import Any

import msgspec
import pytest

from keeper.world import EnclaveSession, World
from nebula.keeper.cohorts import earlier_cohorts, keep_cohort
from nebula.protocol.errors import IntegrityError, NebulaError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import to_hex
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import COHORT_PAGE, CohortNote, CohortsAnswer, CohortsRequest, KeepCohortRequest
from nebula.protocol.receipt import KeeperVote
from nebula.protocol.record import COHORT_INFO, cohort_context
from nebula.protocol.sealing import open_sealed, seal
from nebula.protocol.signed_by_control_key import UNSIGNED, sign_document
from nebula.protocol.study import BuyerFacts

SHARE = b"s" * 32


def note_of(session: EnclaveSession, piece: int = 0) -> CohortNote:
    unsigned = CohortNote(
        session=session.address,
        votes=(KeeperVote(keeper="0x" + "0a" * 20, signature=bytes(65)),),
        piece=piece,
        pieces=20,
        key_digest=to_hex(bytes(32)),
        ciphertext=bytes(48),
        signature=UNSIGNED,
    )
    return sign_document(unsigned, session.signing.secret)


def leave(world: World, session: EnclaveSession, note: CohortNote | None = None, **changes: Any) -> None:
    context = cohort_context(session.address, keeper=world.keeper.address, reader=world.keeper.address)
    request = KeepCohortRequest(
        **{
            "study": study_id(session.study),
            "run": session.run,
            "note": note or note_of(session),
            "sealed_share": seal(world.sealing.public_key, SHARE, info=COHORT_INFO, aad=context),
            **changes,
        }
    )
    keep_cohort(world.keeper, request, session.address)


def ask(world: World, session: EnclaveSession, after: int = 0) -> CohortsAnswer:
    request = CohortsRequest(study=study_id(session.study), run=session.run, after=after)
    return earlier_cohorts(world.keeper, request, session.address)


def another_buyer(world: World) -> str:
    buyer = SigningKey.generate().address
    world.ledger.buyers[buyer] = BuyerFacts(address=buyer, country="CH", non_profit=True, accredited=False)
    return buyer


def test_a_later_session_of_the_same_buyer_gets_what_an_earlier_one_left(world: World) -> None:
    earlier, later = world.session(world.study()), world.session(world.study(title="Another study"))
    leave(world, earlier)
    (kept,) = ask(world, later).kept
    assert (kept.note, kept.evidence) == (note_of(earlier), earlier.evidence)
    context = cohort_context(earlier.address, keeper=world.keeper.address, reader=later.address)
    assert open_sealed(later.sealing, kept.sealed_share, info=COHORT_INFO, aad=context).reveal() == SHARE


def test_a_share_opens_for_the_session_that_asked_and_for_no_other(world: World) -> None:
    earlier, later = world.session(world.study()), world.session(world.study(title="Another study"))
    leave(world, earlier)
    (kept,) = ask(world, later).kept
    context = cohort_context(earlier.address, keeper=world.keeper.address, reader=later.address)
    with pytest.raises(IntegrityError):
        open_sealed(world.session(world.study()).sealing, kept.sealed_share, info=COHORT_INFO, aad=context)


def test_another_buyer_gets_nothing_and_a_session_not_its_own(world: World) -> None:
    earlier = world.session(world.study())
    leave(world, earlier)
    stranger = world.session(world.study(buyer=another_buyer(world)))
    assert ask(world, stranger).kept == ask(world, earlier).kept == ()


def test_leaving_again_changes_nothing_and_a_restart_forgets_nothing(world: World) -> None:
    earlier, later = world.session(world.study()), world.session(world.study(title="Another study"))
    leave(world, earlier)
    leave(world, earlier)
    world.keeper = world.restarted()
    assert len(ask(world, later).kept) == 1


def test_pages_follow_each_other_without_gap_or_repetition(world: World) -> None:
    earlier, later = world.session(world.study()), world.session(world.study(title="Another study"))
    for piece in range(COHORT_PAGE + 3):
        leave(world, earlier, note_of(earlier, piece))
    first = ask(world, later)
    second = ask(world, later, first.last)
    assert (first.more, second.more) == (True, False)
    assert [kept.note.piece for kept in first.kept + second.kept] == list(range(COHORT_PAGE + 3))
    assert ask(world, later, second.last) == CohortsAnswer(kept=(), last=second.last)


def test_what_was_withdrawn_or_forgotten_since_is_still_remembered_of_a_cohort(world: World) -> None:
    from nebula.keeper.forget import forget

    earlier = world.session(world.study(deadline=int(world.at.timestamp()) + 60))
    leave(world, earlier)
    world.pass_time(days=1)
    forget(world.keeper, at=world.at)
    assert len(ask(world, world.session(world.study())).kept) == 1


def leave_wrongly(world: World, session: EnclaveSession, what: str) -> None:
    match what:
        case "a stranger":
            leave(world, world.new_session(session.study))
        case "another run":
            leave(world, session, run="0x" + "77" * 32)
        case "a session that is not registered":
            leave(world, world.appraised(session.study))
        case "another session's note":
            leave(world, session, note_of(world.session(world.study())))
        case "an altered note":
            leave(world, session, msgspec.structs.replace(note_of(session), pieces=21))
        case "a share for another keeper":
            context = cohort_context(session.address, keeper=session.address, reader=session.address)
            leave(
                world,
                session,
                sealed_share=seal(world.sealing.public_key, SHARE, info=COHORT_INFO, aad=context),
            )
        case "a suspended buyer":
            world.ledger.buyers.clear()
            leave(world, session)
        case _:
            world.ledger.set_open(study_id(session.study), is_open=False)
            leave(world, session)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("a stranger", "session.unknown"),
        ("another run", "session.purpose"),
        ("a session that is not registered", "session.not-registered"),
        ("another session's note", "cohort.session"),
        ("an altered note", "document.signature"),
        ("a share for another keeper", "sealing.not-opened"),
        ("a suspended buyer", "buyer.standing"),
        ("a settled study", "study.not-open"),
    ],
)
def test_what_does_not_belong_here_is_refused(world: World, what: str, code: str) -> None:
    session = world.session(world.study())
    with pytest.raises(NebulaError) as refused:
        leave_wrongly(world, session, what)
    assert refused.value.code == code
    world.ledger.buyers[world.buyer.address] = BuyerFacts(
        address=world.buyer.address, country="CH", non_profit=True, accredited=False
    )
    assert ask(world, world.session(world.study(title="Another study"))).kept == ()
