"""Reports and images that know each other: retrieval and naming a class that was never taught."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from vesalius.core import Batch, InputError
from vesalius.core.rng import numpy_stream
from vesalius.data.source import Case
from vesalius.generative.objectives import Contrastive
from vesalius.generative.objectives.contrastive import directions, retrieved
from vesalius.networks import ImageEmbedder, TextEncoder
from vesalius.networks.logit_scale import LogitScale
from vesalius.tasks.report import ChestReport

CARRY = {"done": torch.tensor(0.0)}


def test_a_text_is_the_direction_of_its_words() -> None:
    features = torch.tensor([[[3.0, 1.0, 0.0], [0.0, 3.0, 0.0]]])
    torch.testing.assert_close(directions(features), torch.tensor([[0.8, 0.6]]))
    vectors = torch.tensor([[0.6, 0.8]])
    assert directions(vectors) is vectors


def test_without_texts_or_others_to_compare_it_is_refused() -> None:
    objective = Contrastive(given="text", kinds=8)
    lonely = Batch(wanted=torch.zeros(1, 1, 4, 4), extras={"tokens": torch.ones(1, 2).long()})
    rng = torch.Generator()
    with pytest.raises(InputError, match="at least two cases in a batch, got 1 cases"):
        objective.loss("encoders", {}, lonely, rng, dict(CARRY))
    wordless = Batch(wanted=torch.zeros(2, 1, 4, 4))
    with pytest.raises(InputError, match="given texts and at least two"):
        objective.loss("encoders", {}, wordless, rng, dict(CARRY))
    with pytest.raises(InputError, match="a task with texts"):
        Contrastive(given="text").interfaces(0, 1)
    assert Contrastive(given="text", kinds=8).interfaces(0, 1)["given_encoder"].channels_in == 8
    assert not objective.draws


def films(labels: Tensor, seed: int) -> Tensor:
    """Noise; those of pneumonia have a bright patch at a random place."""
    rng = torch.Generator().manual_seed(seed)
    images = 0.5 * torch.randn(len(labels), 1, 12, 12, generator=rng)
    for image, label in zip(images, labels.tolist(), strict=True):
        row, column = torch.randint(0, 7, (2,), generator=rng).tolist()
        image[0, row : row + 6, column : column + 6] += 2.0 * label
    return images


def test_classes_are_named_that_were_never_taught() -> None:
    pytest.importorskip("tokenizers", reason="needs the extra 'text'")
    from vesalius.data.vocabulary import LearntVocabulary

    def reports(labels: Tensor, name: str) -> list[str]:
        cases = [Case(str(k), "p", covariates={"label": v}) for k, v in enumerate(labels.tolist())]
        return [ChestReport().write(c, numpy_stream(0, name, c.identifier)) for c in cases]

    labels = (torch.arange(192) % 2).float()
    texts = reports(labels, "train")
    vocabulary = LearntVocabulary.learn(texts, size=300, length=40)
    objective = Contrastive(given="text", kinds=vocabulary.kinds, features=16)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = torch.nn.ModuleDict(
            {
                "given_encoder": TextEncoder(
                    channels_in=vocabulary.kinds, channels_out=16, width=32, n_layers=1
                ),
                "wanted_encoder": ImageEmbedder(channels_in=1, channels_out=16, width=8, levels=2),
                "scale": LogitScale(),
            }
        )
    known = {name: networks[name] for name in ("given_encoder", "wanted_encoder", "scale")}
    batch = Batch(
        wanted=films(labels, 0), extras={"tokens": vocabulary.read(texts)}, texts=tuple(texts)
    )
    optimiser = torch.optim.Adam(networks.parameters(), lr=3e-3)
    rng = torch.Generator().manual_seed(0)
    assert batch.wanted is not None
    for _ in range(45):
        rows = torch.randperm(192, generator=rng)[:32]
        part = dataclasses.replace(
            batch, wanted=batch.wanted[rows], extras={"tokens": batch.extras["tokens"][rows]}
        )
        optimiser.zero_grad()
        torch.autograd.backward(objective.loss("encoders", known, part, rng, dict(CARRY)).total)
        optimiser.step()

    new = (torch.arange(80) % 2).float()
    images, unread = films(new, 1), vocabulary.read(reports(new, "test"))
    # naming by prompts: the class whose reports an image is nearest to
    networks.eval()
    with torch.no_grad():
        prompts = directions(networks["given_encoder"](unread))
        of_class = torch.stack([prompts[new == k].mean(0) for k in (0, 1)])
        named = (networks["wanted_encoder"](images) @ of_class.T).argmax(1)
    accuracy = float((named == new).double().mean())
    assert accuracy > 0.9, accuracy
    # retrieval: the five images nearest to a report are of its class
    found = retrieved(known, unread, images, n=5)
    right = float((new[found] == new[:, None]).double().mean())
    assert right > 0.75, right
