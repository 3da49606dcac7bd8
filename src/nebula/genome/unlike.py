"""What a file is that has no genotypes for us: its first bytes tell, so that the person is told so, and what to do."""

from __future__ import annotations

from typing import NamedTuple


class Unlike(NamedTuple):
    """What a file is, and what to give instead."""

    what: str
    hint: str


_CALL_FIRST = "have variants called from the reads first, and give the VCF"
_BELONGS_TO = "give the file that it belongs to: its name without the last ending"
_MAGIC = (
    (b"BAM\x01", Unlike("it holds aligned reads (BAM), no genotypes", _CALL_FIRST)),
    (b"CRAM", Unlike("it holds aligned reads (CRAM), no genotypes", _CALL_FIRST)),
    (b"@", Unlike("it holds reads of a sequencer (FASTQ or SAM), no genotypes", _CALL_FIRST)),
    (b">", Unlike("it is a sequence (FASTA), without genotypes", "give a reference genome as --reference")),
    (b"TBI\x01", Unlike("it is the index of a VCF (.tbi)", _BELONGS_TO)),
    (b"CSI\x01", Unlike("it is the index of a VCF or BCF (.csi)", _BELONGS_TO)),
    (
        b"crypt4gh",
        Unlike(
            "it is encrypted (Crypt4GH)", "decrypt it with the key that it is for, and give the file that was in it"
        ),
    ),
    (b"PK\x03\x04", Unlike("it is a zip archive", "unpack it, and give the file that is in it")),
    (b"PAR1", Unlike("it is a Parquet file", "give the VCF, or the raw data as the vendor exports it")),
    (b"%PDF", Unlike("it is a PDF: a report about a genome, not the genome", "download the raw data from the vendor")),
    (b"chain ", Unlike("it is a chain file", "give it as --chain, and name the genome file itself")),
)
_NEITHER = Unlike(
    "it is neither a VCF nor the raw data of a consumer test",
    "a VCF begins with ##fileformat=VCFv4; raw data has a line that names the columns rsid, chromosome, position and "
    "genotype: give the file as it was exported, unchanged",
)


def known_by_magic(start: bytes) -> Unlike | None:
    """What a file is whose content, once inflated, begins with the magic of a known other format."""
    return next((found for magic, found in _MAGIC if start.startswith(magic)), None)


def unlike_genotypes(start: bytes) -> Unlike | None:
    """What a file is whose content begins so, if it can be neither VCF nor BCF; None where it may be one.

    Args:
        start: the first bytes once inflated, of a file that does not look like raw data of a consumer test.
    """
    is_text = b"\x00" not in start
    return known_by_magic(start) or (_NEITHER if is_text and not start.startswith(b"#") else None)
