"""A curious buyer: verified, paying, and out for one person.

Promise 6: only aggregates leave. Here a buyer tries tiny cohorts, conditions that fit one person, classes of few,
errors that answer, spent budgets and others' results. Studies that differ in one: enclave/test_earlier_cohorts.py.
"""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attacks.network import FinishedNetwork
from nebula.buyer import Buyer
from nebula.buyer.settings import load_settings
from nebula.disclosure.floors import MINIMUM_CELL
from nebula.ledger.client import RevertedError
from nebula.protocol.errors import NebulaError, NotPermittedError, RejectedInputError
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import PUBLISH, RESULT, RUN, PublishAnswer, PublishRequest, ResultAnswer, ResultRequest
from nebula.protocol.study import Condition, PartKind, ResultClass, parse_study
from nebula.protocol.wire import to_canonical
from nebula.transport.client import Carrier, Peer
from simulators.records import enrol_owner, plain_parts
from simulators.storage import MemoryStorage
from simulators.studies import World, make_world

PLAIN = {"trait": "height", "pcs": 0, "minimum_maf": 0.05}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("nebula.enclave.keepers.PAUSE_SECONDS", 0.0)
    found = make_world(MemoryStorage())
    found.change(parameters=PLAIN)
    return found


def refusal(world: World) -> NebulaError:
    with pytest.raises(NebulaError) as refused:
        world.run()
    return refused.value


def only(world: World, people: int) -> Condition:
    """A condition that the tallest ``people`` fulfil; for none, nobody."""
    tallest = np.sort(world.trait)[::-1]
    return Condition(column="height", minimum=float(tallest[people - 1]) if people else 1000.0)


# One person, or none?


@pytest.mark.parametrize("floor", [1, 5])
def test_whether_anybody_fulfils_a_condition_is_not_told(world: World, floor: int) -> None:
    """The same refusal for nobody, for one person and for nine: an error is an answer, and costs nothing."""
    told = []
    for people in (0, 1, 2, MINIMUM_CELL - 1):
        world.change(min_records=floor, conditions=(only(world, people),))
        error = refusal(world)
        told.append((error.code, error.message, error.hint))
    assert len(set(told)) == 1
    assert told[0][0] == "run.too-few-records"


@pytest.mark.parametrize(
    "flaw",
    [
        {"parameters": {**PLAIN, "covariates": ["eyes"]}},
        {"parameters": {**PLAIN, "trait": "eyes"}},
        {"parameters": {**PLAIN, "trait": "no such column"}},
    ],
)
def test_a_cohort_below_the_floor_says_nothing_of_what_else_is_wrong(world: World, flaw: dict[str, Any]) -> None:
    eyes = ["green", "blue", "brown", None]
    for n in range(4):
        columns: dict[str, float | str | None] = {"height": 300.0 + n, "sex": "male", "eyes": eyes[n]}
        add_person(world, 910 + n, columns)
    told = set()
    for height in (300.0, 301.0, 303.0, 400.0):
        world.change(min_records=1, conditions=(Condition(column="height", minimum=height),), **flaw)
        error = refusal(world)
        told.add((error.code, error.message))
    assert {code for code, _ in told} == {"run.too-few-records"}
    assert len(told) == 1


def add_person(world: World, number: int, columns: dict[str, float | str | None]) -> None:
    person = enrol_owner(number, plain_parts(world.panel, world.dosage[:, 0], columns), world.storage)
    world.owners.append(person)
    for keeper in world.keepers:
        keeper.enrol([person])


def test_the_host_sees_the_same_of_a_run_whatever_one_person_has(world: World) -> None:
    """Stages, counts, requests and their sizes: nothing of it may depend on a phenotype."""
    seen = []
    for value in ("green", None):
        other = make_world(MemoryStorage())
        other.change(parameters=PLAIN, conditions=(Condition(column="height", minimum=0.0),))
        add_person(other, 920, {"height": 180.0 if value else None, "sex": "male"})
        other.run()
        requests = [(request.kind, len(request.envelope)) for request in other.host.carried]
        # The cohort itself leaves encrypted; its size stands in the receipt anyway.
        before = [request for request in requests if request[0] not in ("keeper.keep-cohort", "keeper.appraise")]
        seen.append((other.host.stages, before))
    assert seen[0] == seen[1]


def test_an_order_over_few_records_is_refused_by_the_floor_not_by_the_study(world: World) -> None:
    world.owners = world.owners[: MINIMUM_CELL - 1]
    world.change(min_records=1)
    assert refusal(world).code == "run.too-few-records"


def test_a_class_of_one_person_gives_no_result(world: World) -> None:
    for n in range(12):
        add_person(world, 930 + n, {"height": 170.0 + n, "sex": "male", "smoker": "yes" if n == 0 else "no"})
    world.change(min_records=10, parameters={**PLAIN, "covariates": ["smoker"]})
    # The one is missing, not compared with the others; and eleven people are a cohort.
    assert world.run().head.signed.receipt.record_count == 11


def test_a_number_that_marks_one_person_is_no_covariate(world: World) -> None:
    for n in range(30):
        add_person(world, 950 + n, {"height": 170.0 + n, "sex": "male", "mark": 1.0 if n == 0 else 0.0})
    world.change(min_records=10, parameters={**PLAIN, "covariates": ["mark"]})
    assert refusal(world).code == "disclosure.group-too-small"


# Fields of a study


HONEST = msgspec.json.decode(to_canonical(make_world(MemoryStorage()).study))


@pytest.mark.parametrize(
    "fields",
    [
        {"min_records": 0},
        {"min_records": -1},
        {"max_records": 2**40},
        {"price_per_record_wei": "-1"},
        {"price_per_record_wei": "0x10"},
        {"price_per_record_wei": 5},
        {"price_per_record_wei": "9" * 38},
        {"fee_wei": "1e18"},
        {"deadline": 2**64},
        {"deadline": 0},
        {"privacy_micro_rho": -1},
        {"privacy_micro_rho": 10**9},
        {"keeper_threshold": 1},
        {"keepers": []},
        {"keepers": ["0x" + "0a" * 20] * 3},
        {"parts": []},
        {"result_class": "everything"},
        {"analysis": "../../etc/passwd@1"},
        {"analysis": "GWAS@1"},
        {"conditions": [{"column": "", "minimum": 1}]},
        {"conditions": [{"column": "x", "minimum": "1"}]},
        {"conditions": [{"column": "x", "code": "import os"}]},
        {"conditions": [{"column": "x"}] * 21},
        {"panel": "0x00"},
        {"result_key": ""},
        {"title": ""},
        {"title": "x" * 161},
        {"floors": {"minimum_cohort": 1}},
        {"schema": 2},
        {"purpose": {"purposes": []}},
        {"parameters": {"trait": {"nested": 1}}},
        {"parameters": [["trait", "height"]]},
    ],
    ids=str,
)
def test_a_malformed_study_is_no_study(fields: dict[str, Any]) -> None:
    with pytest.raises(RejectedInputError):
        parse_study(msgspec.json.encode(HONEST | fields))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(HONEST)) | st.text(max_size=8), json_values, max_size=3))
def test_whatever_a_buyer_writes_it_is_a_study_or_refused_by_name(fields: dict[str, Any]) -> None:
    code = ""
    try:
        study = parse_study(msgspec.json.encode(HONEST | fields))
    except RejectedInputError as error:
        code = error.code
    else:
        assert study.keeper_threshold >= 2
        assert parse_study(to_canonical(study)) == study
    assert code in ("", "wire.malformed", "wire.too-large", "money.amount") or code.startswith("study.")


@pytest.mark.parametrize(
    "parameters",
    [
        {**PLAIN, "minimum_cohort": 1},
        {**PLAIN, "minimum_maf": -1.0},
        {**PLAIN, "minimum_maf": "0"},
        {**PLAIN, "covariates": ["height"]},
        {**PLAIN, "pcs": -1},
        {**PLAIN, "pcs": 10_000},
        {"trait": "height", "floors": "off"},
    ],
    ids=str,
)
def test_no_parameter_opens_a_door(world: World, parameters: dict[str, Any]) -> None:
    world.change(parameters=parameters)
    assert refusal(world).code.startswith(("analysis.", "disclosure."))


# Budgets


def test_the_budget_adds_up_over_all_the_studies_of_a_record_crashes_included(
    tmp_path: Any, keeper_hardware: Any
) -> None:
    """Promise 6. Three studies of one buyer, one of another, a session that crashed and came again, a new policy."""
    from keeper.world import World as KeeperWorld
    from nebula.database import reading
    from nebula.keeper.budgets import spent_budgets

    keeper = KeeperWorld(f"sqlite:///{tmp_path}/keeper.db", keeper_hardware)
    owner = keeper.owner(privacy_budget_micro_rho=100)
    spent = 0
    for n, price in enumerate((40, 40, 40, 20, 1, 0)):
        study = keeper.study(privacy_micro_rho=price, title=f"Study number {n}", result_class=ResultClass.NOISED)
        run = "0x" + f"{n + 1:064x}"
        for _crash in range(3):
            session = keeper.session(study, run)
            keeper.keeper = keeper.restarted()
            released = keeper.release(session, owner.record).released
        spent += price if released else 0
        with reading(keeper.engine) as connection:
            assert spent_budgets(connection, [owner.record]).get(owner.record, 0) == spent
    assert spent == 100
    keeper.change_policy(owner, 2, privacy_budget_micro_rho=99)
    session = keeper.session(keeper.study(privacy_micro_rho=0), "0x" + "99" * 32)
    assert keeper.release(session, owner.record).released == ()
    keeper.engine.dispose()


@pytest.fixture(scope="module")
def keeper_hardware(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from keeper.world import NOW
    from nebula.attestation.simulator.pki import DevelopmentPki
    from simulators.sgx import SgxHardware

    return SgxHardware(DevelopmentPki.create(tmp_path_factory.mktemp("sgx") / "pki", at=NOW), at=NOW)


# On a network that runs


class TestOnANetwork:
    pytestmark = pytest.mark.xdist_group("attacks")

    def peer(self, network: FinishedNetwork, key: SigningKey | None = None) -> Peer:
        secret = (key or SigningKey.generate()).secret
        return Peer(network.local.hub_url, network.local.hub, key=secret, carrier=Carrier())

    def test_nobody_fetches_anothers_result(self, network: FinishedNetwork) -> None:
        run = network.runs[0].signed.receipt.run
        with pytest.raises(NotPermittedError) as refused:
            self.peer(network).ask(RESULT, ResultRequest(run=run), ResultAnswer)
        assert refused.value.code == "hub.buyer"

    def test_a_result_opens_with_the_buyers_key_alone(self, network: FinishedNetwork) -> None:
        import sqlite3

        from nebula.protocol.errors import IntegrityError
        from nebula.protocol.record import RESULT_INFO
        from nebula.protocol.sealing import SealingKey, open_sealed

        run = network.runs[0].signed.receipt.run
        with sqlite3.connect(network.folder / "hub" / "hub.sqlite") as database:
            ((sealed,),) = database.execute("SELECT sealed_result FROM runs WHERE run = ?", (run,)).fetchall()
        assert network.buyer.result(network.runs[0].signed.receipt).run == run
        with pytest.raises(IntegrityError):
            open_sealed(SealingKey.generate(), sealed, info=RESULT_INFO, aad=run.encode())

    def test_a_study_is_published_by_its_buyer(self, network: FinishedNetwork) -> None:
        with pytest.raises(NotPermittedError) as refused:
            self.peer(network).ask(PUBLISH, PublishRequest(study=network.study()), PublishAnswer)
        assert refused.value.code == "hub.buyer"

    def test_who_is_not_verified_learns_not_even_a_count(self, network: FinishedNetwork) -> None:
        stranger = SigningKey.generate()
        study = network.study(buyer=stranger.address)
        with pytest.raises(NotPermittedError) as refused:
            self.peer(network, stranger).ask(PUBLISH, PublishRequest(study=study), PublishAnswer)
        assert refused.value.code == "buyer.standing"

    def test_counts_before_payment_are_never_small(self, network: FinishedNetwork) -> None:
        for price in ("1", "2000000000000000000"):
            answer = network.buyer.publish(network.study(price_per_record_wei=price, title="A look around"))
            assert answer.matching == "fewer than 100"
            assert set(answer.refused.values()) <= {"fewer than 100"}

    def test_a_study_that_is_not_funded_does_not_run(self, network: FinishedNetwork) -> None:
        from nebula.protocol.funding import study_id
        from nebula.protocol.messages import RunAnswer, RunRequest

        study = network.study(title="A free lunch")
        network.buyer.publish(study)
        with pytest.raises(NotPermittedError) as refused:
            network.buyer.run(study)
        assert refused.value.code == "hub.not-funded"
        with pytest.raises(NotPermittedError):
            self.peer(network).ask(RUN, RunRequest(study=study_id(study)), RunAnswer)

    def test_a_buyer_without_the_tokens_funds_nothing(self, network: FinishedNetwork) -> None:
        study = network.study(price_per_record_wei=str(10**26), title="Too much of a good thing")
        network.buyer.publish(study)
        with pytest.raises((RevertedError, NebulaError)):
            network.buyer.fund(study)

    def test_the_settled_study_cannot_be_refunded_as_well(self, network: FinishedNetwork) -> None:
        from nebula.ledger.client.studies import StudyState

        for public in network.runs:
            state = network.ledger().studies.state_of(public.signed.receipt.study)
            assert state is StudyState.SETTLED

    def test_the_buyers_folder_opens_no_result_of_another_key(self, network: FinishedNetwork) -> None:
        again = Buyer(load_settings(network.folder / "buyer" / "settings.json"), network.folder / "buyer")
        assert again.result(network.runs[1].signed.receipt).result_class is ResultClass.NOISED


def test_a_study_over_phenotypes_must_ask_for_them(world: World) -> None:
    world.change(parts=(PartKind.GENOTYPES,), conditions=(only(world, 1),))
    assert refusal(world).code == "run.parts"
