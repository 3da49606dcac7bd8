"""``nebula vault init|restore``: an owner's keys are made, or come back."""

from cyclopts import App
from rich.markup import escape

from nebula.cli import asking
from nebula.cli.console import counted, err, out, print_json, progress
from nebula.cli.hints import tell
from nebula.cli.options import OF_VAULT, Json, VaultOptions
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.keys import OwnerKeys, check_mnemonic, generate_mnemonic
from nebula.protocol.secrets import SecretBytes
from nebula.vault.opening import find_vault, join_like
from nebula.vault.restoring import restore as bring_back
from nebula.vault.seed import FILE_NAME, load_keys, save_seed

vault = App(name="vault", help="Your keys: 24 words that everything follows from.")

_IN_A_ROW = 6


@vault.command
def init(*, at: VaultOptions = OF_VAULT, json: Json = False) -> None:
    """Make a vault: 24 words, shown once, and kept on this machine under a pass phrase."""
    folder = at.vault_folder
    join_like(folder, at.folder / "vault")
    if (folder / FILE_NAME).exists():
        raise RejectedInputError(
            "vault.exists",
            f"{folder} has a vault already",
            hint="its words are never replaced; --vault names another",
        )
    chosen = asking.new_pass_phrase(at.pass_phrase_file)
    words = generate_mnemonic()
    # SECURITY: the one place where a secret is printed, and it is printed once.
    if json:
        save_seed(folder, words, chosen)
        print_json({"vault": str(folder), "words": words.split()})
        return
    err.print("These 24 words are your vault. Write them down on paper, in this order, and keep them where nobody")
    err.print("else looks. They bring everything back; without them nobody can, and who has them has all you own.\n")
    _show(words.split())
    asking.wait_for_enter("\nThey are not shown again. Have you written them down?")
    save_seed(folder, words, chosen)
    err.print(f"\nYour vault is in {escape(str(folder))}.")
    tell("Next: `nebula record import FILE`")


@vault.command
def restore(*, at: VaultOptions = OF_VAULT, json: Json = False) -> None:
    """Bring a vault back from its 24 words and the network: records, consent, payouts. Done again, it goes on.

    The words are read from standard input where that is no terminal.
    """
    folder = at.vault_folder
    join_like(folder, at.folder / "vault")
    words = check_mnemonic(asking.words())
    if (folder / FILE_NAME).exists():
        chosen = asking.pass_phrase(at.pass_phrase_file)
        _check_same(load_keys(folder, chosen), words, str(folder))
    else:
        chosen = asking.new_pass_phrase(at.pass_phrase_file)
        save_seed(folder, words, chosen)
    found = _bring_back(at, chosen)
    if json:
        print_json(found)
        return
    out.print(f"{counted(found['restored'], 'record')} came back; {found['known']:,} were here already.")
    if found["withdrawn"]:
        gone = counted(found["withdrawn"], "record")
        out.print(f"{gone} stay away: withdrawn before, and the keepers have forgotten them, as they should.")
    tell("`nebula record list` shows them, `nebula payout list` what they earned.")


def _bring_back(at: VaultOptions, chosen: SecretBytes) -> dict[str, int]:
    opened = find_vault(at.vault_folder).open(chosen)
    with progress() as bar:
        task = bar.add_task("records", total=None)
        found = bring_back(opened.vault, opened.network, progress=lambda done: bar.update(task, completed=done))
    return {"restored": found.found, "known": found.known, "withdrawn": found.withdrawn}


def _check_same(keys: OwnerKeys, words: str, folder: str) -> None:
    if keys.control_key(0).address != OwnerKeys.from_mnemonic(words).control_key(0).address:
        raise RejectedInputError(
            "vault.exists", f"{folder} has a vault of other words", hint="--vault names another folder"
        )


def _show(words: list[str]) -> None:
    for start in range(0, len(words), _IN_A_ROW):
        row = enumerate(words[start : start + _IN_A_ROW], start=start + 1)
        out.print("  " + "".join(f"{number:>2} {word:<11}" for number, word in row).rstrip())
