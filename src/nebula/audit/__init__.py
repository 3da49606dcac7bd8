"""The audit: everything about a run, or about the network, re-computed by somebody who trusts nobody.

It needs a ledger node of the auditor's own choice, the contracts' addresses and the run's public file; never the
hub. ``ledger`` and ``network_facts`` read, the rest is pure: the same facts always give the same report.
"""

from nebula.audit.files import parse_result_file, parse_run_file
from nebula.audit.network import audit_network
from nebula.audit.report import AuditReport, Check
from nebula.audit.run import audit_run

__all__ = ["AuditReport", "Check", "audit_network", "audit_run", "parse_result_file", "parse_run_file"]
