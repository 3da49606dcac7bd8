"""The study that a story is about."""

from datetime import UTC, datetime, timedelta

from nebula.buyer import Buyer
from nebula.localnet.plot import Plot
from nebula.localnet.settings_files import THRESHOLD, LocalNetwork
from nebula.protocol.duo import Purpose
from nebula.protocol.ids import Hash32
from nebula.protocol.money import TOKEN_WEI, wei_to_wire
from nebula.protocol.study import PartKind, PurposeTerms, ResultClass, StudyDocument

PRICE_WEI = 2 * TOKEN_WEI
FEE_WEI = 50 * TOKEN_WEI
DEADLINE_SECONDS = 3600
NOISED_MICRO_RHO = 500_000


def write_study(plot: Plot, local: LocalNetwork, buyer: Buyer, *, panel: Hash32, people: int) -> StudyDocument:
    """Write a study over everybody who lets it, to be run within the hour."""
    is_noised = plot.asked_class is ResultClass.NOISED
    asks = f"Which variants act on {plot.trait}?" if plot.needs_trait else "How frequent are the panel's alleles?"
    return StudyDocument(
        chain_id=local.addresses.chain_id,
        buyer=buyer.address,
        operator=local.hub,
        result_key=buyer.result_key,
        title=asks,
        summary="A demonstration study for health research, over every record whose consent permits it.",
        purpose=PurposeTerms(purposes=(Purpose.HEALTH,)),
        analysis=f"{plot.analysis}@1",
        parameters=plot.parameters,
        parts=(PartKind.GENOTYPES, PartKind.PHENOTYPES) if plot.needs_trait else (PartKind.GENOTYPES,),
        panel=panel,
        result_class=plot.asked_class,
        privacy_micro_rho=NOISED_MICRO_RHO if is_noised else 0,
        price_per_record_wei=wei_to_wire(PRICE_WEI),
        fee_wei=wei_to_wire(FEE_WEI),
        min_records=min(100, max(10, people // 2)),
        max_records=people,
        deadline=int((datetime.now(UTC) + timedelta(seconds=DEADLINE_SECONDS)).timestamp()),
        keepers=tuple(keeper.address for keeper in local.keepers),
        keeper_threshold=THRESHOLD,
        measurement=local.measurement,
        trust_root=local.trust_root,
    )
