"""One run in this process: real keys, ciphertext and keepers; only the quote is a stub."""

from typing import Any

import msgspec
import numpy as np
import pytest

from nebula.analysis import catalogue
from nebula.analysis.report import files_digest, parse_tsv
from nebula.analysis.score_object import score_digest, write_score
from nebula.analysis.score_rows import parse_row
from nebula.enclave.assemble import form_cohort
from nebula.enclave.release import Dropped
from nebula.enclave.run import assemble_run
from nebula.genome.keys import variant_key
from nebula.protocol.errors import IntegrityError, NebulaError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import to_bytes, to_hex
from nebula.protocol.merkle import payout_tree, use_leaf, verify_use
from nebula.protocol.messages import APPRAISE, CONFIRM, NONCE, RELEASE, ConfirmRequest
from nebula.protocol.receipt import OwnerLeaf, RunOutput, parse_owner_leaf
from nebula.protocol.record import LEAF_INFO, RESULT_INFO, mailbox_locator
from nebula.protocol.result import ResultBundle, open_result
from nebula.protocol.run_statement import leaves_digest
from nebula.protocol.sealing import open_sealed
from nebula.protocol.signed_by_control_key import check_document
from nebula.protocol.signing import address_of_secret, recover
from nebula.protocol.stealth import one_time_key
from nebula.protocol.study import Condition, PartKind, ResultClass
from nebula.protocol.typed_data import Domain, receipt_digest
from nebula.vault.parts import PlainPart
from simulators.keepers import taking_index, wrong_values
from simulators.records import SimulatedOwner, enrol_owner, make_panel, panel_object, plain_parts
from simulators.storage import MemoryStorage, MisbehavingStorage
from simulators.studies import CHAIN_ID, RUN, STUDIES, World, make_world


@pytest.fixture
def storage() -> MisbehavingStorage:
    return MisbehavingStorage(MemoryStorage())


@pytest.fixture
def world(storage: MisbehavingStorage, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("nebula.enclave.keepers.PAUSE_SECONDS", 0.0)
    return make_world(storage)


def result_of(world: World, output: RunOutput) -> ResultBundle:
    raw = open_sealed(world.buyer, output.head.sealed_result, info=RESULT_INFO, aad=RUN.encode()).reveal()
    return open_result(raw, expected_digest=output.head.signed.receipt.result_digest)


def leaf_of(owner: SimulatedOwner, output: RunOutput) -> OwnerLeaf | None:
    locator = mailbox_locator(owner.manifest.mailbox, RUN)
    for leaf in output.leaves:
        if leaf.locator == locator:
            identity = owner.keys.crypt4gh_identity()
            return parse_owner_leaf(open_sealed(identity, leaf.sealed, info=LEAF_INFO, aad=RUN.encode()).reveal())
    return None


def test_a_run_finds_what_was_planted_and_pays_everyone(world: World) -> None:
    output = world.run()

    receipt = output.head.signed.receipt
    assert recover(receipt_digest(Domain(CHAIN_ID, STUDIES), receipt), output.head.signed.signature) == receipt.session
    assert (receipt.study, receipt.run, receipt.record_count) == (study_id(world.study), RUN, 40)
    assert receipt.simulated
    assert int(receipt.amount_wei) == 40 * int(world.study.price_per_record_wei)
    assert receipt.payout_root == to_hex(payout_tree(output.payouts).root)
    bundle = result_of(world, output)
    assert bundle.digest == to_hex(files_digest(bundle.files))
    hits = parse_tsv(bundle.files["associations.tsv"])
    assert list(hits["base_pair_location"]) == [world.panel.site(7).pos]
    assert hits["beta"][0] == pytest.approx(8.0, abs=0.6)
    assert bundle.summary["sample_size"] == 40
    assert output.head.statement.dropped == {}
    assert output.head.statement.receipt == to_hex(receipt_digest(Domain(CHAIN_ID, STUDIES), receipt))
    check_document(output.head.statement, receipt.session)
    assert output.head.statement.leaves_digest == leaves_digest(output.leaves)


def test_a_session_is_registered_before_anything_is_released(world: World) -> None:
    world.run()

    (request,) = world.host.registered
    assert {vote.keeper for vote in request.votes} == set(world.study.keepers)
    assert [vote.keeper for vote in request.votes] == sorted(vote.keeper for vote in request.votes)
    assert {nonce.keeper for nonce in request.evidence.nonces} == set(world.study.keepers)


def test_each_owner_alone_can_prove_their_use_and_open_their_payout(world: World) -> None:
    output = world.run()

    receipt = output.head.signed.receipt
    for owner in world.owners[:5]:
        leaf = leaf_of(owner, output)
        assert leaf is not None
        use = use_leaf(receipt.study, owner.record, leaf.leaf_salt)
        verify_use(use, leaf.use_index, leaf.use_proof, receipt.use_root)
        payout = output.payouts[leaf.payout_index]
        assert (payout.address, payout.amount_wei) == (leaf.payout_address, leaf.amount_wei)
        stealth = owner.keys.stealth_keys()
        key = one_time_key(leaf.ephemeral_public_key, stealth.viewing.secret, stealth.spending.secret)
        assert address_of_secret(key) == payout.address
    assert len({len(leaf.sealed) for leaf in output.leaves}) == 1
    assert [leaf.locator for leaf in output.leaves] == sorted(leaf.locator for leaf in output.leaves)
    identity, other = world.owners[0].keys.crypt4gh_identity(), mailbox_locator(world.owners[1].manifest.mailbox, RUN)
    anothers = next(leaf for leaf in output.leaves if leaf.locator == other)
    with pytest.raises(IntegrityError):
        open_sealed(identity, anothers.sealed, info=LEAF_INFO, aad=RUN.encode())


def test_positions_say_nothing(world: World) -> None:
    output = world.run()

    leaves = [leaf_of(owner, output) for owner in world.owners]
    orders = {tuple(leaf.use_index for leaf in leaves if leaf), tuple(leaf.payout_index for leaf in leaves if leaf)}
    assert len(orders) == 2
    assert tuple(range(40)) not in orders
    assert len({payout.address for payout in output.payouts}) == 40


@pytest.mark.parametrize("stage", ["released", "assembled", "analysed"])
def test_a_withdrawn_record_is_left_out_of_a_run_in_progress(world: World, stage: str) -> None:
    leaving = world.owners[3]

    def withdraw() -> None:
        for keeper in world.keepers:
            keeper.withdrawn.add(leaving.record)
            keeper.block = 107

    world.host.at_stage[stage] = withdraw
    output = world.run()

    receipt = output.head.signed.receipt
    assert receipt.record_count == 39
    assert receipt.consent_block_number == 107
    assert leaf_of(leaving, output) is None
    assert output.head.statement.dropped == {Dropped.WITHDRAWN: 1}
    # The result is what it would have been without the person.
    alone = make_world_without(world, leaving).run()
    assert alone.head.signed.receipt.result_digest == receipt.result_digest


def make_world_without(world: World, leaving: SimulatedOwner) -> World:
    rest = [owner for owner in world.owners if owner is not leaving]
    for keeper in world.keepers:
        keeper.withdrawn.clear()
    return World(
        world.panel,
        world.storage,
        world.keepers,
        rest,
        world.buyer,
        world.study,
        world.panel_location,
        world.dosage,
        world.trait,
    )


def test_one_keepers_word_is_enough_to_drop_a_record(world: World) -> None:
    leaving = world.owners[0].record
    world.host.at_stage["analysed"] = lambda: world.keepers[2].withdrawn.add(leaving)

    assert world.run().head.signed.receipt.record_count == 39


def test_confirmation_asks_about_every_record_that_was_read(world: World) -> None:
    world.change(conditions=(Condition(column="sex", equals="female"),), parameters={"trait": "height", "pcs": 0})

    output = world.run()

    assert output.head.signed.receipt.record_count == 20
    assert output.head.statement.dropped == {Dropped.NOT_IN_COHORT: 20}
    for keeper in world.keepers:
        (asked,) = [question for kind, question in keeper.asked if kind == CONFIRM.name]
        assert isinstance(asked, ConfirmRequest)
        assert set(asked.records) == {owner.record for owner in world.owners}


def test_a_withdrawal_does_not_tell_who_was_in_the_cohort(world: World) -> None:
    world.change(
        conditions=(Condition(column="sex", equals="female"),), parameters={"trait": "height", "pcs": 0}, min_records=10
    )
    outsider, member = world.owners[0].record, world.owners[1].record
    told = []
    for leaving in (outsider, member):
        for keeper in world.keepers:
            keeper.withdrawn = set()
            keeper.cohorts.clear()  # one buyer would not get both
        world.host.at_stage["analysed"] = lambda leaving=leaving: [k.withdrawn.add(leaving) for k in world.keepers]
        reasons = world.run().head.statement.dropped
        told.append(reasons[Dropped.WITHDRAWN])
    assert told == [1, 1]


def test_a_record_that_its_consent_refuses_is_not_used(world: World) -> None:
    for keeper in world.keepers:
        keeper.refused = {world.owners[0].record}

    output = world.run()

    assert output.head.signed.receipt.record_count == 39
    assert output.head.statement.dropped == {Dropped.REFUSED: 1}


def test_fewer_shares_than_the_threshold_drop_a_record(world: World) -> None:
    for keeper in world.keepers[:2]:
        keeper.refused = {world.owners[0].record}

    assert world.run().head.statement.dropped == {Dropped.REFUSED: 1}


@pytest.mark.parametrize("kind", [NONCE, APPRAISE, RELEASE, CONFIRM])
def test_one_keeper_of_three_may_be_away_at_any_step(world: World, kind: Any) -> None:
    world.keepers[1].down_for = {kind.name}

    assert world.run().head.signed.receipt.record_count == 40


@pytest.mark.parametrize("kind", [NONCE, APPRAISE, RELEASE, CONFIRM])
def test_with_too_few_keepers_a_run_waits(world: World, kind: Any) -> None:
    for keeper in world.keepers[:2]:
        keeper.down_for = {kind.name}

    with pytest.raises(UnavailableError) as refusal:
        world.run()
    assert refusal.value.code == "enclave.keepers-away"


@pytest.mark.parametrize("liar", [0, 1, 2])
@pytest.mark.parametrize("lie", [wrong_values, taking_index(1), taking_index(2), taking_index(3)])
def test_one_lying_keeper_hurts_nothing(world: World, liar: int, lie: Any) -> None:
    world.keepers[liar].bend_bundle = lie

    assert world.run().head.signed.receipt.record_count == 40


def test_one_keeper_may_lie_about_where_the_manifest_lies(world: World) -> None:
    world.keepers[0].bend_location = lambda _location: world.owners[0].stored.manifest_location

    assert world.run().head.signed.receipt.record_count == 40


def test_two_lying_keepers_of_three_stop_the_run_and_read_nothing_wrong(world: World) -> None:
    for keeper in world.keepers[:2]:
        keeper.bend_bundle = wrong_values

    with pytest.raises(NotPermittedError) as refusal:
        world.run()
    assert refusal.value.code == "run.too-few-records"


def test_an_answer_that_the_host_forged_is_no_answer(world: World) -> None:
    world.keepers[0].bend_answer = lambda raw: raw.replace(b'"block_number":100', b'"block_number":999')

    output = world.run()

    assert output.head.signed.receipt.consent_block_number == 100
    assert {vote.keeper for vote in world.host.registered[0].votes} == {keeper.address for keeper in world.keepers[1:]}


def test_a_vote_for_other_evidence_is_left_out(world: World) -> None:
    world.keepers[0].vote_for = lambda evidence: msgspec.structs.replace(evidence, run="0x" + "ff" * 32)

    world.run()

    assert len(world.host.registered[0].votes) == 2


def test_a_block_that_one_keeper_made_up_is_not_taken(world: World) -> None:
    world.keepers[0].block = 10**9

    assert world.run().head.signed.receipt.consent_block_number == 100


@pytest.mark.parametrize("kind", [None, PartKind.GENOTYPES, PartKind.PHENOTYPES])
@pytest.mark.parametrize("lie", ["lose", "alter", "cut", "swap", "roll_back"])
def test_storage_that_misbehaves_drops_that_record_alone(
    world: World, storage: MisbehavingStorage, kind: PartKind | None, lie: str
) -> None:
    victim = world.owners[4].object_name(kind)
    dropped = 1
    match lie:
        case "lose":
            storage.lose(victim)
        case "alter":
            storage.alter(victim, -20)
        case "cut":
            storage.cut(victim, 100)
        case "swap":
            storage.swap(victim, world.owners[5].object_name(kind))
            dropped = 2
        case _:
            storage.roll_back(victim, b"what once stood there")

    output = world.run()

    assert output.head.signed.receipt.record_count == 40 - dropped
    assert output.head.statement.dropped == {Dropped.UNREADABLE: dropped}


def test_storage_that_is_away_is_a_reason_to_try_again(world: World, storage: MisbehavingStorage) -> None:
    world.host.at_stage["released"] = storage.go_down

    with pytest.raises(UnavailableError) as refusal:
        world.run()
    assert refusal.value.code == "enclave.storage-away"


def hostile_owner(world: World, **fields: Any) -> SimulatedOwner:
    """An owner whose manifest, with a right commitment, says something hostile."""
    from nebula.crypt4gh import seal_part
    from nebula.protocol.wire import to_canonical
    from nebula.vault.parts import StoredRecord
    from simulators.records import split_record

    honest = world.owners[0]
    manifest = msgspec.structs.replace(honest.manifest, **fields)
    identity = honest.keys.crypt4gh_identity()
    raw = seal_part(to_canonical(manifest), identity.public_key).raw
    stored = StoredRecord(manifest, world.storage.put("hostile", raw))
    bundles = split_record(StoredRecord(honest.manifest, stored.manifest_location), honest.keys, world.storage, 2, 3)
    bundles = tuple(msgspec.structs.replace(bundle, manifest_commitment=stored.commitment) for bundle in bundles)
    return SimulatedOwner(honest.keys, honest.record, stored, bundles)


@pytest.mark.parametrize(
    "lie",
    [
        {"payout_meta_address": "st:eth:0x00"},
        {"owner_key": bytes(32)},
        {"record": "0x" + "01" * 20},
        {"part": {"location": "file://[bad#aa"}},
        {"part": {"location": "file:///\x00#aa"}},
        {"part": {"location": "no location"}},
        {"part": {"plaintext_bytes": 2**39}},
        {"part": {"plaintext_digest": "0x" + "00" * 32}},
        {"part": {"key_digest": "0x" + "00" * 32}},
        {"part": {"panel": "0x" + "00" * 32}},
        {"part": {"schema_version": 2}},
    ],
)
def test_a_hostile_record_drops_out_and_hurts_nobody(world: World, lie: dict[str, Any]) -> None:
    if "part" in lie:
        genotypes, phenotypes = world.owners[0].manifest.parts
        lie = {"parts": (msgspec.structs.replace(genotypes, **lie["part"]), phenotypes)}
    hostile = hostile_owner(world, **lie)
    for keeper in world.keepers:
        keeper.enrol([hostile])

    output = world.run()

    assert output.head.signed.receipt.record_count == 39
    assert output.head.statement.dropped == {Dropped.UNREADABLE: 1}


@pytest.mark.parametrize(
    "absurd",
    [
        '{"name":"height","kind":"number","unit":null,"number":1.8e308,"category":null}',
        '{"name":"height","kind":"number","unit":null,"number":1e+308,"category":null}',
        '{"name":"height","kind":"number","unit":null,"number":NaN,"category":null}',
        '{"name":"height\\u001b[2J","kind":"number","unit":null,"number":1.0,"category":null}',
        ",".join(f'{{"name":"{n:06d}","kind":"number","unit":null,"number":1.0,"category":null}}' for n in range(9000)),
    ],
)
def test_an_absurd_phenotype_drops_its_record_and_the_run_goes_on(world: World, absurd: str) -> None:
    genotypes, _ = plain_parts(world.panel, np.zeros(60, dtype=np.int64), {"height": 170.0})
    table = b'{"schema":1,"phenotypes":[' + absurd.encode() + b"]}"
    stranger = enrol_owner(900, [genotypes, PlainPart(kind=PartKind.PHENOTYPES, plaintext=table)], world.storage)
    world.owners.append(stranger)
    for keeper in world.keepers:
        keeper.enrol([stranger])

    output = world.run()

    assert output.head.signed.receipt.record_count == 40
    assert output.head.statement.dropped == {Dropped.UNREADABLE: 1}


def test_a_record_off_the_panel_drops_out(world: World) -> None:
    other = make_panel(61)
    stranger = enrol_owner(
        900, plain_parts(other, np.zeros(61, dtype=np.int64), {"height": 170.0, "sex": "male"}), world.storage
    )
    world.owners.append(stranger)
    for keeper in world.keepers:
        keeper.enrol([stranger])

    assert world.run().head.statement.dropped == {Dropped.UNREADABLE: 1}


def test_people_without_the_trait_are_neither_counted_nor_paid(world: World) -> None:
    columns: dict[str, float | str | None] = {"height": None, "sex": "male"}
    missing = enrol_owner(901, plain_parts(world.panel, world.dosage[:, 0], columns), world.storage)
    world.owners.append(missing)
    for keeper in world.keepers:
        keeper.enrol([missing])

    output = world.run()

    assert output.head.signed.receipt.record_count == len(output.payouts) == len(output.leaves) == 40
    assert output.head.statement.dropped == {Dropped.NOT_IN_COHORT: 1}


def test_a_cohort_below_the_studys_minimum_gives_no_receipt_and_no_number(world: World) -> None:
    world.change(conditions=(Condition(column="height", minimum=185.0),))

    with pytest.raises(NebulaError) as refusal:
        world.run()
    assert refusal.value.code == "run.too-few-records"
    count = int((world.trait >= 185.0).sum())
    assert f" {count} " not in refusal.value.message


def test_production_floors_hold_under_intels_root(world: World) -> None:
    from nebula.protocol.trust_roots import INTEL_SGX_ROOT

    world.change(trust_root=INTEL_SGX_ROOT)

    with pytest.raises(NotPermittedError) as refusal:
        world.run()
    assert refusal.value.code == "run.too-few-records"


def test_intels_root_is_the_one_that_quotes_are_verified_under() -> None:
    from nebula.attestation.roots import INTEL_FINGERPRINT
    from nebula.protocol.trust_roots import INTEL_SGX_ROOT

    assert INTEL_FINGERPRINT == INTEL_SGX_ROOT


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"analysis": "mind-reading@1"}, "analysis.unknown"),
        ({"parameters": {"trait": "height", "seeds": 1}}, "analysis.parameters"),
        ({"parts": (PartKind.GENOTYPES,)}, "run.parts"),
        ({"parts": (PartKind.PHENOTYPES,)}, "run.parts"),
        ({"result_key": bytes(32)}, "sealing.weak-key"),
        ({"max_records": 39}, "run.too-many-records"),
    ],
)
def test_an_order_that_cannot_be_run_is_refused_before_anybody_is_asked(
    world: World, fields: dict[str, Any], code: str
) -> None:
    world.change(**fields)

    with pytest.raises(RejectedInputError) as refusal:
        world.run()
    assert refusal.value.code == code
    assert world.host.carried == []


def test_another_panel_than_the_studys_is_refused(world: World) -> None:
    world.panel_location = panel_object(make_panel(61), world.storage)

    with pytest.raises(IntegrityError) as refusal:
        world.run()
    assert refusal.value.code == "run.panel"


def test_a_noised_study_spends_what_it_says(world: World) -> None:
    world.change(
        analysis="allele-frequency@1",
        parameters={},
        result_class=ResultClass.NOISED,
        privacy_micro_rho=500_000,
        parts=(PartKind.GENOTYPES,),
    )

    output = world.run()

    assert output.head.signed.receipt.privacy_micro_rho == 500_000
    assert output.head.signed.receipt.record_count == 40
    table = parse_tsv(result_of(world, output).files["frequencies.tsv"])
    assert len(table["n"]) == 60


def test_variants_off_the_panel_are_read_where_an_analysis_asks_for_them(world: World) -> None:
    """Ten variants that two people each carry, who are tall; one more outside of the region."""
    keys = [variant_key("3", 9_000_000 + i, "C", "T") for i in range(10)]
    outside = variant_key("4", 9_000_000, "C", "T")
    for i in range(40):
        mine = [keys[i // 2], outside] if i < 20 else [outside]
        columns = {"height": float(170 + 5 * (i < 20) + np.sin(i)), "sex": "female" if i % 2 else "male"}
        parts = plain_parts(world.panel, world.dosage[:, i], columns, private=mine)
        world.owners[i] = enrol_owner(700 + i, parts, world.storage)
    for keeper in world.keepers:
        keeper.enrol(world.owners)
    world.change(
        analysis="rare-variants@1",
        parameters={"trait": "height", "pcs": 0, "maximum_maf": 0.03, "regions": ["GENE=3:9000000-9000009"]},
    )

    table = parse_tsv(result_of(world, world.run()).files["regions.tsv"])

    assert table["region"].tolist() == ["GENE"]
    assert (table["variants"][0], table["carriers"][0]) == (10, 20)
    assert table["neg_log_10_p_skat_o"][0] > 5


def test_nothing_that_leaves_names_a_record_or_a_phenotype(world: World) -> None:
    output = world.run()

    from nebula.protocol.wire import to_canonical

    raw = to_canonical(output)
    for owner in world.owners:
        assert owner.record.encode() not in raw
        assert owner.record[2:].encode() not in raw
        assert to_bytes(owner.record) not in raw
    for stage, done, total in world.host.stages:
        assert 0 <= done <= total <= 41, stage


def ask_for_score(world: World, **terms: Any) -> None:
    world.change(
        analysis="polygenic-score@1",
        parameters={"score": "PGS1", "build": "GRCh38", "trait": "height", "pcs": 0} | terms,
    )


def put_score(world: World, rows: int = 40) -> tuple[list[str], dict[str, Any]]:
    """Put a score of the panel's first sites beside the study; return its rows and what the terms say of it."""
    sites = [world.panel.site(row) for row in range(rows)]
    lines = [f"{site.chromosome}:{site.pos}:{site.alternate}:{site.reference}:0.25" for site in sites]
    raw = write_score([parse_row(line) for line in lines], "GRCh38")
    digest = score_digest(raw)
    location = world.storage.put(digest.removeprefix("0x"), raw)
    return lines, {"object_location": location, "object_digest": digest, "object_rows": rows}


def test_a_score_beside_the_study_finds_what_the_same_rows_in_its_terms_find(world: World) -> None:
    rows, elsewhere = put_score(world)
    found = []
    for terms in ({"rows": rows}, elsewhere):
        ask_for_score(world, **terms)
        world.name_everybody()
        made = assemble_run(world.start, world.order, world.around())
        cohort = form_cohort(made.reading, world.study, made.parameters, made.panel, made.score)
        found.append(catalogue.run(world.study.analysis, made.parameters, cohort.input))
    assert found[0].summary == found[1].summary
    assert found[0].summary["variants_scored"] == 40
    np.testing.assert_equal(found[0].table, found[1].table)
    np.testing.assert_equal(found[0].more, found[1].more)


def test_a_score_that_storage_altered_or_lost_ends_the_run_before_any_keeper_is_asked(world: World) -> None:
    _, elsewhere = put_score(world)
    altered, missing = "ab" * 32, "cd" * 32
    world.storage.put(altered, write_score([parse_row("1:1:A:C:1")], "GRCh38"))
    for wrong, kind in (
        ({"object_digest": "0x" + altered, "object_location": f"memory://#{altered}"}, IntegrityError),
        ({"object_digest": "0x" + missing, "object_location": f"memory://#{missing}"}, UnavailableError),
        ({"object_rows": 41}, RejectedInputError),
    ):
        ask_for_score(world, **elsewhere | wrong)
        with pytest.raises(kind):
            world.run()
    assert not world.host.carried
