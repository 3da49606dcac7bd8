"""Who is verified, for what, until when."""

import boa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.deployment import ACCREDITED, BUYER, DESK, FOREVER, KEEPER, OPERATOR, ZERO, Deployment, Key

LAB_KEY = Key("a laboratory")


def test_a_stranger_has_no_standing_in_any_role(ledger: Deployment) -> None:
    assert not any(ledger.organizations.in_good_standing(LAB_KEY.address, 1 << bit) for bit in range(16))


def test_no_role_at_all_is_never_good_standing(ledger: Deployment) -> None:
    assert not ledger.organizations.in_good_standing(ledger.buyer.address, 0)


def test_a_sum_of_roles_asks_for_all_of_them(ledger: Deployment) -> None:
    ledger.register(LAB_KEY, BUYER | ACCREDITED)

    assert ledger.organizations.in_good_standing(LAB_KEY.address, BUYER)
    assert ledger.organizations.in_good_standing(LAB_KEY.address, BUYER | ACCREDITED)
    assert not ledger.organizations.in_good_standing(LAB_KEY.address, BUYER | DESK)


def test_standing_ends_in_the_very_second_it_was_given_until(ledger: Deployment) -> None:
    ledger.register(LAB_KEY, BUYER, until=ledger.now + 100)

    boa.env.time_travel(seconds=99)
    assert ledger.organizations.in_good_standing(LAB_KEY.address, BUYER)
    boa.env.time_travel(seconds=1)
    assert not ledger.organizations.in_good_standing(LAB_KEY.address, BUYER)


def test_a_suspension_survives_renewal_and_registration_and_ends_by_reinstatement(ledger: Deployment) -> None:
    organizations, governor, buyer = ledger.organizations, ledger.governor.address, ledger.buyer.address
    organizations.suspend(buyer, sender=governor)

    organizations.renew(buyer, BUYER, FOREVER + 1, sender=governor)
    ledger.register(ledger.buyer, BUYER)
    assert organizations.is_suspended(buyer)
    assert not organizations.in_good_standing(buyer, BUYER)

    organizations.reinstate(buyer, sender=governor)
    assert organizations.in_good_standing(buyer, BUYER)


def test_only_the_governor_changes_standing(ledger: Deployment) -> None:
    organizations, stranger, buyer = ledger.organizations, ledger.stranger.address, ledger.buyer.address
    for forbidden in (
        lambda: organizations.register(stranger, BUYER, FOREVER, "Stranger", sender=stranger),
        lambda: organizations.renew(buyer, BUYER, FOREVER, sender=stranger),
        lambda: organizations.suspend(buyer, sender=stranger),
        lambda: organizations.reinstate(buyer, sender=stranger),
    ):
        with boa.reverts("only the governor may do this"):
            forbidden()


def test_nonsense_is_not_registered(ledger: Deployment) -> None:
    organizations, governor = ledger.organizations, ledger.governor.address
    with boa.reverts("the zero address is no organization"):
        organizations.register(ZERO, BUYER, FOREVER, "Nobody", sender=governor)
    with boa.reverts("an organization needs a name"):
        organizations.register(LAB_KEY.address, BUYER, FOREVER, "", sender=governor)
    with boa.reverts("the standing would end in the past"):
        organizations.register(LAB_KEY.address, BUYER, ledger.now, "Late", sender=governor)
    for roles in (0, 128, 2**16 - 1):
        with boa.reverts("these roles do not exist"):
            organizations.register(LAB_KEY.address, roles, FOREVER, "Odd", sender=governor)
    for change in (organizations.suspend, organizations.reinstate):
        with boa.reverts("this organization is not registered"):
            change(LAB_KEY.address, sender=governor)


def test_the_office_passes_only_to_whom_it_was_offered(ledger: Deployment) -> None:
    organizations, governor, heir = ledger.organizations, ledger.governor.address, Key("heir").address
    with boa.reverts("the office was not offered to you"):
        organizations.take_office(sender=heir)

    organizations.offer_office(heir, sender=governor)
    assert organizations.governor().lower() == governor
    with boa.reverts("the office was not offered to you"):
        organizations.take_office(sender=ledger.stranger.address)

    organizations.take_office(sender=heir)
    assert organizations.governor().lower() == heir
    with boa.reverts("only the governor may do this"):
        organizations.suspend(ledger.buyer.address, sender=governor)


@pytest.mark.parametrize("role", [OPERATOR, KEEPER])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(roles=st.integers(1, 127), until=st.integers(2**33, 2**64 - 1), suspended=st.booleans())
def test_the_packed_slot_gives_back_what_was_put_in(
    ledger: Deployment, role: int, roles: int, until: int, suspended: bool
) -> None:
    organizations, governor, lab = ledger.organizations, ledger.governor.address, LAB_KEY.address
    with boa.env.anchor():
        organizations.register(lab, roles, until, "Laboratory", sender=governor)
        if suspended:
            organizations.suspend(lab, sender=governor)

        assert organizations.roles_of(lab) == roles
        assert organizations.standing_until(lab) == until
        assert organizations.is_suspended(lab) == suspended
        assert organizations.in_good_standing(lab, role) == (roles & role == role and not suspended)


def test_a_country_is_entered_and_outlives_a_renewal(ledger: Deployment) -> None:
    organizations, governor, buyer = ledger.organizations, ledger.governor.address, ledger.buyer.address
    assert organizations.country_of(buyer) == bytes(2)

    organizations.seat(buyer, b"CH", sender=governor)
    organizations.renew(buyer, BUYER, FOREVER, sender=governor)

    assert organizations.country_of(buyer) == b"CH"
    assert organizations.in_good_standing(buyer, BUYER)


def test_only_the_governor_seats_known_organizations_in_countries_of_two_letters(ledger: Deployment) -> None:
    organizations, governor, buyer = ledger.organizations, ledger.governor.address, ledger.buyer.address
    with boa.reverts("only the governor may do this"):
        organizations.seat(buyer, b"CH", sender=buyer)
    with boa.reverts("this organization is not registered"):
        organizations.seat(LAB_KEY.address, b"CH", sender=governor)
    for country in (b"ch", b"C1", bytes(2)):
        with boa.reverts("a country is two upper-case letters"):
            organizations.seat(buyer, country, sender=governor)
