"""Panels: each stands once, none is replaced, and each name of a publisher is one line."""

from typing import Any

import boa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from contracts.deployment import OPERATOR, ZERO, Deployment, Key, digest

FIRST = bytes(32)
OTHER = Key("another operator")
NAMES, PANELS = ("common", "exome"), [digest(f"panel {number}") for number in range(6)]


def publish(ledger: Deployment, panel: bytes, follows: bytes = FIRST, **changes: Any) -> None:
    said = {"name": "common", "version": "1", "sender": ledger.operator.address, **changes}
    ledger.panels.publish(panel, follows, said["name"], said["version"], sender=said["sender"])


def test_a_panel_stands_under_its_hash_with_its_publisher(ledger: Deployment) -> None:
    assert not ledger.panels.is_published(PANELS[0])
    publish(ledger, PANELS[0], version="2026-11")

    (event,) = ledger.panels.get_logs()
    assert (event.panel, event.publisher.lower(), event.follows) == (PANELS[0], ledger.operator.address, FIRST)
    assert (event.name, event.version) == ("common", "2026-11")
    assert ledger.panels.is_published(PANELS[0])
    assert ledger.panels.publisher_of(PANELS[0]).lower() == ledger.operator.address
    assert ledger.panels.newest(ledger.operator.address, "common") == PANELS[0]


def test_a_newer_version_follows_the_newest_and_the_older_one_stays(ledger: Deployment) -> None:
    publish(ledger, PANELS[0])
    publish(ledger, PANELS[1], PANELS[0], version="2")

    assert all(ledger.panels.is_published(panel) for panel in PANELS[:2])
    assert ledger.panels.newest(ledger.operator.address, "common") == PANELS[1]


def test_names_of_two_publishers_are_two_lines(ledger: Deployment) -> None:
    ledger.register(OTHER, OPERATOR)
    publish(ledger, PANELS[0])
    publish(ledger, PANELS[1], sender=OTHER.address)

    assert ledger.panels.newest(OTHER.address, "common") == PANELS[1]
    assert ledger.panels.newest(ledger.operator.address, "common") == PANELS[0]
    assert ledger.panels.newest(OTHER.address, "exome") == FIRST


@pytest.mark.parametrize(
    ("panel", "follows", "changes", "said"),
    [
        (PANELS[2], PANELS[1], {"sender": "stranger"}, "the publisher is not an operator in good standing"),
        (PANELS[2], PANELS[1], {"sender": "buyer"}, "the publisher is not an operator in good standing"),
        (FIRST, PANELS[1], {}, "an empty hash is no panel"),
        (PANELS[2], PANELS[1], {"name": ""}, "a panel needs a name and a version"),
        (PANELS[2], PANELS[1], {"version": ""}, "a panel needs a name and a version"),
        (PANELS[0], PANELS[1], {}, "this panel stands here already"),
        (PANELS[1], PANELS[1], {}, "this panel stands here already"),
        (PANELS[0], FIRST, {"name": "exome"}, "this panel stands here already"),
        (PANELS[2], FIRST, {}, "a panel follows the newest one of its publisher and name"),
        (PANELS[2], PANELS[0], {}, "a panel follows the newest one of its publisher and name"),
        (PANELS[2], PANELS[2], {}, "a panel follows the newest one of its publisher and name"),
        (PANELS[2], PANELS[1], {"name": "exome"}, "a panel follows the newest one of its publisher and name"),
    ],
)
def test_what_may_not_be_is_refused(
    ledger: Deployment, panel: bytes, follows: bytes, changes: dict[str, str], said: str
) -> None:
    publish(ledger, PANELS[0])
    publish(ledger, PANELS[1], PANELS[0])
    if "sender" in changes:
        changes = changes | {"sender": getattr(ledger, changes["sender"]).address}

    with boa.reverts(said):
        publish(ledger, panel, follows, **changes)


def test_a_suspended_operators_panels_stay_and_no_more_come(ledger: Deployment) -> None:
    publish(ledger, PANELS[0])
    ledger.organizations.suspend(ledger.operator.address, sender=ledger.governor.address)

    with pytest.raises(boa.BoaError):
        publish(ledger, PANELS[1], PANELS[0])
    assert ledger.panels.is_published(PANELS[0])


class Lines(RuleBasedStateMachine):
    """Anybody publishes anything behind anything, operators come and go; what stands stays, in lines."""

    compiled: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()
        self.ledger = Deployment(self.compiled)
        self.ledger.register(OTHER, OPERATOR)
        self.publishers: dict[bytes, str] = {}
        self.lines: dict[tuple[str, str], list[bytes]] = {}
        self.suspended: set[str] = set()

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    @rule(
        who=st.sampled_from(["operator", "other", "stranger"]),
        panel=st.sampled_from([FIRST, *PANELS]),
        follows=st.sampled_from([FIRST, *PANELS]),
        name=st.sampled_from(NAMES),
        behind_newest=st.booleans(),
    )
    def publish(self, who: str, panel: bytes, follows: bytes, name: str, *, behind_newest: bool) -> None:
        sender = {"operator": self.ledger.operator, "other": OTHER, "stranger": self.ledger.stranger}[who].address
        line = self.lines.get((sender, name), [])
        newest = line[-1] if line else FIRST
        follows = newest if behind_newest else follows
        allowed = who != "stranger" and sender not in self.suspended
        expected = allowed and panel != FIRST and panel not in self.publishers and follows == newest
        try:
            self.ledger.panels.publish(panel, follows, name, "1", sender=sender)
        except boa.BoaError:
            assert not expected
            return
        assert expected
        self.publishers[panel] = sender
        self.lines[sender, name] = [*line, panel]

    @rule(who=st.sampled_from(["operator", "other"]), suspended=st.booleans())
    def change_standing(self, who: str, *, suspended: bool) -> None:
        address = (self.ledger.operator if who == "operator" else OTHER).address
        change = self.ledger.organizations.suspend if suspended else self.ledger.organizations.reinstate
        change(address, sender=self.ledger.governor.address)
        (self.suspended.add if suspended else self.suspended.discard)(address)

    @invariant()
    def what_stands_is_what_was_published(self) -> None:
        for panel in PANELS:
            publisher = self.publishers.get(panel)
            assert self.ledger.panels.publisher_of(panel).lower() == (publisher or ZERO)
            assert self.ledger.panels.is_published(panel) is (publisher is not None)
        for sender in (self.ledger.operator.address, OTHER.address, self.ledger.stranger.address):
            for name in NAMES:
                line = self.lines.get((sender, name), [])
                assert self.ledger.panels.newest(sender, name) == (line[-1] if line else FIRST)


def test_whoever_publishes_what_each_line_only_grows(compiled: dict[str, Any]) -> None:
    machine = type("CompiledLines", (Lines,), {"compiled": compiled})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
