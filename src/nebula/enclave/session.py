"""Steps 6 and 7: one session for one run. Keys, nonces, one quote over all nonces, the keepers' votes.

In this order: (1) fresh keys that never leave; (2) every keeper of the study gives a nonce and names its newest
block; (3) the CPU quotes REPORTDATA, which binds all of that; (4) each keeper appraises the quote by itself and
votes; (5) the host has the session registered with the votes.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from nebula.attestation.quoting import Quoter
from nebula.attestation.report_data import binding_of, report_data
from nebula.enclave.keepers import Answers, Keepers
from nebula.protocol.errors import NebulaError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, Hash32, PublicKey
from nebula.protocol.messages import (
    APPRAISE,
    NONCE,
    AppraiseAnswer,
    AppraiseRequest,
    ConfirmAnswer,
    NonceAnswer,
    NonceRequest,
    RunOrder,
    SessionRequest,
)
from nebula.protocol.receipt import Evidence, KeeperNonce, KeeperVote
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.session_vote import check_vote
from nebula.protocol.signing import address_of_secret
from nebula.protocol.typed_data import Domain


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The two keys of a session: one to sign with, one to be sealed to."""

    signing: SecretBytes
    address: Address
    sealing: SealingKey

    @classmethod
    def generate(cls) -> "SessionKeys":
        """Make both from the CPU's randomness."""
        signing = SecretBytes(secrets.token_bytes(32))
        return cls(signing, address_of_secret(signing), SealingKey.generate())


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the ledger, as a keeper's own node has it."""

    number: int
    hash: Hash32


@dataclass(frozen=True, slots=True)
class Session:
    """A session that enough keepers vouch for.

    Attributes:
        votes: of the keepers that voted, in the order of their addresses.
        keeper_keys: what each keeper that gave a nonce is sealed to.
        sessions: the contract that votes are signed for.
    """

    keys: SessionKeys
    evidence: Evidence
    votes: tuple[KeeperVote, ...]
    keeper_keys: Mapping[Address, PublicKey]
    sessions: Domain

    @property
    def voters(self) -> tuple[Address, ...]:
        """The keepers that voted."""
        return tuple(vote.keeper for vote in self.votes)


def agreed_block(answers: Iterable[NonceAnswer | ConfirmAnswer], threshold: int) -> Block:
    """Return the ``threshold``-th newest of the blocks that keepers named.

    At most ``threshold`` - 1 of them lie, so it is neither newer than an honest keeper's newest block nor, by a
    lie, older than all of theirs.
    """
    named = sorted(((answer.block_number, answer.block_hash) for answer in answers), reverse=True)
    return Block(*named[min(threshold, len(named)) - 1])


def collect_evidence(
    order: RunOrder, keys: SessionKeys, keepers: Keepers, quoter: Quoter
) -> tuple[Evidence, dict[Address, PublicKey]]:
    """Ask every keeper of the study for a nonce, and have the CPU quote all of them; also return the keepers' keys.

    Raises:
        UnavailableError: too few keepers, or the CPU, answer.
    """
    study = order.study
    question = NonceRequest(study=study_id(study), run=order.run)
    nonces = keepers.ask(NONCE, question, NonceAnswer, keepers=study.keepers).require(study.keeper_threshold).given
    block = agreed_block(nonces.values(), study.keeper_threshold)
    unquoted = Evidence(
        quote=b"",
        session=keys.address,
        session_key=keys.sealing.public_key,
        study=study,
        run=order.run,
        nonces=tuple(KeeperNonce(keeper=keeper, nonce=nonces[keeper].nonce) for keeper in sorted(nonces)),
        consent_block_number=block.number,
        consent_block_hash=block.hash,
    )
    evidence = msgspec.structs.replace(unquoted, quote=quoter.get_quote(report_data(binding_of(unquoted))))
    return evidence, {keeper: answer.key for keeper, answer in nonces.items()}


def open_session(order: RunOrder, keepers: Keepers, keys: SessionKeys, quoter: Quoter, sessions: Domain) -> Session:
    """Be appraised by the keepers, and have their votes registered.

    Raises:
        NebulaError: too few keepers vote, or the ledger does not register the session.
    """
    threshold = order.study.keeper_threshold
    evidence, keeper_keys = collect_evidence(order, keys, keepers, quoter)
    asked = tuple(nonce.keeper for nonce in evidence.nonces)
    answers = keepers.ask(APPRAISE, AppraiseRequest(evidence=evidence), AppraiseAnswer, keepers=asked)
    voted = _checked(answers, evidence, sessions).require(threshold).given
    voters = sorted(voted)
    votes = tuple(voted[voter].vote for voter in voters)
    keepers.host.register(
        SessionRequest(run=order.run, evidence=evidence, votes=votes, collateral=voted[voters[0]].collateral)
    )
    return Session(keys, evidence, votes, keeper_keys, sessions)


def _checked(answers: Answers[AppraiseAnswer], evidence: Evidence, sessions: Domain) -> Answers[AppraiseAnswer]:
    """Leave out votes that would spoil the registration: somebody else's, or wrongly signed."""
    given, errors = dict(answers.given), dict(answers.errors)
    for keeper, answer in answers.given.items():
        try:
            honest = check_vote(answer.vote, evidence, sessions) == keeper
        except NebulaError as error:
            honest, errors[keeper] = False, error
        if not honest:
            del given[keeper]
    return Answers(given, errors)
