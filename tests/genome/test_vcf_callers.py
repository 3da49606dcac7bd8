"""Headers and records in the manner of callers in wide use are accepted; each is written by hand, and small."""

import pytest

from genome.vcf_text import source, vcf
from nebula.genome.vcf import VcfReader


def definition(column: str, key: str, number: str, kind: str) -> str:
    return f'##{column}=<ID={key},Number={number},Type={kind},Description="d">'


GT = definition("FORMAT", "GT", "1", "String")
CALLERS = {
    "GATK": (
        "4.2",
        [
            '##ALT=<ID=NON_REF,Description="any other">',
            '##GATKCommandLine=<ID=HaplotypeCaller,CommandLine="HaplotypeCaller --input a.bam",Version="4.2",Date="d">',
            "##GVCFBlock0-1=minGQ=0(inclusive),maxGQ=1(exclusive)",
            definition("FORMAT", "AD", "R", "Integer"),
            definition("FORMAT", "MIN_DP", "1", "Integer"),
            definition("FORMAT", "PGT", "1", "String"),
            definition("FORMAT", "SB", "4", "Integer"),
            definition("INFO", "DS", "0", "Flag"),
            definition("INFO", "MLEAC", "A", "Integer"),
            "##contig=<ID=HLA-DRB1*16:02:01,length=11005,assembly=GRCh38>",
        ],
        [
            "chr1 10 . A C,<NON_REF> 50.6 . MLEAC=1,0 GT:AD:DP:GQ:PGT:PL:SB 0/1:5,4,0:9:9:0|1:9,0,9,9,9,9:1,2,3,4",
            "chr1 11 . A <NON_REF> . . END=90 GT:DP:GQ:MIN_DP:PL 0/0:30:87:28:0,87,900",
            "HLA-DRB1*16:02:01 5 . A C . . . GT 0/1",
        ],
    ),
    "DeepVariant": (
        "4.2",
        [
            '##FILTER=<ID=RefCall,Description="r">',
            "##DeepVariant_version=1.5.0",
            definition("FORMAT", "VAF", "A", "Float"),
            definition("FORMAT", "AD", "R", "Integer"),
            definition("FORMAT", "MIN_DP", "1", "Integer"),
        ],
        [
            "chr1 10 . A C 0 RefCall . GT:GQ:DP:AD:VAF:PL 0/0:50:9:8,1:0.11:0,50,60",
            "chr1 20 . A <*> 0 . END=40 GT:GQ:MIN_DP:PL 0/0:50:17:0,51,509",
        ],
    ),
    "bcftools": (
        "4.2",
        [
            "##bcftoolsCommand=mpileup -f a.fa a.bam; Date=Mon Jan  1 00:00:00 2024",
            "##reference=file:///data/a.fa",
            definition("INFO", "DP4", "4", "Integer"),
            definition("INFO", "MQ", "1", "Integer"),
            definition("INFO", "INDEL", "0", "Flag"),
            definition("FORMAT", "PL", "G", "Integer"),
        ],
        ["1 10 . ACC AC 228.4 . INDEL;DP=30;DP4=1,2,3,4;MQ=60 GT:PL 1/1:255,90,0"],
    ),
    "Strelka": (
        "4.1",
        [
            definition("INFO", "BLOCKAVG_min30p3a", "0", "Flag"),
            definition("INFO", "SNVHPOL", "1", "Integer"),
            definition("FORMAT", "GQX", "1", "Integer"),
            definition("FORMAT", "DPF", "1", "Integer"),
            definition("FORMAT", "MIN_DP", "1", "Integer"),
            definition("FORMAT", "AD", ".", "Integer"),
        ],
        [
            "chr1 10 . T . . PASS END=20;BLOCKAVG_min30p3a GT:GQX:DP:DPF:MIN_DP 0/0:48:17:0:16",
            "chr1 30 . T C 100 PASS SNVHPOL=3;MQ=60 GT:GQ:GQX:DP:AD 0/1:90:30:20:9,11",
        ],
    ),
    "FreeBayes": (
        "4.2",
        [
            "##phasing=none",
            '##commandline="freebayes -f a.fa a.bam"',
            definition("INFO", "AO", "A", "Integer"),
            definition("INFO", "DPB", "1", "Float"),
            definition("INFO", "technology.ILLUMINA", "A", "Float"),
            definition("FORMAT", "GQ", "1", "Float"),
            definition("FORMAT", "GL", "G", "Float"),
        ],
        ["1 10 . A C 1.5e-05 . AO=4;CIGAR=1X;DPB=9.5;technology.ILLUMINA=1 GT:GQ:DP:GL 0/1:45.3:9:-5.2,0,-8"],
    ),
    "DRAGEN": (
        "4.2",
        [
            '##DRAGENCommandLine=<ID=dragen,Date="d",CommandLineOptions="--enable-map-align true">',
            '##FILTER=<ID=DRAGENSnpHardQUAL,Description="Set if true:QUAL < 10.41">',
            definition("FORMAT", "AF", "A", "Float"),
            definition("FORMAT", "MB", "4", "Integer"),
            definition("FORMAT", "GP", "G", "Float"),
        ],
        ["chr1 10 . A C 9 DRAGENSnpHardQUAL MQ=50.1 GT:AF:DP:GQ:GP:MB 0/1:0.5:20:9:1.2,3,4.5e+01:5,5,5,5"],
    ),
    "1000 Genomes": (
        "4.1",
        [
            '##ALT=<ID=CN0,Description="0 copies">',
            '##ALT=<ID=INS:ME:ALU,Description="ALU">',
            definition("INFO", "CIEND", "2", "Integer"),
            definition("INFO", "EAS_AF", "A", "Float"),
            definition("INFO", "SVLEN", ".", "Integer"),
            definition("INFO", "AA", "1", "String"),
        ],
        [
            "1 10 rs1 A C 100 PASS AC=1;AF=0.0002;AN=2;EAS_AF=0;AA=.||| GT 0|1",
            "1 20 esv1 A <CN0> 100 PASS END=90;SVLEN=-70;CIEND=-5,5 GT 0|1",
        ],
    ),
    "Manta": (
        "4.1",
        [
            definition("INFO", "IMPRECISE", "0", "Flag"),
            definition("INFO", "SVTYPE", "1", "String"),
            definition("INFO", "SVLEN", ".", "Integer"),
            definition("INFO", "CIPOS", "2", "Integer"),
            definition("INFO", "CIGAR", "A", "String"),
            definition("INFO", "MATEID", ".", "String"),
            definition("INFO", "EVENT", "1", "String"),
            definition("INFO", "HOMLEN", ".", "Integer"),
            definition("INFO", "HOMSEQ", ".", "String"),
            definition("FORMAT", "FT", "1", "String"),
            definition("FORMAT", "PR", ".", "Integer"),
        ],
        [
            "chr1 10 D:1 AC A 9 PASS END=11;SVTYPE=DEL;SVLEN=-1;CIGAR=1M1D;HOMLEN=1;HOMSEQ=G GT:FT:PR 0/1:PASS:30,9",
            "chr1 20 MantaINS:1 A <INS> 99 MaxDepth END=20;SVTYPE=INS;CIPOS=0,7 GT:FT:GQ:PL:PR 1/1:MinGQ:9:99,9,0:0,9",
            "chr1 30 MantaBND:1:0 A A[chr2:5[ 99 PASS SVTYPE=BND;MATEID=M:1;IMPRECISE;CIPOS=-9,9 GT:PR 0/1:3,9",
        ],
    ),
    "Delly": (
        "4.2",
        [
            definition("INFO", "CIEND", "2", "Integer"),
            definition("INFO", "CHR2", "1", "String"),
            definition("INFO", "SVTYPE", "1", "String"),
            definition("INFO", "HOMLEN", "1", "Integer"),
            definition("INFO", "PRECISE", "0", "Flag"),
            definition("FORMAT", "CN", "1", "Integer"),
            definition("FORMAT", "RCL", "1", "Integer"),
        ],
        [
            "chr2 90 D1 A <DEL> 5 LowQual IMPRECISE;SVTYPE=DEL;END=95;CIEND=-5,5 GT:GL:GQ:CN 0/1:-9.5,0,-9:95:-1",
            "chr2 95 T1 A <TRA> 5 PASS PRECISE;SVTYPE=TRA;CHR2=chr1;END=20;HOMLEN=2 GT:GL:GQ:CN 0/1:-9.5,0,-90:95:2",
        ],
    ),
    "GATK's copy numbers": (
        "4.2",
        [
            definition("FORMAT", "CN", "1", "Integer"),
            definition("FORMAT", "CNQ", "1", "Integer"),
            definition("FORMAT", "NP", "1", "Integer"),
        ],
        ["chr1 10 CNV_1 N <DEL>,<DUP> 30 . END=90 GT:CN:CNQ:NP 1:1:30:5"],
    ),
    "Oncomine": (
        "4.1",
        [
            definition("INFO", "PRECISE", "0", "Flag"),
            definition("INFO", "SVTYPE", "1", "String"),
            definition("FORMAT", "CN", "1", "Float"),
        ],
        ["chr1 10 . G <CNV> 100 PASS SVTYPE=CNV;END=90 GT:GQ:CN ./.:0:4.58"],
    ),
    "GIAB": (
        "4.2",
        [
            '##FILTER=<ID=allfilteredbutagree,Description="d">',
            definition("INFO", "platformnames", ".", "String"),
            definition("FORMAT", "ADALL", "R", "Integer"),
            definition("FORMAT", "PS", "1", "Integer"),
        ],
        ["chr20 10 . A C 50 PASS platformnames=Illumina,PacBio GT:PS:DP:ADALL:GQ 0|1:10:500:250,250:198"],
    ),
    "Illumina arrays": (
        "4.2",
        [
            definition("FORMAT", "IGC", "1", "Float"),
            definition("FORMAT", "BAF", "1", "Float"),
            definition("INFO", "GC_SCORE", "1", "Float"),
        ],
        ["1 10 rs1 A C . . GC_SCORE=0.9 GT:GQ:IGC:BAF 0/1:17:0.93:0.51"],
    ),
    "Complete Genomics": (
        "4.1",
        [
            "##source=CGAPipeline_2.0.2.26",
            "##phasing=partial",
            '##contig=<ID=1,length=249250621,assembly=B37,md5=1b22b98cdeb4a9304cb5d48026a85128,species="Homo sapiens">',
            '##ALT=<ID=CGA_CNVWIN,Description="Copy number analysis window">',
            '##FILTER=<ID=VQLOW,Description="Quality not VQHIGH">',
            definition("INFO", "CGA_XR", "A", "String"),
            definition("FORMAT", "EHQ", "2", "Integer"),
        ],
        ["1 10 . A C . . NS=1;CGA_XR=dbsnp.100|rs1 GT:PS:FT:HQ:EHQ 0|1:10:PASS:30,40:30,40"],
    ),
}


@pytest.mark.parametrize("caller", CALLERS)
def test_a_callers_file_is_accepted(caller: str) -> None:
    version, meta, records = CALLERS[caller]
    batches = list(VcfReader(source(vcf(*records, meta=[*meta, GT], version=version))))
    assert sum(batch.records for batch in batches) == len(records)


def test_catalogues_without_samples_are_accepted() -> None:
    clinvar = vcf(
        "1 66926 3385321 AG A . . ALLELEID=1;DBVARID=nsv1,nsv2;CLNHGVS=NC_000001.11:g.66927del;RS=123",
        samples=(),
        meta=[
            '##ID=<Description="ClinVar Variation ID">',
            definition("INFO", "RS", ".", "String"),
            definition("INFO", "DBVARID", ".", "String"),
        ],
        version="4.1",
    )
    dbsnp = vcf(
        "NC_000001.11 10001 rs15 T A,C . . RS=1;dbSNPBuildID=154;FREQ=KOREAN:0.98,0.02,.|SGDP:0,1,.;R5;COMMON",
        samples=(),
        meta=["##dbSNP_BUILD_ID=156", "##contig=<ID=NC_000001.11>", definition("INFO", "FREQ", ".", "String")],
    )
    for raw in (clinvar, dbsnp):
        assert sum(len(batch.pos) for batch in VcfReader(source(raw))) > 0
