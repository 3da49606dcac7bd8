"""A consent policy in plain words, for owners: the same words wherever one is shown."""

from datetime import UTC, datetime

from nebula.protocol.consent import ConsentPolicy, Mode
from nebula.protocol.duo import LABELS, Permission
from nebula.protocol.money import TOKEN_WEI, format_tokens, wei_from_wire
from nebula.protocol.study import PartKind, ResultClass

_RESULTS = {
    ResultClass.NOISED: "counts and frequencies with noise",
    ResultClass.HITS: "the strongest associations",
    ResultClass.FULL: "complete statistics, to accredited buyers",
}
_PARTS = {
    PartKind.GENOTYPES: "genotypes on a panel of sites",
    PartKind.VARIANTS: "every variant",
    PartKind.PHENOTYPES: "phenotypes",
    PartKind.SURVEY: "survey answers",
}


def in_words(policy: ConsentPolicy) -> dict[str, str]:
    """Return what a policy says: what it is about, and the sentence, in a fixed order."""
    return {
        "may be used for": _purpose(policy),
        "conditions": "; ".join(LABELS[modifier] for modifier in policy.modifiers) or "none",
        "commercial use": "yes" if policy.commercial_use else "no",
        "training AI models": "yes" if policy.ai_training else "no",
        "what is offered": "; ".join(_PARTS[part] for part in policy.parts) or "nothing",
        "by whom": _buyers(policy),
        "in which countries": ", ".join(policy.jurisdictions) or "any",
        "studies": "are answered by this consent" if policy.mode is Mode.STANDING else "need your approval, each one",
        "least price": _tokens(wei_from_wire(policy.price_floor_wei)) + " for each study",
        "what may leave": "; ".join(_RESULTS[kind] for kind in policy.result_classes) or "nothing",
        "enclave hardware": f"under {len(policy.trust_roots)} trust root{'s' if len(policy.trust_roots) != 1 else ''}",
        "privacy budget": f"rho {policy.privacy_budget_micro_rho / 1_000_000:g} over all studies with noise",
        "counted in searches": "yes, unpaid, with noise" if policy.discoverable else "no",
        "until": datetime.fromtimestamp(policy.expires, UTC).strftime("%Y-%m-%d"),
    }


def _purpose(policy: ConsentPolicy) -> str:
    diseases = f": {', '.join(policy.diseases)}" if policy.permission is Permission.DS else ""
    return LABELS[policy.permission] + diseases


def _tokens(amount_wei: int) -> str:
    return f"{format_tokens(amount_wei)} token{'' if amount_wei == TOKEN_WEI else 's'}"


def _buyers(policy: ConsentPolicy) -> str:
    allowed = ", ".join(policy.buyers_allowed) or "any verified organisation"
    return allowed + (f", but never {', '.join(policy.buyers_denied)}" if policy.buyers_denied else "")
