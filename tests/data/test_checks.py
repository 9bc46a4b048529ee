from __future__ import annotations

import pytest
import torch

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data import pseudonym, require_channels, require_mask, require_varied
from vesalius.data.checks import require_finite_values


def test_constant_images() -> None:
    varied = Image(torch.tensor([[[1.0, 1.0], [1.0, 2.0]]]))
    assert require_varied(varied, "c") is varied
    with pytest.raises(
        InputError, match=r"^c7: expected an image whose values vary, got 3 in every"
    ):
        require_varied(Image(torch.full((1, 2, 2), 3.0)), "c7")


def test_empty_masks() -> None:
    mask = torch.zeros(1, 3, 3, dtype=torch.int64)
    with pytest.raises(InputError, match=r"^c7: expected a mask that marks at least one voxel"):
        require_mask(Image(mask, unit="label"), "c7")
    mask[0, 1, 1] = 1
    image = Image(mask, unit="label")
    assert require_mask(image, "c7") is image


def test_channels() -> None:
    image = Image(torch.zeros(2, 3, 3))
    assert require_channels(image, 2, "c") is image
    with pytest.raises(InputError, match=r"^c7: expected 1 channel, got 2"):
        require_channels(image, 1, "c7")


def test_complex_nan() -> None:
    data = torch.zeros(1, 2, 2, dtype=torch.complex64)
    assert require_finite_values(data, "c") is data
    data[0, 0, 1] = complex(0.0, float("nan"))
    with pytest.raises(InputError, match=r"^c7: expected finite values, got 1 NaN"):
        require_finite_values(data, "c7")


def test_pseudonyms_are_the_same_in_every_process_and_differ_by_salt() -> None:
    # from an independent BLAKE2b: key = BLAKE2b-512("salt"), message "Doe^Jane", 8 bytes
    import hashlib

    key = hashlib.blake2b(b"salt", digest_size=64).digest()
    keyed = hashlib.blake2b(b"Doe^Jane", key=key, digest_size=8).hexdigest()
    assert pseudonym("Doe^Jane", "salt") == keyed
    assert pseudonym("Doe^Jane", "other") != keyed
    assert len({pseudonym(f"{k}", "salt") for k in range(2000)}) == 2000
