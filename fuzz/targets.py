"""What is fuzzed: every parser that reads bytes of somebody else.

The law of each: it returns, or it raises a ``NebulaError`` with a code; nothing else escapes, nothing hangs, and no
short input asks for much memory.
"""

import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from nebula.analysis.gwas_ssf import parse_gwas_ssf
from nebula.analysis.loadings_file import parse_loadings
from nebula.analysis.region_file import parse_regions
from nebula.analysis.report import parse_tsv
from nebula.analysis.score_object import ScoreObject, parse_score, score_digest
from nebula.analysis.scoring_file import parse_scoring_file
from nebula.attestation.certificates import parse_chain
from nebula.attestation.collateral import parse_collateral
from nebula.attestation.quote import parse_sgx_quote, quote_version
from nebula.clinical.phenotypes import parse_phenotypes
from nebula.clinical.tsv import read_phenotypes
from nebula.crypt4gh.header import header_length, open_header, parse_header, read_header
from nebula.crypt4gh.keyfile import parse_private_key, parse_public_key
from nebula.crypt4gh.packets import understand
from nebula.crypt4gh.whole import decrypt, decrypt_stream
from nebula.genome.building import build_panel
from nebula.genome.imported import ImportedGenome
from nebula.genome.importing import import_genomes, import_record
from nebula.genome.inflate import Limits, Source
from nebula.genome.keys import variant_key
from nebula.genome.lift.chain import read_chain
from nebula.genome.meanings import read_meanings
from nebula.genome.panel import Panel
from nebula.genome.plink.files import PlinkFiles
from nebula.genome.plink.importing import import_plink
from nebula.genome.record.parquet import read_record
from nebula.genome.record.person import PersonalCalls
from nebula.genome.record.vector import parse_vector
from nebula.genome.reference import IndexedReference, Reference, WholeReference, read_fasta
from nebula.genome.site_list import build_listed_panel
from nebula.genome.star_alleles import call_star_alleles, read_star_alleles
from nebula.keeper.diseases import parse_diseases
from nebula.ledger.genesis import parse_genesis
from nebula.ledger.node import rpc
from nebula.protocol.consent import parse_policy
from nebula.protocol.envelope import Envelope
from nebula.protocol.errors import NebulaError
from nebula.protocol.receipt import parse_evidence, parse_owner_leaf, parse_public_run, parse_receipt
from nebula.protocol.record import parse_bundle, parse_manifest
from nebula.protocol.result import ResultBundle
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.study import parse_study
from nebula.protocol.wire import parser
from nebula.protocol.worker import read_from_host, read_from_worker
from nebula.vault.consent_edits import read_change

#: A whole input is read into memory by some parsers; what it inflates to is bounded.
LIMITS = Limits(inflated_bytes=1 << 24, header_bytes=1 << 20, line_bytes=1 << 22, samples=1000)
SITES = [("1", 100 + row, "AC"[row % 2], "GT"[row % 2]) for row in range(60)]
PANEL = Panel("fuzz", "1", "GRCh38", np.sort(np.array([variant_key(*site) for site in SITES], np.uint64)))
LETTERS = bytearray(b"N" * 300)
for _chrom, _pos, _reference, _alternate in SITES:
    LETTERS[_pos - 1 : _pos] = _reference.encode()
GENOME = WholeReference({"1": bytes(LETTERS)})
READER = SealingKey.from_secret(SecretBytes(bytes(range(32))))

_documents: tuple[Callable[[bytes], object], ...] = (
    parser(Envelope),
    parse_policy,
    parse_study,
    parse_receipt,
    parse_evidence,
    parse_owner_leaf,
    parse_public_run,
    parse_manifest,
    parse_bundle,
    parser(ResultBundle),
    parse_collateral,
    parse_genesis,
)


def source(raw: bytes, kind: str = "genome") -> Source:
    """An open file of an input."""
    return Source(io.BytesIO(raw), "input", kind, LIMITS)


def person() -> PersonalCalls:
    """Somebody who has one copy of every site's ALT."""
    head = b'##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description="GT">\n'
    columns = b"#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT x".replace(b" ", b"\t")
    lines = "\n".join(f"{chrom}\t{pos}\t.\t{one}\t{other}\t.\t.\t.\tGT\t0/1" for chrom, pos, one, other in SITES)
    (made,) = import_genomes(source(head + columns + b"\n" + lines.encode() + b"\n"), PANEL)
    return PersonalCalls.of(made.parquet, PANEL.assembly)


def stars(raw: bytes) -> None:
    """A table of star alleles, held against somebody's calls."""
    attempt(lambda: call_star_alleles(read_star_alleles(source(raw, "star-alleles")), PERSON))


def genome(raw: bytes) -> None:
    """VCF, BCF or a consumer file, plain, compressed or in an archive, strictly and leniently, to records.

    A record gives the vector that its file gives.
    """
    for lenient in (False, True):
        made: list[ImportedGenome] = []
        attempt(lambda lenient=lenient, made=made: made.extend(_genomes(raw, lenient=lenient)))
        for one in made:
            (again,) = import_record(one.parquet, PANEL, sample=one.sample)
            if again.vector != one.vector:
                raise AssertionError("a record gives another vector than its file")
    attempt(lambda: build_panel(source(raw, "vcf"), name="x", version="1", assembly="GRCh38"))


def _genomes(raw: bytes, *, lenient: bool) -> Iterable[ImportedGenome]:
    return import_genomes(source(raw), PANEL, reference=GENOME, lenient=lenient)


def plink(raw: bytes) -> None:
    """Three files, the lengths of two of them before them.

    They are read as they are, and with a ``.bed`` of the size that the others ask for: few inputs have it by chance,
    and the rest would reach no genotype.
    """
    fam, bim = (int.from_bytes(raw[at : at + 2], "little") for at in (0, 2))
    rest = raw[4:]
    people, sites, genotypes = rest[:fam], rest[fam : fam + bim], rest[fam + bim :]
    width = -(-(people.count(b"\n") + (not people.endswith(b"\n"))) // 4)
    size = 3 + width * (sites.count(b"\n") + (not sites.endswith(b"\n")))
    fitting = genotypes[:size].ljust(min(size, 1 << 20), b"\0")
    for bed, lenient, reference in ((genotypes, False, None), (fitting, False, None), (fitting, True, GENOME)):
        files = PlinkFiles(*(source(part, "plink") for part in (bed, sites, people)))

        def read(
            files: PlinkFiles = files, reference: Reference | None = reference, *, lenient: bool = lenient
        ) -> None:
            list(import_plink(files, PANEL, reference=reference, lenient=lenient))

        attempt(read)


def sites(raw: bytes) -> None:
    """A list of sites for a panel."""
    attempt(lambda: build_listed_panel(source(raw, "sites"), name="p", version="1", assembly="GRCh38"))


def fasta(raw: bytes) -> None:
    """A reference genome: whole, and by indexes, the lengths of which stand before them."""
    attempt(lambda: read_fasta(source(raw, "fasta")))
    fai, gzi = (int.from_bytes(raw[at : at + 2], "little") for at in (0, 2))
    rest = raw[4:]
    blocks = rest[fai : fai + gzi] if gzi else None

    def walk() -> None:
        genome = IndexedReference(source(rest[fai + gzi :], "fasta"), rest[:fai], blocks)
        for contig in ("1", "chr1"):
            genome.layout(contig)
            genome.lines(contig, 0, 4)
            genome.lines(contig, 3, 2)

    attempt(walk)


def crypt4gh(raw: bytes) -> None:
    """Header, packets and segments."""
    attempt(lambda: open_header(parse_header(raw), READER))
    attempt(lambda: open_header(read_header(io.BytesIO(raw)), READER))
    attempt(lambda: header_length(raw))
    attempt(lambda: decrypt(raw, READER))
    attempt(lambda: decrypt_stream(io.BytesIO(raw), io.BytesIO(), READER))
    attempt(lambda: understand([raw[1:]] * min(2, raw[0] if raw else 0)))


def keyfile(raw: bytes) -> None:
    """Key files of Crypt4GH, without a pass phrase: deriving a key takes long by design."""
    attempt(lambda: parse_public_key(raw))
    attempt(lambda: parse_private_key(raw))


def wire(raw: bytes) -> None:
    """Every signed or stored document; the first byte says which."""
    attempt(lambda: _documents[raw[0] % len(_documents)](raw[1:]) if raw else None)


def worker(raw: bytes) -> None:
    """Frames between the host and its worker."""
    attempt(lambda: read_from_host(io.BytesIO(raw)))
    attempt(lambda: read_from_worker(io.BytesIO(raw)))


def quote(raw: bytes) -> None:
    """SGX quotes, and chains of certificates."""
    attempt(lambda: quote_version(raw))
    attempt(lambda: parse_sgx_quote(raw))
    attempt(lambda: parse_chain(raw, length=3, reason="chain"))


def phenotypes(raw: bytes) -> None:
    """The table of a custodian, and a record's part."""
    attempt(lambda: read_phenotypes(io.BytesIO(raw), samples=["A", "B", "P00001"]))
    attempt(lambda: parse_phenotypes(raw))


def score(raw: bytes) -> None:
    """A scoring file of the PGS Catalog; who opens it refuses what is not UTF-8."""
    text = raw.decode("utf-8", "replace")
    for leave_out_complex in (False, True):
        attempt(lambda leave_out=leave_out_complex: parse_scoring_file(text, leave_out_complex=leave_out))


def score_object(raw: bytes) -> None:
    """A score beside a study, whose terms name it by its hash and say how many rows it has."""
    for rows in {1, max(1, raw.count(b"\n") - 1)}:
        named = ScoreObject("file:///public#score", score_digest(raw), rows)
        attempt(lambda named=named: parse_score(raw, named, "GRCh38"))


def researcher(raw: bytes) -> None:
    """What else a researcher brings as text: loadings, regions, associations of another run."""
    text = raw.decode("utf-8", "replace")
    for parse in (parse_loadings, parse_regions, parse_gwas_ssf):
        attempt(lambda parse=parse: parse(text))


def consent(raw: bytes) -> None:
    """A change of a policy, as TOML and as JSON."""
    with TemporaryDirectory() as folder:
        for suffix in (".toml", ".json"):
            file = Path(folder) / f"change{suffix}"
            file.write_bytes(raw)
            attempt(lambda file=file: read_change(file))


PERSON = person()
TARGETS: Mapping[str, Callable[[bytes], object]] = {
    "genome": genome,
    "plink": plink,
    "sites": sites,
    "fasta": fasta,
    "chain": lambda raw: attempt(lambda: read_chain(source(raw, "chain"))),
    "panel": lambda raw: attempt(lambda: Panel.from_bytes(raw)),
    "vector": lambda raw: attempt(lambda: parse_vector(raw, PANEL)),
    "parquet": lambda raw: attempt(lambda: read_record(raw, max_rows=100_000)),
    "crypt4gh": crypt4gh,
    "keyfile": keyfile,
    "wire": wire,
    "worker": worker,
    "quote": quote,
    "phenotypes": phenotypes,
    "meanings": lambda raw: attempt(lambda: read_meanings(source(raw, "meanings"))),
    "stars": stars,
    "score": score,
    "score_object": score_object,
    "researcher": researcher,
    "consent": consent,
    "diseases": lambda raw: attempt(lambda: parse_diseases(raw)),
    "result": lambda raw: attempt(lambda: parse_tsv(raw)),
    "node": lambda raw: attempt(lambda: rpc.parse(raw)),
}


def attempt(read: Callable[[], object]) -> None:
    """Read; a refusal is as good as a result."""
    try:
        read()
    except NebulaError as error:
        if not error.code or not error.message:
            raise AssertionError("a refusal says what it is") from error
