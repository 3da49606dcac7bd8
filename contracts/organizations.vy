# pragma version 0.4.3
# pragma evm-version cancun
"""
@title The verified organizations
@license Apache-2.0
@notice Buyers, labs, operators, keepers and desks are never anonymous: each is a legal person whom the
        governor has verified, for certain roles, until a certain time. A suspension takes effect in its block.
@dev One storage slot per organization: roles in bits 0-15, end of standing in bits 16-79, suspension in bit 80,
     the two letters of its country in bits 81-96.
"""

import governed

initializes: governed
exports: (governed.governor, governed.offered_to, governed.offer_office, governed.take_office)


event Registered:
    organization: indexed(address)
    roles: uint16
    standing_until: uint64
    name: String[96]


event Renewed:
    organization: indexed(address)
    roles: uint16
    standing_until: uint64


event Seated:
    organization: indexed(address)
    country: bytes2


event Suspended:
    organization: indexed(address)


event Reinstated:
    organization: indexed(address)


BUYER: public(constant(uint16)) = 1
LAB: public(constant(uint16)) = 2
OPERATOR: public(constant(uint16)) = 4
KEEPER: public(constant(uint16)) = 8
DESK: public(constant(uint16)) = 16
ACCREDITED: public(constant(uint16)) = 32  # a buyer who may ask for complete summary statistics
NON_PROFIT: public(constant(uint16)) = 64  # not run for profit: some consents allow only those

EVERY_ROLE: constant(uint16) = 127
SUSPENDED: constant(uint256) = 1 << 80
COUNTRY_AT: constant(uint256) = 81
COUNTRY: constant(uint256) = ((1 << 16) - 1) << 81

_standing: HashMap[address, uint256]


@deploy
def __init__(governor: address):
    governed.__init__(governor)


@external
def register(organization: address, roles: uint16, standing_until: uint64, name: String[96]):
    """
    @notice Enter an organization, or a known one under a new name.
    @param roles Sum of role flags.
    @param standing_until Unix time from which the organization counts no more, unless renewed.
    @param name The legal name, in public: organizations have no anonymity here.
    """
    governed._only_governor()
    assert organization != empty(address), "the zero address is no organization"
    assert name != "", "an organization needs a name"
    self._enter(organization, roles, standing_until)
    log Registered(organization=organization, roles=roles, standing_until=standing_until, name=name)


@external
def renew(organization: address, roles: uint16, standing_until: uint64):
    """
    @notice Change an organization's roles, or how long they last. A suspension stays.
    """
    governed._only_governor()
    self._must_be_known(organization)
    self._enter(organization, roles, standing_until)
    log Renewed(organization=organization, roles=roles, standing_until=standing_until)


@external
def seat(organization: address, country: bytes2):
    """
    @notice Enter the country under whose law an organization stands, as two upper-case letters of ISO 3166.
    """
    governed._only_governor()
    self._must_be_known(organization)
    letters: uint256 = convert(convert(country, uint16), uint256)
    for letter: uint256 in [letters >> 8, letters & 255]:
        assert letter >= 65 and letter <= 90, "a country is two upper-case letters"
    self._standing[organization] = self._standing[organization] & ~COUNTRY | letters << COUNTRY_AT
    log Seated(organization=organization, country=country)


@external
def suspend(organization: address):
    """
    @notice Take an organization's standing away, at once.
    """
    governed._only_governor()
    self._must_be_known(organization)
    self._standing[organization] |= SUSPENDED
    log Suspended(organization=organization)


@external
def reinstate(organization: address):
    """
    @notice End a suspension.
    """
    governed._only_governor()
    self._must_be_known(organization)
    self._standing[organization] &= ~SUSPENDED
    log Reinstated(organization=organization)


@external
@view
def in_good_standing(organization: address, role: uint16) -> bool:
    """
    @notice Whether an organization has the role (all of the roles, for a sum), unexpired and not suspended.
    """
    packed: uint256 = self._standing[organization]
    wanted: uint256 = convert(role, uint256)
    return (
        wanted != 0
        and packed & wanted == wanted
        and packed & SUSPENDED == 0
        and self._until(packed) > block.timestamp
    )


@external
@view
def roles_of(organization: address) -> uint16:
    """
    @notice The roles an organization was given, whether or not its standing has ended.
    """
    return convert(self._standing[organization] & convert(max_value(uint16), uint256), uint16)


@external
@view
def standing_until(organization: address) -> uint64:
    """
    @notice The Unix time at which an organization's standing ends; zero for a stranger.
    """
    return convert(self._until(self._standing[organization]), uint64)


@external
@view
def is_suspended(organization: address) -> bool:
    """
    @notice Whether an organization is suspended.
    """
    return self._standing[organization] & SUSPENDED != 0


@external
@view
def country_of(organization: address) -> bytes2:
    """
    @notice The country under whose law an organization stands; empty where none was entered.
    """
    letters: uint256 = (self._standing[organization] & COUNTRY) >> COUNTRY_AT
    return convert(convert(letters, uint16), bytes2)


@internal
def _enter(organization: address, roles: uint16, until: uint64):
    assert roles != 0 and roles <= EVERY_ROLE, "these roles do not exist"
    assert convert(until, uint256) > block.timestamp, "the standing would end in the past"
    kept: uint256 = self._standing[organization] & (SUSPENDED | COUNTRY)
    self._standing[organization] = convert(roles, uint256) | convert(until, uint256) << 16 | kept


@internal
@view
def _must_be_known(organization: address):
    assert self._standing[organization] != 0, "this organization is not registered"


@internal
@pure
def _until(packed: uint256) -> uint256:
    return packed >> 16 & convert(max_value(uint64), uint256)
