"""The command line's tree. Each command's module is imported when it is called, so that ``--help`` is fast."""

import logging
import os
import sys
from importlib.metadata import version
from typing import Annotated

from cyclopts import App, CycloptsError, Group, Parameter

from nebula.cli.console import err, print_error
from nebula.cli.failures import as_of_network, failure_of
from nebula.cli.hints import Place, complete, network_folder, stand
from nebula.cli.options import NetworkOptions
from nebula.protocol.errors import NebulaError, RejectedInputError

app = App(
    name="nebula",
    help="People own their genome and health records, and are paid when research uses them.",
    version=version("nebula-network"),
    default_parameter=Parameter(negative_iterable=()),
)
NETWORK = Group.create_ordered("A network on this machine")
OWNERS = Group.create_ordered("For data owners")
CUSTODIANS = Group.create_ordered("For custodians")
BUYERS = Group.create_ordered("For data buyers")
ANYONE = Group.create_ordered("For anyone")
PARTIES = Group.create_ordered("One party by itself, as in production")
PROGRAM = Group.create_ordered("The program itself")
_CLOSED = 141  # as a shell says that SIGPIPE ended a program
_COMMANDS = (
    (NETWORK, "demo", "demo", "Tell the whole story on this machine, with made-up people."),
    (NETWORK, "up", "network", "Start a whole network on this machine, or make one."),
    (NETWORK, "status", "network", "Show which processes run, and whether they answer."),
    (NETWORK, "down", "network", "Stop a network. Nothing is lost."),
    (NETWORK, "population", "population", "Make people up, to try the network with."),
    (OWNERS, "vault", "vault", "Your keys: make them, or bring everything back from 24 words."),
    (OWNERS, "record", "record", "Bring your genome in, encrypted, and see what became of it."),
    (OWNERS, "consent", "consent", "What you permit, and how to change your mind."),
    (OWNERS, "payout", "payout", "What your records earned."),
    (CUSTODIANS, "custodian", "custodian", "Act for many donors, each with their own consent."),
    (CUSTODIANS, "panel", "panel", "The sites on which genotypes are compared."),
    (BUYERS, "study", "study", "Ask a question of everyone whose consent permits it."),
    (BUYERS, "discovery", "discovery", "How many people fit, before you publish a study."),
    (ANYONE, "audit", "audit", "Check a run, or the whole network, trusting nobody."),
    (PARTIES, "ledger", "parties", "The embedded ledger node."),
    (PARTIES, "hardware", "parties", "Simulated SGX hardware. It protects nothing."),
    (PARTIES, "keeper", "parties", "Hold key shares, and release them under consent."),
    (PARTIES, "hub", "parties", "Catalogue, relay, orchestration of studies."),
    (PARTIES, "enclave", "parties", "The host that starts enclave workers."),
)
for _place, (_group, _name, _module, _help) in enumerate(_COMMANDS):
    app.command(f"nebula.cli.{_module}:{_name}", name=_name, group=_group, help=_help, sort_key=_place)
app["--help"].group = app["--version"].group = (PROGRAM,)
app.register_install_completion_command(group=PROGRAM, help="Have your shell complete commands and options.")
app.meta.group_parameters = PROGRAM
app.meta.suppress_keyboard_interrupt = False  # who stops a command is told how to go on


def main(arguments: list[str] | None = None) -> None:
    """Run a command; the exit status says who must act."""
    # SECURITY: databases and results say which sample is whose. A folder that was there already may be open to others.
    os.umask(0o077)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        app.meta(sys.argv[1:] if arguments is None else arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _fail(_usage(error))
    except NebulaError as error:
        _fail(error)
    except BrokenPipeError:  # whoever reads what is printed has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_CLOSED)
    except OSError as error:
        failure = failure_of(error)
        if failure is None:
            raise
        _fail(failure)


@app.meta.default
def _launch(
    *words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    quiet: Annotated[
        bool, Parameter(name=["--quiet", "-q"], negative="", help="Print results and errors, and nothing else.")
    ] = False,
) -> None:
    err.quiet = quiet
    stand(Place(app))
    command, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    bound.apply_defaults()
    options = [one for one in bound.arguments.values() if isinstance(one, NetworkOptions)]
    if options:
        stand(Place(app, options[0].said, options[0].folder))
    command(*bound.args, **bound.kwargs)


def _fail(error: NebulaError) -> None:
    print_error(as_of_network(error, network_folder()), complete)
    sys.exit(error.exit_status)


def _usage(error: CycloptsError) -> RejectedInputError:
    command = " ".join(["nebula", *(error.command_chain or ())])
    # The hint leads to all of the commands; a list that is cut off would only be taken for one.
    sentence = str(error).partition(" Available commands:")[0].strip().rstrip(".")
    return RejectedInputError("cli.usage", sentence, hint=f"`{command} --help` tells the usage")


if __name__ == "__main__":
    main()
