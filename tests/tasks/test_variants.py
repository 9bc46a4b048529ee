from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Call
from vesalius.tasks.segmentation import SegmentationFrom
from vesalius.tasks.task import collate
from vesalius.tasks.variants import ELASTIC_AMPLITUDE, Variants, elastic_field


@pytest.fixture(scope="module")
def heads() -> Variants:
    source = Call(DigitalPatients, n=12, size=(32, 32))
    task: Variants = tasks.get("head-variants", source).replace(matrix=(32, 32)).build()
    return task


def test_given_and_wanted_are_images_with_their_classes(heads: Variants) -> None:
    heads.check()
    channels = 1 + len(heads.classes)
    assert (heads.shape.given, heads.shape.wanted) == (channels, channels)
    for case in heads.split["test"]:
        batch = heads.test_case(case)
        assert batch.given is not None
        assert batch.wanted is not None
        assert batch.given.shape == batch.wanted.shape == (1, channels, 32, 32)
        exemplar = batch.records[0]["exemplar"]
        assert exemplar in {one.identifier for one in heads.pool}
        source = next(one for one in heads.pool if one.identifier == exemplar)
        parts = heads.prepared(source)
        assert torch.equal(batch.given[0], torch.cat([parts["wanted"], parts["given"]]))
        classes = batch.given[:, 1:]
        assert set(classes.unique().tolist()) == {0.0, 1.0}
        assert float(classes.sum(dim=1).max()) == 1, "classes are disjoint"
    assert heads.judged(batch.wanted).shape == (1, 1, 32, 32)


def test_exemplars_are_the_labelled_patients_of_the_downstream_arm(heads: Variants) -> None:
    few = Variants(**{**vars_of(heads), "exemplars": 0.4})
    call: Any = Call(
        SegmentationFrom,
        name="s",
        phase="diagnosis",
        question="?",
        source=Call(DigitalPatients, n=12, size=(32, 32)),
        base=tasks.get("head-variants", Call(DigitalPatients, n=12, size=(32, 32))),
        fraction=0.4,
    )
    arm: SegmentationFrom = call.build()
    assert {case.patient for case in few.pool} == {case.patient for case in arm.real}
    assert 1 < len(few.pool) < len(few.split["train"])
    assert few.judgement.downstream is not None
    assert few.judgement.downstream.fractions == (0.4,)


def vars_of(task: Variants) -> dict[str, Any]:
    names = ("name", "phase", "question", "source", "rule", "image", "label", "classes", "matrix")
    return {name: getattr(task, name) for name in names}


def test_elastic_deformation_moves_image_and_label_map_together(heads: Variants) -> None:
    batch = collate([heads.test_case(case) for case in heads.split["test"]])
    assert batch.given is not None
    found = heads.baselines(batch)["elastic deformation"]
    assert torch.equal(found, heads.baselines(batch)["elastic deformation"])
    classes = found[:, 1:]
    assert set(classes.unique().tolist()) == {0.0, 1.0}
    assert float(classes.sum(dim=1).max()) == 1
    assert not torch.allclose(found[:, :1], batch.given[:, :1], atol=0.05)
    # an image that is its own label map: bright where most of the class was warped to
    given = torch.zeros_like(batch.given)
    given[:, 1, 8:20, 10:25] = 1
    given[:, 0] = 2 * given[:, 1] - 1
    moved = heads.baselines(dataclasses.replace(batch, given=given))["elastic deformation"]
    assert torch.equal(moved[:, 0] > 0, moved[:, 1] > 0)
    assert not torch.equal(moved[:, 1], given[:, 1])


def test_elastic_fields_have_their_amplitude() -> None:
    field = elastic_field((40, 80), np.random.default_rng(0))
    assert field.shape == (2, 40, 80)
    size = field.square().mean(dim=(1, 2)).sqrt()
    assert size.tolist() == pytest.approx([40 * ELASTIC_AMPLITUDE, 80 * ELASTIC_AMPLITUDE])


def test_a_segmenter_learns_from_drawn_label_maps(heads: Variants, tmp_path: Any) -> None:
    case = heads.split["train"][0]
    drawn = torch.zeros(1, heads.shape.wanted, 32, 32)
    drawn[:, 0] = 0.25
    drawn[:, 3, :16] = 1
    np.savez(tmp_path / f"{case.identifier}.npz", draws=drawn.numpy())
    arm = SegmentationFrom(
        name="s",
        phase="diagnosis",
        question="?",
        source=heads.source,
        rule=heads.rule,
        base=heads,
        arm="synthetic",
        drawn=str(tmp_path),
    )
    batch = arm.load(case, np.random.default_rng(0))
    assert batch.given is not None
    assert batch.wanted is not None
    assert torch.equal(batch.given, drawn[:, :1])
    labels = batch.wanted.argmax(dim=1)[0]
    assert labels[:16].unique().tolist() == [3]
    assert labels[16:].unique().tolist() == [0]


def test_a_new_exemplar_and_its_variant_on_its_grid(heads: Variants) -> None:
    images = dict(heads.source.read(heads.split["test"][0]))
    new = {name: images[name] for name in ("t1", "tissues")}
    batch, placed = heads.prepare(new, "new")
    assert batch.given is not None
    assert batch.given.shape == (1, heads.shape.given, 32, 32)
    restored = heads.restore(batch.given[0], new, placed)
    assert restored.data.shape == images["t1"].data.shape
    assert restored.unit == "of P99"
