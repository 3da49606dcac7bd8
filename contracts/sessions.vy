# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Which enclave sessions the keepers vouch for
@license Apache-2.0
@notice The governor says which measured code may run, under which root of trust, and whether that root is
        genuine hardware or a simulation. The keepers, each by itself, appraise a session's evidence; enough of
        their votes enter the session's signing address here. A receipt counts only if its session stands here
        and its measurement is still approved.
"""

import eip712
import governed
import signatures

initializes: eip712
initializes: governed
exports: (governed.governor, governed.offered_to, governed.offer_office, governed.take_office)

interface Organizations:
    def in_good_standing(organization: address, role: uint16) -> bool: view


event MeasurementApproved:
    measurement: indexed(bytes32)
    trust_root: indexed(bytes32)
    simulated: bool


event MeasurementRevoked:
    measurement: indexed(bytes32)
    trust_root: indexed(bytes32)


event SessionRegistered:
    session: indexed(address)
    study: indexed(bytes32)
    run: indexed(bytes32)
    measurement: bytes32
    trust_root: bytes32
    evidence: bytes32


KEEPER: constant(uint16) = 8
GENUINE: constant(uint8) = 1
SIMULATED: constant(uint8) = 2

VOTE: constant(bytes32) = keccak256(
    "SessionVote(address session,bytes32 study,bytes32 run,bytes32 measurement,bytes32 trust_root,bytes32 evidence)"
)

organizations: public(immutable(address))
threshold: public(immutable(uint256))

# What a session was registered for, as one digest.
_sessions: HashMap[address, bytes32]
# measurement -> trust root -> 0 not approved, 1 genuine hardware, 2 simulated hardware
approval: public(HashMap[bytes32, HashMap[bytes32, uint8]])


@deploy
def __init__(organizations_: address, governor: address, threshold_: uint256):
    assert organizations_ != empty(address), "the organizations' contract must not be the zero address"
    assert threshold_ >= 1 and threshold_ <= 16, "between 1 and 16 keepers must vote for a session"
    organizations = organizations_
    threshold = threshold_
    eip712.__init__()
    governed.__init__(governor)


@external
def approve_measurement(measurement: bytes32, trust_root: bytes32, simulated: bool):
    """
    @notice Let code with this measurement run under this root of trust.
    @param trust_root The digest of the root certificate that its quotes must end at.
    @param simulated Whether that root belongs to a simulation. Receipts must say the same.
    """
    governed._only_governor()
    assert measurement != empty(bytes32), "an empty measurement measures nothing"
    assert trust_root != empty(bytes32), "an approval names its root of trust"
    self.approval[measurement][trust_root] = SIMULATED if simulated else GENUINE
    log MeasurementApproved(measurement=measurement, trust_root=trust_root, simulated=simulated)


@external
def revoke_measurement(measurement: bytes32, trust_root: bytes32):
    """
    @notice Stop trusting a measurement: its sessions can no longer be registered, nor settle a study.
    """
    governed._only_governor()
    assert self.approval[measurement][trust_root] != 0, "this measurement is not approved"
    self.approval[measurement][trust_root] = 0
    log MeasurementRevoked(measurement=measurement, trust_root=trust_root)


@external
def register_session(
    session: address,
    study: bytes32,
    run: bytes32,
    measurement: bytes32,
    trust_root: bytes32,
    evidence: bytes32,
    votes: DynArray[Bytes[65], 16],
):
    """
    @notice Enter a session that enough keepers vouch for. Anyone may bring the votes.
    @param session The address of the key that will sign the receipt.
    @param evidence The digest of the quote and collateral that the keepers appraised.
    @param votes Signatures of distinct keepers over SessionVote, in ascending order of the signers' addresses.
    """
    assert session != empty(address), "the zero address is no session"
    assert self._sessions[session] == empty(bytes32), "this session is already registered"
    assert self.approval[measurement][trust_root] != 0, "this measurement is not approved"
    assert len(votes) >= threshold, "too few keepers voted for this session"
    digest: bytes32 = eip712._digest(
        keccak256(abi_encode(VOTE, session, study, run, measurement, trust_root, evidence))
    )
    last: uint256 = 0
    for vote: Bytes[65] in votes:
        keeper: address = signatures._signer(digest, vote)
        assert keeper != empty(address), "a vote is not validly signed"
        # Ascending order proves that no keeper is counted twice.
        assert convert(keeper, uint256) > last, "the votes must be in ascending order of distinct keepers"
        last = convert(keeper, uint256)
        standing: bool = staticcall Organizations(organizations).in_good_standing(keeper, KEEPER)
        assert standing, "a vote is not by a keeper in good standing"
    self._sessions[session] = self._purpose(study, run, measurement, trust_root)
    log SessionRegistered(
        session=session,
        study=study,
        run=run,
        measurement=measurement,
        trust_root=trust_root,
        evidence=evidence,
    )


@external
@view
def is_registered(session: address) -> bool:
    """
    @notice Whether keepers have vouched for this session, for whatever study.
    """
    return self._sessions[session] != empty(bytes32)


@external
@view
def vouches_for(
    session: address, study: bytes32, run: bytes32, measurement: bytes32, trust_root: bytes32, simulated: bool
) -> bool:
    """
    @notice Whether the session was registered for exactly this, and the measurement is still approved as
            genuine (or as simulated, if that is what is claimed).
    """
    claimed: uint8 = SIMULATED if simulated else GENUINE
    return (
        self._sessions[session] == self._purpose(study, run, measurement, trust_root)
        and self.approval[measurement][trust_root] == claimed
    )


@internal
@pure
def _purpose(study: bytes32, run: bytes32, measurement: bytes32, trust_root: bytes32) -> bytes32:
    return keccak256(abi_encode(study, run, measurement, trust_root))
