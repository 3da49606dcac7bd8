"""The command line's tree. Each command's module is imported when it is called, so that ``--help`` is fast."""

import logging
import sys

from cyclopts import App, CycloptsError, Parameter

from nebula.cli.console import print_error
from nebula.protocol.errors import NebulaError, RejectedInputError

app = App(
    name="nebula",
    help="People own their genome and health records, and are paid when research uses them.",
    version="0.1.0",
    default_parameter=Parameter(negative_iterable=()),
)
app.command("nebula.cli.demo:demo", name="demo")
app.command("nebula.cli.network:up", name="up")
app.command("nebula.cli.network:status", name="status")
app.command("nebula.cli.network:down", name="down")
app.command("nebula.cli.audit:audit", name="audit")
app.command("nebula.cli.vault:vault", name="vault")
app.command("nebula.cli.record:record", name="record")
app.command("nebula.cli.consent:consent", name="consent")
app.command("nebula.cli.payout:payout", name="payout")
app.command("nebula.cli.custodian:custodian", name="custodian")
app.command("nebula.cli.panel:panel", name="panel")
app.command("nebula.cli.study:study", name="study")
app.command("nebula.cli.parties:ledger", name="ledger")
app.command("nebula.cli.parties:hardware", name="hardware")
app.command("nebula.cli.parties:keeper", name="keeper")
app.command("nebula.cli.parties:hub", name="hub")
app.command("nebula.cli.parties:enclave", name="enclave")


def main(arguments: list[str] | None = None) -> None:
    """Run a command; the exit status says who must act."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        print_error(_usage(error))
        sys.exit(RejectedInputError.exit_status)
    except NebulaError as error:
        print_error(error)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(130)


def _usage(error: CycloptsError) -> RejectedInputError:
    command = " ".join(["nebula", *(error.command_chain or ())])
    return RejectedInputError("cli.usage", str(error).strip().rstrip("."), hint=f"`{command} --help` tells the usage")


if __name__ == "__main__":
    main()
