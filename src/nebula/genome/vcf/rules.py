"""The rules that a VCF must keep: what each asks for, from which version on, where the specification says so.

``docs/reference/vcf-rules.md`` shows them as a table, and a test holds the two together.
"""

from __future__ import annotations

from typing import NamedTuple

_ALL = "4.1 to 4.5"


class Rule(NamedTuple):
    """One rule.

    Attributes:
        code: as in errors.
        asks: what must be so.
        versions: of VCF in which it holds.
        section: of the specification, in its version 4.5 where nothing else is said; empty for our own rules.
        hint: what to do about a file that breaks it.
        lenient: what a lenient reading does instead of refusing: ``kept``, ``left out``, or nothing.
    """

    code: str
    asks: str
    versions: str
    section: str
    hint: str
    lenient: str = ""


_EXPORT = "export the file again, or ask whoever made it"
_WHOLE = "copy or download the file again, whole"
_MEND = "correct the line, and put the header back with `bcftools reheader`"

RULES = (
    Rule(
        "vcf.no-fileformat", "The first line is ##fileformat=VCFv4.x", _ALL, "1.2", "name the version in line 1", "kept"
    ),
    Rule("vcf.version", "The version is 4.1 to 4.5", _ALL, "1.2", "convert it with `bcftools view`", "kept"),
    Rule(
        "vcf.header",
        "Meta lines have their form: ID first, Number and Type as the key asks for, quotes, brackets; reserved keys"
        " are not redefined; nothing is defined twice, differently; from 4.3 on IDs have the form of keys",
        _ALL,
        "1.4",
        _MEND,
        "kept",
    ),
    Rule(
        "vcf.columns", "A line has as many columns between tabs as the header names", _ALL, "1.5", _EXPORT, "left out"
    ),
    Rule("vcf.samples", "Samples are named, and not too many", _ALL, "1.5", "give every person a name"),
    Rule("vcf.duplicate-samples", "No sample is named twice", _ALL, "1.5", "give every person one name"),
    Rule("vcf.empty-line", "No line inside the file is empty", _ALL, "1.6", "remove the empty line", "left out"),
    Rule(
        "vcf.chrom",
        "CHROM is the name of a contig, or <name>; before 4.3 with a colon only where the header declares it",
        _ALL,
        "1.4.7, 1.6.1",
        "rename the contigs with `bcftools annotate --rename-chrs`",
        "left out",
    ),
    Rule("vcf.pos", "POS is a whole number from 0 to 2,147,483,647", _ALL, "1.6.1", _EXPORT, "left out"),
    Rule("vcf.id", "ID is '.', or names between semicolons, none twice", _ALL, "1.6.1", _EXPORT, "kept"),
    Rule("vcf.ref", "REF is a sequence of A, C, G, T, N", _ALL, "1.6.1", _EXPORT, "left out"),
    Rule(
        "vcf.alt",
        "ALT is '.', or sequences, <ID>, * and breakends between commas, none like REF, no sequence twice",
        _ALL,
        "1.4.5, 1.6.1",
        _EXPORT,
        "left out",
    ),
    Rule("vcf.qual", "QUAL is '.', or a number from 0 on", _ALL, "1.6.1", _EXPORT, "kept"),
    Rule(
        "vcf.filter",
        "FILTER is '.', PASS, or names between semicolons, none 0, none twice",
        _ALL,
        "1.6.1",
        _EXPORT,
        "left out",
    ),
    Rule(
        "vcf.info",
        "INFO has KEY or KEY=VALUE between semicolons, no key twice, values of the key's Number and Type;"
        " from 4.3 on keys are letters, digits, '_' and '.'",
        _ALL,
        "1.4.2, 1.6.1",
        "correct the key's definition or its values; `bcftools annotate -x INFO/KEY` takes it out",
        "kept",
    ),
    Rule(
        "vcf.block",
        "A block ends not before it begins, nor behind the end of a contig whose length is declared",
        _ALL,
        "1.4.7, 5.5",
        _EXPORT,
        "left out",
    ),
    Rule(
        "vcf.structural",
        "A structural variant says its SVLEN, or END; SVCLAIM fits it; pairs and quadruples are of each allele, CIPOS"
        " and CIEND around 0; the keys of tandem repeats go with RN; only DEL, INS, DUP, INV and CNV have subtypes",
        "4.4, 4.5",
        "3, 4",
        "correct it, or say an earlier version in line 1 if the file keeps to that one",
        "kept",
    ),
    Rule(
        "vcf.format",
        "FORMAT has keys between colons, each once, GT first; LAA before the keys of local alleles",
        _ALL,
        "1.6.2",
        _EXPORT,
        "left out",
    ),
    Rule(
        "vcf.genotype",
        "GT has numbers of the record's alleles, or '.', between / and |; from 4.4 on also a mark before the first",
        _ALL,
        "1.6.2",
        "ask whoever made the file: its genotypes do not match its alleles",
        "kept",
    ),
    Rule(
        "vcf.sample",
        "A sample has not more values than FORMAT has keys, each of its key's Number and Type: no negative count or"
        " quality, from 4.3 on no probability above 1; FT is as FILTER; GT's alleles are in LAA; PS or PSL, not both",
        _ALL,
        "1.4.4, 1.6.2",
        "correct the key's definition or its values; `bcftools annotate -x FORMAT/KEY` takes it out",
        "kept",
    ),
    Rule(
        "vcf.unsorted",
        "A contig's positions ascend; in 4.5 a record without GT may stand anywhere",
        _ALL,
        "1.6.1",
        "sort the file with `bcftools sort`",
        "kept",
    ),
    Rule(
        "vcf.not-contiguous",
        "A contig's records stand together",
        _ALL,
        "1.6.1",
        "sort the file with `bcftools sort`",
        "kept",
    ),
    Rule(
        "vcf.duplicate-variant",
        "No variant stands twice, unless nobody carries it; it would count twice",
        _ALL,
        "",
        "remove what stands twice with `bcftools norm -f REFERENCE -d exact`",
        "left out",
    ),
    Rule(
        "vcf.truncated",
        "The last line ends with a newline; compressed data ends with its end",
        "4.3, 4.4",
        "1.6",
        _WHOLE,
        "kept",
    ),
    Rule(
        "vcf.bcf",
        "BCF is 2.2, its numbers are in the header's dictionaries, its vectors end where they say",
        "2.2",
        "6",
        "write it again with `bcftools view -Ob`, or give the VCF",
    ),
    Rule("vcf.binary", "The file is VCF or BCF", _ALL, "", "give a VCF or BCF file, plain or compressed with bgzip"),
    Rule("vcf.empty", "The file is not empty", _ALL, "", _WHOLE),
    Rule("vcf.damaged", "Compressed data matches its checksums", _ALL, "", _WHOLE),
    Rule(
        "vcf.too-large",
        "The file stays below the limits once inflated, its alleles below 512 MiB, contigs and FILTER values at 65,536",
        _ALL,
        "",
        "split it with `bcftools view -r`",
    ),
    Rule("vcf.header-too-long", "The header stays below its limit", _ALL, "", _WHOLE),
    Rule("vcf.line-too-long", "A line stays below its limit", _ALL, "", "split the samples with `bcftools view -S`"),
    Rule(
        "vcf.no-genotypes", "The file has samples, and a record with GT", _ALL, "", "give the file with its genotypes"
    ),
    Rule(
        "vcf.wrong-assembly",
        "The file is on the panel's assembly, in its header and in its data",
        _ALL,
        "",
        "ask for the file on the panel's assembly",
    ),
    Rule(
        "vcf.reference",
        "REF is what the reference genome has",
        _ALL,
        "1.6.1",
        "give the reference that the file was made on",
    ),
    Rule("vcf.key-collision", "No two variants of a panel have one VariantKey", _ALL, "", "leave one of them out"),
    Rule("vcf.no-variants", "A panel's file has a variant on a chromosome", _ALL, "", "give a file with variants"),
)

_HINTS = {rule.code: rule.hint for rule in RULES}


def hint_of(code: str) -> str | None:
    """What to do about a file that breaks a rule."""
    return _HINTS.get(code)
