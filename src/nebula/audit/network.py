"""Audit the whole network: that no token, escrow, vote or record is other than its history says."""

from nebula.audit import checks_network as checks
from nebula.audit.network_facts import NetworkFacts, read_network
from nebula.audit.report import AuditReport, CheckFunction, make_report
from nebula.ledger.client import Network
from nebula.ledger.client.sessions import MeasurementApproved

NETWORK_CHECKS: tuple[tuple[str, CheckFunction[NetworkFacts]], ...] = (
    ("contracts", checks.contracts),
    ("supply", checks.supply),
    ("payments", checks.payments),
    ("escrows", checks.escrows),
    ("keepers", checks.keepers),
    ("records", checks.slots),
)


def audit_network(network: Network) -> AuditReport:
    """Re-compute the network's state from its events.

    Raises:
        UnavailableError: the ledger does not answer, or not about the past.
        IntegrityError: the node is of another chain.
    """
    return check_network(read_network(network))


def check_network(facts: NetworkFacts) -> AuditReport:
    """Make every check on facts that were read before. Pure."""
    approved = (item.event for item in facts.of("sessions", MeasurementApproved))
    return make_report(
        facts,
        NETWORK_CHECKS,
        subject=f"network {facts.addresses.studies}",
        simulated=any(isinstance(event, MeasurementApproved) and event.simulated for event in approved),
        head=facts.head,
    )
