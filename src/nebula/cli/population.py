"""``nebula population make``: made-up people to try the network with, and one person's file apart, for you to be."""

import re
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from nebula.cli.console import err, out, print_json
from nebula.cli.options import Json
from nebula.localnet.bgzf import compress
from nebula.localnet.consumer_file import among, to_23andme
from nebula.localnet.plot import check_seed
from nebula.localnet.population import make_population, to_phenotypes, to_vcf
from nebula.protocol.errors import RejectedInputError

population = App(name="population", help="Made-up people, to try the network with.")

FEWEST, MOST = 10, 20_000
_NAME = re.compile(r"\w(?:[\w .()/-]{0,98}\w)?")
_BUILD = b"##reference=GRCh38\n"


@population.command
def make(
    folder: Path,
    *,
    people: int = 150,
    trait: str = "height",
    seed: Annotated[int, Parameter(help="The same seed makes the same people.")] = 1,
    json: Json = False,
) -> None:
    """Make people up: a cohort with a trait, as a biobank would have it, and your own file in 23andMe's layout.

    Args:
        folder: where the files go; it is made.
        people: in the cohort.
        trait: what the phenotype is called.
    """
    if not FEWEST <= people <= MOST:
        said = "too few" if people < FEWEST else "too many to make up in memory"
        hint = f"take {FEWEST} to {MOST:,}"
        raise RejectedInputError("population.people", f"{people:,} people are {said}", hint=hint)
    check_seed(seed)
    if _NAME.fullmatch(trait) is None or trait == "sample":
        hint = "take letters, digits, spaces, and none of them at the ends"
        raise RejectedInputError("population.trait", f"{trait!r} is no name of a phenotype's column", hint=hint)
    everyone = make_population(people + 1, seed=seed)
    cohort = among(everyone, range(people))
    files = {
        "cohort.vcf.gz": compress(to_vcf(cohort).replace(b"##source", _BUILD + b"##source", 1)),
        "traits.tsv": to_phenotypes(cohort, trait=trait),
        "me_23andme.txt": to_23andme(everyone, people),
        "me_traits.tsv": f"sample\t{trait}\nme\t{everyone.trait[people]:.6f}\n".encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    if json:
        print_json({"people": people, "variants": len(cohort.position), **{name: str(folder / name) for name in files}})
        return
    for name in files:
        out.print(str(folder / name))
    err.print(f"{people:,} people and you, all of you made up.")
