"""What a buyer needs: a folder with the keys and where the network is, and code that is approved."""

from pathlib import Path

from ledger.ledgers import Market
from nebula.buyer.settings import BuyerSettings
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.study import StudyDocument
from nebula.transport.keyfiles import save_key


def make_folder(market: Market, signing: SecretBytes, folder: Path) -> BuyerSettings:
    """Save a buyer's keys and return the settings that name them. No hub answers at the one that they name."""
    save_key(folder / "signing", signing)
    save_key(folder / "sealing", SealingKey.generate().secret)
    return BuyerSettings(
        ledger_url=market.ledger.client.url,
        network=market.network.addresses,
        hub_url="http://127.0.0.1:1",
        hub_address=market.operator.address,
        signing_key_file="signing",
        sealing_key_file="sealing",
    )


def approve_code(market: Market, study: StudyDocument) -> None:
    """Have the governor approve the code that a study names."""
    approval = market.network.sessions.approve_measurement(study.measurement, study.trust_root, simulated=True)
    market.ledger.transact(market.governor.secret, approval)
