"""Small files of our own for each rule: some that keep it, some that break it, by version."""

from collections.abc import Sequence
from typing import NamedTuple

from genome.vcf_text import COLUMNS, vcf

ALL = ("4.1", "4.2", "4.3", "4.4", "4.5")
OLD, NEW = ALL[:2], ALL[2:]
LATEST = ("4.4", "4.5")


class Vector(NamedTuple):
    """One file: what it is for, which rule it is about, in which versions it breaks it, in which it keeps it."""

    what: str
    code: str
    raw: bytes
    invalid: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()

    def of(self, version: str) -> bytes:
        """The file in one version."""
        return self.raw.replace(b"VCFv4.0", f"VCFv{version}".encode())


def body(
    what: str,
    code: str,
    *records: str,
    bad: tuple[str, ...] = (),
    good: tuple[str, ...] = (),
    meta: Sequence[str] = (),
) -> Vector:
    """A file that is about its records, written with blanks where tabs belong."""
    return Vector(what, code, vcf(*records, version="4.0", meta=meta), bad, good)


def meta(
    what: str, *lines: str, bad: tuple[str, ...] = (), good: tuple[str, ...] = (), code: str = "vcf.header"
) -> Vector:
    """A file that is about its header."""
    return Vector(what, code, vcf("1 5 . A C . . . GT 0/1", meta=lines, version="4.0"), bad, good)


def info(
    what: str,
    value: str,
    *,
    alt: str = "C",
    bad: tuple[str, ...] = (),
    good: tuple[str, ...] = (),
    code: str = "vcf.info",
    keys: str = "GT 0/1",
    lines: tuple[str, ...] = (),
) -> Vector:
    """A record that is about its INFO."""
    return body(what, code, f"1 5 . A {alt} . . {value} {keys}", bad=bad, good=good, meta=lines)


def sample(
    what: str,
    keys: str,
    value: str,
    *,
    alt: str = "C",
    bad: tuple[str, ...] = (),
    good: tuple[str, ...] = (),
    code: str = "vcf.sample",
    lines: tuple[str, ...] = (),
) -> Vector:
    """A record that is about its only sample."""
    return body(what, code, f"1 5 . A {alt} . . . {keys} {value}", bad=bad, good=good, meta=lines)


def _numbers(code: str) -> str:
    return f'##INFO=<ID=X,Number={code},Type=Integer,Description="d">'


DEFINED = '##INFO=<ID=X,Number=2,Type=Integer,Description="d">'
REPEAT = "SVLEN=9;"
GP = '##FORMAT=<ID=GP,Number=G,Type=Float,Description="d">'
CONTIG = "##contig=<ID=1,length=9>"

VECTORS = (
    # CHROM
    body("a plain name", "vcf.chrom", "chrUn_KI270742v1 5 . A C . . . GT 0/1", good=ALL),
    body("a name in brackets", "vcf.chrom", "<ctg1> 5 . A C . . . GT 0/1", good=ALL),
    body(
        "an HLA contig",
        "vcf.chrom",
        "HLA-A*01:01:01:01 5 . A C . . . GT 0/1",
        good=ALL,
        meta=["##contig=<ID=HLA-A*01:01:01:01,length=3503>"],
    ),
    body("an undeclared colon", "vcf.chrom", "chr:1 5 . A C . . . GT 0/1", bad=OLD, good=NEW),
    body("a declared colon", "vcf.chrom", "chr:1 5 . A C . . . GT 0/1", good=ALL, meta=["##contig=<ID=chr:1>"]),
    body("an asterisk", "vcf.chrom", "chr*1 5 . A C . . . GT 0/1", bad=NEW),
    body("a comma", "vcf.chrom", "chr,1 5 . A C . . . GT 0/1", bad=ALL),
    body("no name in the first record", "vcf.chrom", " 5 . A C . . . GT 0/1", bad=ALL),
    body("no name", "vcf.chrom", "1 5 . A C . . . GT 0/1", " 6 . A C . . . GT 0/1", bad=ALL),
    # POS
    body("a telomere", "vcf.pos", "1 0 . N C . . . GT 0/1", good=ALL),
    body("a negative position", "vcf.pos", "1 -5 . A C . . . GT 0/1", bad=ALL),
    body("a position beyond 31 bits", "vcf.pos", "1 2147483648 . A C . . . GT 0/1", bad=ALL),
    body("a missing position", "vcf.pos", "1 . . A C . . . GT 0/1", bad=ALL),
    # ID
    body("two identifiers", "vcf.id", "1 5 rs1;rs2 A C . . . GT 0/1", good=ALL),
    body("one identifier twice", "vcf.id", "1 5 rs1;rs1 A C . . . GT 0/1", bad=ALL),
    body("an empty identifier", "vcf.id", "1 5 rs1; A C . . . GT 0/1", bad=ALL),
    # REF, ALT
    body("lower case", "vcf.ref", "1 5 . acgtn a . . . GT 0/1", good=ALL),
    body("an ambiguity code", "vcf.ref", "1 5 . R C . . . GT 0/1", bad=ALL),
    body("a missing reference", "vcf.ref", "1 5 . . C . . . GT 0/1", bad=ALL),
    body("any other allele", "vcf.alt", "1 5 . A C,<*> . . . GT 0/1", "1 6 . A <NON_REF> . . . GT 0/0", good=ALL),
    body("a spanning deletion", "vcf.alt", "1 5 . A *,C . . . GT 1/2", good=ALL),
    body("breakends", "vcf.alt", "1 5 . A A[2:7[,]2:9]A,A. . . . GT 0/1", good=ALL),
    body("half a breakend", "vcf.alt", "1 5 . A A[2:7 . . . GT 0/1", bad=ALL),
    body("an open bracket", "vcf.alt", "1 5 . A <DEL . . . GT 0/1", bad=ALL),
    body("the reference again", "vcf.alt", "1 5 . A A . . . GT 0/1", bad=ALL),
    body("an allele twice", "vcf.alt", "1 5 . A C,G,c . . . GT 0/0", bad=ALL),
    body("a spanning deletion twice", "vcf.alt", "1 5 . A *,* . . . GT 0/1", bad=ALL),
    body("a missing allele in a list", "vcf.alt", "1 5 . A C,. . . . GT 0/1", bad=ALL),
    body(
        "an unknown type with a subtype",
        "vcf.structural",
        "1 5 . A <DAL:X> . . SVLEN=1 GT 0/1",
        bad=LATEST,
        good=ALL[:3],
    ),
    # QUAL, FILTER
    body("an exponent", "vcf.qual", "1 5 . A C 5.3e-10 . . GT 0/1", good=ALL),
    body("infinity", "vcf.qual", "1 5 . A C +Inf . . GT 0/1", good=ALL),
    body("a negative quality", "vcf.qual", "1 5 . A C -1 . . GT 0/1", bad=ALL),
    body("a word", "vcf.qual", "1 5 . A C high . . GT 0/1", bad=ALL),
    body("two filters", "vcf.filter", "1 5 . A C . q10;s50 . GT 0/1", good=ALL),
    body("a filter that failed, and PASS", "vcf.filter", "1 5 . A C . q10;PASS . GT 0/1", good=ALL),
    body("the reserved 0", "vcf.filter", "1 5 . A C . q10;0 . GT 0/1", bad=ALL),
    body("a filter twice", "vcf.filter", "1 5 . A C . q10;q10 . GT 0/1", bad=ALL),
    body("a comma between filters", "vcf.filter", "1 5 . A C . q10,s50 . GT 0/1", bad=ALL),
    # INFO
    info("a flag", "DB;H2", good=ALL),
    info("a flag's value", "DB=yes", bad=ALL),
    info("a key twice", "AN=2;AN=2", bad=ALL),
    info("an empty entry", "AN=2;", bad=ALL),
    info("a count too many", "AC=1,2", bad=ALL),
    info("a count of each allele", "AC=1,2", alt="C,G", good=ALL),
    info("a negative count", "AC=-1", bad=ALL),
    info("a value that is missing", "DP", bad=ALL),
    info("another type, reserved", "DP=1.5", bad=ALL),
    info("another type, the file's own", "X=a,b", lines=(DEFINED,), bad=NEW, good=OLD),
    info("another number, the file's own", "X=1", lines=(DEFINED,), bad=ALL),
    info("a number beyond 32 bits", "X=1,2147483648", lines=(DEFINED,), bad=NEW),
    info("a number that is set apart", "X=1,-2147483648", lines=(DEFINED,), bad=NEW),
    info("a key that begins with a digit", "1KG=1", bad=NEW, good=OLD),
    info("the digit that is older", "1000G", good=ALL),
    info("a key with a hyphen", "A-B=1", bad=NEW, good=OLD),
    info("percent-encoding", "X=a%3Bb", good=ALL),
    info("a cigar", "CIGAR=1M1X", good=ALL),
    info("no cigar", "CIGAR=MM", bad=ALL),
    info("an END that is POS", "END=5", alt="<DEL>", good=ALL[:3]),
    info("an END before POS", "END=4", good=ALL),
    info("an END of a stretch before POS", "END=4;SVLEN=9;SVCLAIM=D", alt="<DEL>", good=ALL),
    info("an END of a block before POS", "END=4", alt="<NON_REF>", keys="GT 0/0", code="vcf.block", bad=ALL),
    info("an END elsewhere", "END=4;CHR2=2;SVLEN=9;SVCLAIM=J", alt="<DUP>", good=ALL),
    info("an END elsewhere, of bases", "END=4;CHR2=2", good=ALL),
    info("an END of a breakend's mate", "END=4", alt="A[2:4[", good=ALL),
    info("a block up to its contig's end", "END=9", alt="<*>", keys="GT 0/0", lines=(CONTIG,), good=ALL),
    info("a block too long", "END=10", alt="<*>", keys="GT 0/0", lines=(CONTIG,), code="vcf.block", bad=ALL),
    info("a block of a contig of no length", "END=10", alt="<*>", keys="GT 0/0", lines=("##contig=<ID=1>",), good=ALL),
    # Structural variants
    info("a pair of offsets", "CIPOS=-1,5;SVLEN=9;SVCLAIM=D;IMPRECISE", alt="<DEL>", good=ALL),
    info("half a pair, up to 4.3", "CIPOS=1;SVLEN=9", alt="<DEL>", bad=ALL[:3]),
    info("half a pair", "CIPOS=-1;SVLEN=9;SVCLAIM=D", alt="<DEL>", code="vcf.structural", bad=LATEST),
    info(
        "offsets above 0", "CIEND=1,5;SVLEN=9;SVCLAIM=D", alt="<DEL>", code="vcf.structural", bad=LATEST, good=ALL[:3]
    ),
    info("offsets in words", "CIPOS=x,y;SVLEN=9;SVCLAIM=D", alt="<DEL>", bad=ALL),
    info("a length in words", "SVLEN=x;SVCLAIM=D", alt="<DEL>", bad=ALL),
    info("two types", "SVTYPE=DEL,DUP", bad=ALL),
    info("the value of a flag", "IMPRECISE=yes", bad=ALL),
    info("a homology in words", "HOMLEN=x", bad=ALL),
    info("homologies of one allele", "HOMLEN=1,2", bad=LATEST, good=ALL[:3]),
    info("an allele without a name", "EVENT=a,", alt="C,G", bad=ALL[:3], good=LATEST),
    info("an event without a name", "EVENT=", bad=ALL),
    info("three parts of four", "MEINFO=AluY,1,2;SVLEN=9", alt="<INS:ME>", bad=ALL[:3]),
    info("three parts of four", "MEINFO=AluY,1,2;SVLEN=9", alt="<INS:ME>", code="vcf.structural", bad=LATEST),
    info("strands", "SB=1,2,3", good=ALL),
    info("strands in words", "SB=SB1", bad=NEW, good=OLD),
    info("a length for each allele", "SVLEN=9,.;SVCLAIM=D,.", alt="<DEL>,G", code="vcf.structural", good=ALL),
    info("END instead of a length", "END=9;SVCLAIM=DJ", alt="<DEL>", code="vcf.structural", good=ALL),
    info("no length", "SVCLAIM=D", alt="<DEL>", code="vcf.structural", bad=LATEST, good=ALL[:3]),
    info("no claim", "SVLEN=9", alt="<DUP>", code="vcf.structural", bad=LATEST, good=ALL[:3]),
    info("no such claim", "SVLEN=9;SVCLAIM=JD", alt="<CNV>", code="vcf.structural", bad=LATEST),
    info("a claim too few", "SVLEN=9,9;SVCLAIM=D", alt="<DEL>,<DUP>", code="vcf.info", bad=LATEST),
    info("an adjacency of a copy number", "SVLEN=9;SVCLAIM=J", alt="<CNV>", code="vcf.structural", bad=LATEST),
    info("an abundance of a breakend", "SVCLAIM=D", alt="A[2:7[", code="vcf.structural", bad=LATEST),
    info("a repeat", REPEAT + "RUS=CAG;RB=60", alt="<CNV:TR>", code="vcf.structural", good=ALL),
    info("a repeat without a unit", REPEAT + "RB=60", alt="<CNV:TR>", code="vcf.structural", bad=LATEST),
    info("more units than RN", REPEAT + "RN=1;RUS=CAG,CA", alt="<CNV:TR>", code="vcf.structural", bad=LATEST),
    info("a unit of another length", REPEAT + "RUS=TTT;RUL=2", alt="<CNV:TR>", code="vcf.structural", bad=LATEST),
    info("a length of each unit", REPEAT + "RUS=A;RUC=2;RUB=1,2", alt="<CNV:TR>", code="vcf.structural", good=ALL),
    info("a length too few", REPEAT + "RUS=A;RUC=2;RUB=1", alt="<CNV:TR>", code="vcf.structural", bad=LATEST),
    info("half an interval", REPEAT + "RUS=AT;RB=30;CIRB=-2", alt="<CNV:TR>", code="vcf.structural", bad=LATEST),
    info("an interval around nothing", REPEAT + "RUS=AT;CIRUC=-1,1", alt="<CNV:TR>", code="vcf.structural", bad=LATEST),
    info(
        "lengths of parts of no number",
        REPEAT + "RUS=TT;RUC=2.3;RUB=2",
        alt="<CNV:TR>",
        code="vcf.structural",
        bad=LATEST,
    ),
    info(
        "one copy number of two stretches",
        "SVLEN=1,2;SVCLAIM=D,D",
        alt="<DEL>,<DUP>",
        keys="GT:CN 0/1:2",
        code="vcf.structural",
        bad=LATEST,
    ),
    # FORMAT
    sample("any key", "GT:G_S", "0/1:x", code="vcf.format", bad=OLD, good=NEW),
    sample(
        "a declared key",
        "GT:G_S",
        "0/1:x",
        code="vcf.format",
        good=ALL,
        lines=('##FORMAT=<ID=G_S,Number=1,Type=String,Description="d">',),
    ),
    sample("a percent sign", "GT:G%3AS", "0/1:x", code="vcf.format", bad=ALL[:3], good=LATEST),
    sample("an asterisk", "GT:G*S", "0/1:x", code="vcf.format", bad=ALL),
    sample("a key that begins with a digit", "GT:1X", "0/1:x", code="vcf.format", bad=NEW, good=OLD),
    sample("a key twice", "GT:DP:DP", "0/1:1:1", code="vcf.format", bad=ALL),
    sample("GT behind another", "DP:GT", "1:0/1", code="vcf.format", bad=ALL),
    sample("an interval without its value", "GT:CICN", "0/1:-1,1", code="vcf.format", bad=LATEST),
    sample("local values without their alleles", "GT:LAD", "0/1:1,1", code="vcf.format", bad=("4.5",)),
    # Samples
    sample("trailing values left away", "GT:DP:GQ", "0/1", good=ALL),
    sample("a value too many", "GT", "0/1:7", bad=ALL),
    sample("a phred of each genotype", "GT:PL", "0/1:9,0,9", good=ALL),
    sample("a genotype too few", "GT:PL", "0/1:9,0", bad=ALL),
    sample("genotypes of three copies", "GT:PL", "0/0/1:1,2,3,4", good=ALL),
    sample("three copies, a genotype too few", "GT:PL", "0/0/1:1,2,3", bad=ALL),
    sample("a list that is missing", "GT:PL", "0/1:.", good=ALL),
    sample("a negative phred", "GT:PL", "0/1:-1,0,3", bad=ALL),
    sample("a negative quality", "GT:GQ", "0/1:-2", bad=ALL),
    sample("a negative phase set", "GT:PS", "0|1:-5", bad=ALL),
    sample(
        "a zero with a minus",
        "GT:GQ",
        "0/1:-0",
        good=ALL,
        lines=('##FORMAT=<ID=GQ,Number=1,Type=Float,Description="d">',),
    ),
    sample("a probability above 1", "GT:GP", "0/1:2,0,0.5", lines=(GP,), bad=NEW, good=OLD),
    sample("a negative probability", "GT:GP", "0/1:-0.1,1,0", lines=(GP,), bad=NEW),
    sample("probabilities", "GT:GP", "0/1:0,1,1e-9", lines=(GP,), good=ALL),
    sample("filters of a call", "GT:FT", "0/1:q10;s50", good=ALL),
    sample("the reserved 0 of a call", "GT:FT", "0/1:0", bad=ALL),
    sample("a nameless filter of a call", "GT:FT", "0/1:q10;", bad=ALL),
    sample("two phase sets", "GT:PS:PSL", "0|1:5:a,a", bad=LATEST, good=ALL[:3]),
    sample("a phase set of each kind", "GT:PS:PSL", "0|1:.:a,a", good=ALL),
    sample("a negative depth", "GT:DP", "0/1:-3", bad=ALL),
    sample("a value for each copy", "GT:PSL:PSO", "0|1:.,a:.,2", good=ALL),
    sample("a copy too few", "GT:PSL", "0|1:a", bad=LATEST),
    sample("local alleles", "GT:LAA:LAD:LPL", "2/4:2,4:20,30,10:90,80,0,100,110,120", alt="C,G,T,<*>", good=("4.5",)),
    sample("no local alleles", "LAA:LEC", ":", good=("4.5",)),
    sample("a local value too few", "GT:LAA:LAD", "0/1:1:5", bad=("4.5",)),
    sample("local alleles in another order", "GT:LAA", "0/1:2,1", alt="C,G", good=("4.5",)),
    sample("an allele that is not local", "GT:LAA", "0/2:1", alt="C,G", bad=("4.5",)),
    sample("a local allele that is not there", "GT:LAA", "0/1:2", bad=("4.5",)),
    sample("an empty value", "GT:DP", "0/1:", bad=ALL[:4]),
    sample("a block up to its contig's end", "GT:LEN", "0/0:5", alt="<*>", lines=(CONTIG,), good=ALL),
    sample("a block too long", "GT:LEN", "0/0:6", alt="<*>", lines=(CONTIG,), code="vcf.block", bad=("4.5",)),
    sample("a haplotype in words", "GT:HAP", "0/1:x", bad=ALL),
    sample("a quality of a copy number, in words", "GT:CNQ", "0/1:x", bad=ALL[:3]),
    sample("likelihoods of each copy number", "GT:CNL", "0/1:-1,-2,-3,-4", good=ALL),
    # Genotypes
    sample("one, two and four copies", "GT", "0", good=ALL, code="vcf.genotype"),
    sample("four copies", "GT", "0|0|1|.", good=ALL, code="vcf.genotype"),
    sample("a mark before the first", "GT", "|0/1", good=LATEST, bad=ALL[:3], code="vcf.genotype"),
    sample("a mark behind the last", "GT", "0/0|", good=LATEST, bad=ALL[:3], code="vcf.genotype"),
    sample("two marks", "GT", "0/|1", bad=ALL, code="vcf.genotype"),
    sample("an allele that is not there", "GT", "0/2", bad=ALL, code="vcf.genotype"),
    sample("letters", "GT", "A/C", bad=ALL, code="vcf.genotype"),
    sample("a backslash", "GT", "0\\1", bad=ALL, code="vcf.genotype"),
    # Lines
    body("a column too few", "vcf.columns", "1 5 . A C . . . GT", bad=ALL),
    body("a column too many", "vcf.columns", "1 5 . A C . . . GT 0/1 0/1", bad=ALL),
    body("an empty line", "vcf.empty-line", "1 5 . A C . . . GT 0/1", "", "1 6 . A C . . . GT 0/1", bad=ALL),
    body("positions that fall", "vcf.unsorted", "1 6 . A C . . . GT 0/1", "1 5 . A C . . . GT 0/1", bad=ALL),
    body(
        "positions that fall, without GT",
        "vcf.unsorted",
        "1 6 . A C . . . DP 1",
        "1 5 . A C . . . DP 1",
        bad=ALL[:4],
        good=("4.5",),
    ),
    body(
        "a contig in two pieces",
        "vcf.not-contiguous",
        "1 6 . A C . . . GT 0/1",
        "2 5 . A C . . . GT 0/1",
        "1 7 . A C . . . GT 0/1",
        bad=ALL,
    ),
    body("a variant twice", "vcf.duplicate-variant", "1 6 . A C . . . GT 0/1", "1 6 . A C . . . GT 0/1", bad=ALL),
    body(
        "a variant twice that nobody has",
        "vcf.duplicate-variant",
        "1 6 . A C . . . GT 0/0",
        "1 6 . A C . . . GT 0/0",
        good=ALL,
    ),
    body(
        "a symbolic allele twice",
        "vcf.duplicate-variant",
        "1 6 . A <INS> . . SVLEN=1 GT 0/1",
        "1 6 . A <INS> . . SVLEN=1 GT 0/1",
        good=ALL,
    ),
    Vector(
        "no newline at the end",
        "vcf.truncated",
        vcf("1 5 . A C . . . GT 0/1", version="4.0")[:-1],
        ("4.3", "4.4"),
        (*OLD, "4.5"),
    ),
    Vector("empty lines at the end", "vcf.empty-line", vcf("1 5 . A C . . . GT 0/1", version="4.0") + b"\n\n", (), ALL),
    # The header
    meta("any line", "##source=someone", "##x=<ID=y>", good=ALL),
    meta("no equals sign", "##source", bad=ALL),
    meta("a bracket that stays open", "##INFO=<ID=X", bad=ALL),
    meta("A, R and G", *(f'##INFO=<ID={code},Number={code},Type=Float,Description="d">' for code in "RG"), good=ALL),
    meta("one for each copy", '##FORMAT=<ID=X,Number=P,Type=Integer,Description="d">', bad=ALL[:3], good=LATEST),
    meta("no such Number", '##INFO=<ID=X,Number=one,Type=Integer,Description="d">', bad=ALL),
    meta("no such Type", '##INFO=<ID=X,Number=1,Type=Int,Description="d">', bad=ALL),
    meta("a flag in FORMAT", '##FORMAT=<ID=X,Number=0,Type=Flag,Description="d">', bad=ALL),
    meta("no Description", "##INFO=<ID=X,Number=1,Type=Integer>", bad=ALL),
    meta("no quotes", "##INFO=<ID=X,Number=1,Type=Integer,Description=d>", bad=ALL),
    meta("escaped quotes", '##INFO=<ID=X,Number=1,Type=Integer,Description="a \\"b\\"">', good=ALL),
    meta("an ID with a blank", '##INFO=<ID=X Y,Number=1,Type=Integer,Description="d">', bad=ALL),
    meta("a reserved key redefined", '##FORMAT=<ID=DP,Number=2,Type=Integer,Description="d">', bad=ALL),
    meta("a key that 4.3 reserved", '##FORMAT=<ID=AD,Number=.,Type=Integer,Description="d">', bad=NEW, good=OLD),
    meta("PP as 4.3 has it", '##FORMAT=<ID=PP,Number=G,Type=Integer,Description="d">', good=ALL),
    meta("PP of another number", '##FORMAT=<ID=PP,Number=1,Type=Integer,Description="d">', bad=NEW, good=OLD),
    meta(
        "a key that 4.4 reserved", '##INFO=<ID=SVLEN,Number=.,Type=Integer,Description="d">', bad=LATEST, good=ALL[:3]
    ),
    meta(
        "a key that 4.5 reserved", '##FORMAT=<ID=LAD,Number=R,Type=Integer,Description="d">', bad=("4.5",), good=ALL[:4]
    ),
    meta("a pair", '##INFO=<ID=CIPOS,Number=2,Type=Integer,Description="d">', good=ALL),
    meta("a pair of another number", '##INFO=<ID=CIPOS,Number=1,Type=Integer,Description="d">', bad=ALL),
    meta("a pair of another type", '##INFO=<ID=CIPOS,Number=2,Type=Float,Description="d">', bad=ALL),
    meta("a list that callers count", '##INFO=<ID=SVLEN,Number=1,Type=Integer,Description="d">', good=ALL[:3]),
    meta("names of events", '##INFO=<ID=EVENT,Number=1,Type=String,Description="d">', bad=LATEST, good=ALL[:3]),
    meta("types of events", '##INFO=<ID=EVENTTYPE,Number=1,Type=String,Description="d">', bad=LATEST, good=ALL[:3]),
    meta("a copy number", '##FORMAT=<ID=CN,Number=1,Type=Integer,Description="d">', good=ALL),
    meta("a copy number in words", '##FORMAT=<ID=CN,Number=1,Type=String,Description="d">', bad=ALL),
    meta("copy numbers", '##FORMAT=<ID=CNL,Number=.,Type=Float,Description="d">', good=ALL),
    meta("two copy numbers", '##FORMAT=<ID=CNL,Number=2,Type=Float,Description="d">', bad=NEW, good=OLD),
    meta("three parts of four", '##INFO=<ID=MEINFO,Number=3,Type=String,Description="d">', bad=ALL),
    meta("a flag that is none", '##INFO=<ID=NOVEL,Number=1,Type=String,Description="d">', bad=ALL),
    meta("a key twice, differently", DEFINED, DEFINED.replace("Number=2", "Number=1"), bad=ALL),
    meta("a key twice, the same", DEFINED, DEFINED, good=ALL),
    meta("a filter twice, differently", '##FILTER=<ID=q,Description="a">', '##FILTER=<ID=q,Description="b">', bad=ALL),
    meta("a filter twice, the same", *['##FILTER=<ID=q,Description="a">'] * 2, good=ALL),
    meta("ALT twice, differently", '##ALT=<ID=DEL,Description="a">', '##ALT=<ID=DEL,Description="b">', bad=ALL),
    meta("a contig of two lengths", "##contig=<ID=1,length=9>", "##contig=<ID=1,length=10>", bad=ALL),
    meta("a contig's assembly said later", "##contig=<ID=1>", "##contig=<ID=1,assembly=B37>", good=ALL),
    meta("a contig's length said later", "##contig=<ID=1>", "##contig=<ID=1,length=9>", good=ALL),
    meta("SAMPLE twice, differently", "##SAMPLE=<ID=S,Assay=a>", "##SAMPLE=<ID=S,Assay=b>", bad=ALL),
    meta("META twice, differently", *(f"##META=<ID=A,Values=[{one}]>" for one in "ab"), bad=NEW, good=OLD),
    meta("the version again", "##source=x", "##fileformat=VCFv4.2", bad=ALL),
    meta("a flag with a value", '##INFO=<ID=X,Number=1,Type=Flag,Description="d">', good=ALL),
    meta("a number without a value", '##INFO=<ID=X,Number=0,Type=Integer,Description="d">', bad=NEW, good=OLD),
    meta("a key that begins with a digit", '##INFO=<ID=1X,Number=1,Type=Integer,Description="d">', bad=NEW, good=OLD),
    meta("a key with a hyphen", '##FORMAT=<ID=X-Y,Number=1,Type=Integer,Description="d">', bad=NEW, good=OLD),
    meta("a key with a percent sign", '##FORMAT=<ID=X%3A,Number=1,Type=Integer,Description="d">', good=LATEST),
    meta("the digit that is older", '##INFO=<ID=1000G,Number=0,Type=Flag,Description="d">', good=ALL),
    meta("the filter 0", '##FILTER=<ID=0,Description="d">', bad=ALL),
    meta("two filters in one", '##FILTER=<ID=a;b,Description="d">', bad=ALL),
    meta("brackets without an ID", "##x=<y=z>", bad=NEW, good=OLD),
    meta("a quoted text in brackets", '##x=<"y: z">', good=ALL),
    meta("local values", '##FORMAT=<ID=X,Number=LR,Type=Integer,Description="d">', bad=ALL[:4], good=("4.5",)),
    meta("copies in INFO", '##INFO=<ID=X,Number=P,Type=Integer,Description="d">', bad=ALL),
    meta("modified bases", '##FORMAT=<ID=M1C,Number=M,Type=Float,Description="d">', bad=ALL[:4], good=("4.5",)),
    meta("modified bases of none", '##FORMAT=<ID=M1,Number=M,Type=Float,Description="d">', bad=ALL),
    meta("another order", '##INFO=<ID=X,Type=Float,Number=1,Description="d">', bad=ALL[:4], good=("4.5",)),
    meta("a source without quotes", f"{DEFINED[:-1]},Source=dbsnp>", bad=NEW, good=OLD),
    meta("FILTER without a Description", "##FILTER=<ID=q10>", bad=ALL[:3], good=LATEST),
    meta("ALT of any name", '##ALT=<ID=custom,Description="d">', bad=OLD, good=NEW),
    meta("ALT with a subtype of nothing", '##ALT=<ID=X:Y,Description="d">', bad=ALL),
    meta("ALT with a subtype of a breakend", '##ALT=<ID=BND:Y,Description="d">', bad=(*OLD, *LATEST), good=("4.3",)),
    meta("a contig", '##contig=<ID=1,length=9,assembly=B37,md5=f1,species="Homo sapiens">', good=ALL),
    meta("a contig's length in words", "##contig=<ID=1,length=long>", bad=ALL),
    meta("META", "##META=<ID=Assay,Number=.,Type=String,Values=[Whole, Exome]>", good=ALL),
    meta("META of one value", "##META=<ID=Assay,Number=.,Type=String,Values=Whole>", bad=NEW, good=OLD),
    meta("META of a quoted list", '##META=<ID=Assay,Number=.,Type=String,Values="[Whole]">', bad=NEW, good=OLD),
    meta("META of no Number", "##META=<ID=Assay,Number=N,Type=String,Values=[a]>", bad=NEW, good=OLD),
    meta("META without an ID", "##META=<Assay=Whole>", bad=NEW, good=OLD),
    meta("SAMPLE without an ID", "##SAMPLE=<Assay=Whole>", bad=ALL),
    meta("PEDIGREE with an ID", "##PEDIGREE=<ID=Child,Father=F,Mother=M>", good=ALL),
    meta("PEDIGREE without an ID", "##PEDIGREE=<Name_0=A,Name_1=B>", bad=NEW, good=OLD),
    meta("an address", "##assembly=ftp://host/path.fa", good=ALL),
    meta("half an address", "##pedigreeDB=host/path", bad=ALL),
    Vector("no version", "vcf.no-fileformat", f"{COLUMNS}\n1\t5\t.\tA\tC\t.\t.\t.\n".encode(), ("4.2",)),
    Vector("a version to come", "vcf.version", f"##fileformat=VCFv4.9\n{COLUMNS}\n".encode(), ("4.2",)),
    Vector("other columns", "vcf.columns", b"##fileformat=VCFv4.0\n#CHROM\tPOS\n", ALL),
    Vector("FORMAT without samples", "vcf.no-genotypes", vcf(version="4.0", samples=[]).rstrip() + b"\tFORMAT\n", ALL),
    Vector("a sample twice", "vcf.duplicate-samples", vcf(samples=["A", "A"], version="4.0"), ALL),
    Vector("a sample without a name", "vcf.samples", vcf(samples=["A", ""], version="4.0"), ALL),
)
