"""GA4GH Data Use Ontology terms that a consent policy or a study may name.

Identifiers and meanings are those of DUO release 2021-02-23. The ontology's is-a relation is not
restrictiveness (NPU and NCU stand *below* the stricter NPUNCU), so what each term demands is written
out in ``consent.py`` and never inferred from the hierarchy.
"""

from enum import StrEnum


class Permission(StrEnum):
    """What research a record may be used for; exactly one per policy."""

    NRES = "DUO:0000004"  # no restriction
    GRU = "DUO:0000042"  # general research use
    HMB = "DUO:0000006"  # health, medical, biomedical; no ancestry research
    DS = "DUO:0000007"  # research on the named diseases only
    POA = "DUO:0000011"  # population origins or ancestry only


class Modifier(StrEnum):
    """Further conditions; any number per policy."""

    NMDS = "DUO:0000015"  # no general methods research
    GSO = "DUO:0000016"  # genetic studies only
    NPUNCU = "DUO:0000018"  # not-for-profit organisations, and non-commercial use
    PUB = "DUO:0000019"  # results must be published
    COL = "DUO:0000020"  # collaboration required
    IRB = "DUO:0000021"  # ethics approval required
    RTN = "DUO:0000029"  # derived data must be returned
    NPOA = "DUO:0000044"  # no population origins or ancestry research
    NPU = "DUO:0000045"  # not-for-profit organisations only
    NCU = "DUO:0000046"  # non-commercial use only


class Purpose(StrEnum):
    """What a study is for, in the words that permissions are decided on."""

    GENERAL = "general-research"
    HEALTH = "health-research"
    DISEASE = "disease-research"
    ANCESTRY = "ancestry-research"
    METHODS = "methods-research"


class Pledge(StrEnum):
    """What a buyer promises, and an owner may insist on."""

    ETHICS_APPROVAL = "ethics-approval"
    PUBLICATION = "publication"
    COLLABORATION = "collaboration"
    RETURN = "return-of-derived-data"


PLEDGE_DEMANDED_BY = {
    Modifier.IRB: Pledge.ETHICS_APPROVAL,
    Modifier.PUB: Pledge.PUBLICATION,
    Modifier.COL: Pledge.COLLABORATION,
    Modifier.RTN: Pledge.RETURN,
}

LABELS: dict[Permission | Modifier, str] = {
    Permission.NRES: "any use",
    Permission.GRU: "any research",
    Permission.HMB: "health and medical research",
    Permission.DS: "research on named diseases",
    Permission.POA: "research on ancestry only",
    Modifier.NMDS: "no research on methods alone",
    Modifier.GSO: "genetic studies only",
    Modifier.NPUNCU: "non-profit organisations and non-commercial use only",
    Modifier.PUB: "results must be published",
    Modifier.COL: "collaboration required",
    Modifier.IRB: "ethics approval required",
    Modifier.RTN: "derived data must come back",
    Modifier.NPOA: "no ancestry research",
    Modifier.NPU: "non-profit organisations only",
    Modifier.NCU: "non-commercial use only",
}
