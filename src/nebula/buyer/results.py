"""Write an opened result where its buyer wants it, with the receipt and all that an auditor needs."""

from pathlib import Path

from nebula.files import replace_file
from nebula.protocol.receipt import PublicRun
from nebula.protocol.result import ResultBundle
from nebula.protocol.wire import to_canonical

RECEIPT, RUN, BUNDLE = "receipt.json", "run.json", "result.json"


def write_result(bundle: ResultBundle, public: PublicRun, folder: Path) -> dict[str, Path]:
    """Write a result's files; returns what went where, by file name.

    Args:
        bundle: opened, and checked against the receipt.
        public: the run's public file, checked against the ledger.
        folder: is made; files of the same names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = dict(bundle.files)
    files |= {RECEIPT: to_canonical(public.signed), RUN: to_canonical(public), BUNDLE: to_canonical(bundle)}
    for name, content in files.items():
        replace_file(folder / name, content)
    return {name: folder / name for name in files}
