"""Two folders for every named protocol: real images, and what software not ours made of them.

Files are written by nibabel, NumPy and h5py, as a user would have them. None of the data is a
protocol's own but OpenKBP's and PneumoniaMNIST's: every pair says what departs from the published
data. Nothing of Vesalius draws or writes here.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.exposure import match_histograms
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle
from skimage.transform import iradon, radon
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsRegressor

Array = NDArray[Any]
SEED = 0
WATER_PER_MM = 0.0192
STRUCTURES, POSSIBLE_DOSE_BIT = 10, 10
BRAIN_PATIENTS = ("07", "19", "26")
FRAMES = 16
#: Where OpenKBP's axes run: to the back, to the patient's left, to the feet.
PLAN_AXES = np.array([[0.0, -1, 0], [-1, 0, 0], [0, 0, -1]])


@dataclass(frozen=True)
class Folders:
    """A protocol's pair of folders: how it is made, and what has to be said of it."""

    protocol: str
    make: Callable[[Path, Path], None]
    data: str
    software: str
    deviates: str
    options: Mapping[str, str] = field(default_factory=dict)
    masks: bool = False


def nifti(
    path: Path, values: Array, spacing_mm: tuple[float, ...], kind: Any, axes: Array | None = None
) -> None:
    """Write a volume with its voxel size, the directions of its axes, and nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if np.issubdtype(kind, np.integer):
        values = values.round()
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if axes is None else axes) * np.array(spacing_mm)
    nibabel.save(nibabel.Nifti1Image(values.astype(kind), affine), path)


def npz(path: Path, **arrays: Array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)


# --- accelerated MRI


def line_mask(n: int, acceleration: int, centre: float, rng: Any, *, random: bool) -> Array:
    """Which lines of k-space are measured: the centre, and others by chance or evenly spaced."""
    low = round(n * centre)
    mask = np.zeros(n, dtype=bool)
    first = (n - low + 1) // 2
    mask[first : first + low] = True
    if random:
        return mask | (rng.random(n) < (n / acceleration - low) / (n - low))
    step = acceleration * (low - n) / (low * acceleration - n)
    mask[np.round(np.arange(rng.integers(0, round(step)), n - 1, step)).astype(int)] = True
    return mask


def zero_filled(volume: Array, mask: Array) -> Array:
    """The inverse Fourier transform of what was measured of ``(slice, row, column)``."""
    axes = (-2, -1)
    kspace = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(volume, axes), norm="ortho"), axes)
    image = np.fft.ifft2(np.fft.ifftshift(kspace * mask, axes), norm="ortho")
    return np.abs(np.fft.fftshift(image, axes)).astype(np.float32)


def _mri_pair(folder: Path, name: str, volume: Array, mask: Array) -> None:
    for side in ("real", "generated"):
        (folder / side).mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "real" / f"{name}.h5", "w") as file:
        file["reconstruction_rss"] = volume.astype(np.float32)
    with h5py.File(folder / "generated" / f"{name}.h5", "w") as file:
        file["reconstruction"] = zero_filled(volume, mask)


def knee(data: Path, folder: Path) -> None:
    with np.load(data / "synthrad_slices" / "synthrad_slices.npz") as arrays:
        names = sorted(n for n in arrays.files if n.endswith("_mr"))[::15]
        for number, name in enumerate(names):
            rng = np.random.default_rng([SEED, number])
            volume = arrays[name][None].astype(np.float32)
            mask = line_mask(volume.shape[2], 4, 0.08, rng, random=True)
            _mri_pair(folder, name.removesuffix("_mr"), volume, mask)


def brain(data: Path, folder: Path) -> None:
    owners = ["file,patient"]
    for number, patient in enumerate(BRAIN_PATIENTS):
        for place, contrast in enumerate(("t1", "t2", "flair")):
            rng = np.random.default_rng([SEED, number, place])
            volume = brain_volume(data, patient, contrast)[:, :, ::4].transpose(2, 1, 0)
            mask = line_mask(volume.shape[2], 8, 0.04, rng, random=False)
            name = f"patient{patient}_{contrast}"
            _mri_pair(folder, name, volume, mask)
            owners.append(f"{name}.h5,patient{patient}")
    for side in ("real", "generated"):
        (folder / side / "patients.csv").write_text("\n".join(owners) + "\n")


def brain_volume(data: Path, patient: str, contrast: str) -> Array:
    file = nibabel.load(data / "open_ms" / f"patient{patient}_{contrast}.nii.gz")
    return np.asarray(file.dataobj, dtype=np.float32)


# --- low-dose CT


def plan_arrays(
    data: Path, part: str, first: int, count: int
) -> list[tuple[str, dict[str, Array]]]:
    """Some plans of OpenKBP, with the CT in HU."""
    files = sorted((data / "openkbp" / part).glob("pt_*.npz"))[first : first + count]
    found = []
    for file in files:
        with np.load(file) as arrays:
            plan = {name: arrays[name] for name in arrays.files}
        stored = plan["ct"].astype(np.float32)
        tissue = stored[((plan["structures"] & 63) > 0) & (stored != 0)]
        stored[stored != 0] -= 1024 if np.median(tissue) > 500 else 0
        stored[plan["ct"] == 0] = -1024
        plan["ct"] = stored.clip(-1024, 3000)
        found.append((file.stem, plan))
    return found


def low_dose(slice_hu: Array, pixel_mm: float, photons: float, rng: Any) -> Array:
    """The slice with the noise of so few photons a detector, by scikit-image's projections."""
    attenuation = (slice_hu.clip(-1024) + 1024) / 1024 * WATER_PER_MM * pixel_mm
    angles = np.linspace(0, 180, 240, endpoint=False)
    centre = np.array(attenuation.shape) // 2
    rows, columns = np.ogrid[: attenuation.shape[0], : attenuation.shape[1]]
    radius = min(attenuation.shape) // 2
    attenuation[(rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 >= radius**2] = 0
    lines = radon(attenuation, angles)
    counts = rng.poisson(photons * np.exp(-lines)).clip(1)
    noise = iradon(np.log(photons / counts) - lines, angles, filter_name="hann")
    return (slice_hu + noise / (WATER_PER_MM * pixel_mm) * 1024).astype(np.float32)


def denoised(noisy: Array, how: str) -> Array:
    """Slices by scikit-image: non-local means or total variation."""
    tissue = np.abs(noisy - ndimage.median_filter(noisy, 3))[noisy > -300]
    deviation = 1.4826 * np.median(tissue)
    if how == "non-local means":
        return np.asarray(
            denoise_nl_means(noisy, 5, 7, h=0.8 * deviation, sigma=deviation, fast_mode=True)
        )
    return np.asarray(denoise_tv_chambolle(noisy, weight=deviation))


def ct_folders(
    depths: tuple[float, ...], how: str, photons: float, *, as_npz: bool = False
) -> Callable[[Path, Path], None]:
    """Slices of eight patients of OpenKBP, from top (0) to bottom (1), as NIfTI or npz."""

    def make(data: Path, folder: Path) -> None:
        for number, (name, plan) in enumerate(plan_arrays(data, "test", 0, 8)):
            rng = np.random.default_rng([SEED, number])
            spacing = tuple(float(size) for size in plan["spacing_mm"])
            scanned = np.flatnonzero((plan["ct"] > -300).any(axis=(0, 1)))
            real = plan["ct"][:, :, [scanned[int(d * (len(scanned) - 1))] for d in depths]]
            slices = [low_dose(each, spacing[0], photons, rng) for each in np.moveaxis(real, 2, 0)]
            made = np.stack([denoised(each, how) for each in slices], 2)
            for side, values in (("real", real), ("generated", made)):
                if as_npz:
                    kept = values.round().astype(np.int16)
                    npz(folder / side / f"{name}.npz", image=kept, spacing_mm=np.array(spacing))
                else:
                    nifti(folder / side / f"{name}.nii.gz", values, spacing, np.int16, PLAN_AXES)

    return make


def neuro(data: Path, folder: Path) -> None:
    file = nibabel.load(data / "ct_head" / "head_ct_hu.nii.gz")
    real = np.asarray(file.dataobj, dtype=np.float32)[:, :, 50:74:2].clip(-1024, 3000)
    spacing = tuple(float(size) for size in file.header.get_zooms())
    rng = np.random.default_rng(SEED)
    slices = [low_dose(each, spacing[0], 2e5, rng) for each in np.moveaxis(real, 2, 0)]
    made = np.stack([denoised(each, "non-local means") for each in slices], 2)
    spacing = (*spacing[:2], 2 * spacing[2])
    nifti(folder / "real" / "head.nii.gz", real, spacing, np.int16)
    nifti(folder / "generated" / "head.nii.gz", made, spacing, np.int16)


# --- synthetic CT


def body_mask(ct: Array) -> Array:
    """The patient without the table: the largest part that is not air, filled slice by slice."""
    parts, _ = ndimage.label(ndimage.binary_opening(ct > -500, iterations=2))
    largest = parts == 1 + np.bincount(parts.ravel())[1:].argmax()
    return np.stack([ndimage.binary_fill_holes(each) for each in np.moveaxis(largest, 2, 0)], 2)


def cone_beam(ct: Array, body: Array, rng: Any) -> Array:
    """A CT with a cone-beam CT's faults by SciPy: cupping, another scale, blur, coloured noise."""
    depth = ndimage.distance_transform_edt(body[::2, ::2, ::2])
    cupping = ndimage.zoom(ndimage.gaussian_filter(depth, 3), 2, order=1)
    noise = ndimage.gaussian_filter(rng.standard_normal(ct.shape), (0.8, 0.8, 0.4))
    faulty = 0.85 * ndimage.gaussian_filter(ct, 0.7) - 6.0 * cupping + 60 * noise / noise.std()
    return faulty.clip(-1024, 3000).astype(np.float32)


def voxel_features(cbct: Array, body: Array) -> Array:
    """What a regression knows of every voxel in the body."""
    depth = ndimage.distance_transform_edt(body)
    maps = [cbct, *(ndimage.gaussian_filter(cbct, sigma) for sigma in (1, 2, 4)), depth]
    return np.stack([one[body] for one in maps], 1)


def synthetic_ct(*, by_regression: bool) -> Callable[[Path, Path], None]:
    """Six patients of OpenKBP, 40 slices each; three others to learn from."""

    def prepared(data: Path, part: str, count: int) -> list[tuple[str, Array, Array, Array, Any]]:
        found = []
        for number, (name, plan) in enumerate(plan_arrays(data, part, 0, count)):
            ct = plan["ct"][:, :, 44:84]
            body = body_mask(ct)
            rng = np.random.default_rng([SEED, number, part == "train"])
            spacing = tuple(float(size) for size in plan["spacing_mm"])
            found.append((name, ct, body, cone_beam(ct, body, rng), spacing))
        return found

    def make(data: Path, folder: Path) -> None:
        learnt = prepared(data, "train", 3)
        model = HistGradientBoostingRegressor(max_iter=100, random_state=SEED)
        rng = np.random.default_rng(SEED)
        if by_regression:
            rows = [(voxel_features(cbct, body), ct[body]) for _, ct, body, cbct, _ in learnt]
            few = [rng.choice(len(y), 30_000, replace=False) for _, y in rows]
            model.fit(
                np.concatenate([x[k] for (x, _), k in zip(rows, few, strict=True)]),
                np.concatenate([y[k] for (_, y), k in zip(rows, few, strict=True)]),
            )
        for name, ct, body, cbct, spacing in prepared(data, "test", 6):
            made = np.full_like(ct, -1024)
            if by_regression:
                made[body] = model.predict(voxel_features(cbct, body))
            else:
                made[body] = match_histograms(cbct[body], learnt[0][1][learnt[0][2]])
            nifti(folder / "real" / f"{name}.nii.gz", ct, spacing, np.int16, PLAN_AXES)
            nifti(folder / "generated" / f"{name}.nii.gz", made, spacing, np.int16, PLAN_AXES)
            nifti(folder / "mask" / f"{name}.nii.gz", body, spacing, np.uint8, PLAN_AXES)

    return make


# --- a missing contrast


@dataclass(frozen=True)
class Contrasts:
    """A patient's T1, T1 with contrast medium and T2, FLAIR, brain and lesions, 48 slices."""

    given: Array
    flair: Array
    brain: Array
    lesions: Array


def contrasts(data: Path, patient: str) -> Contrasts:
    lesions = brain_volume(data, patient, "lesions") > 0
    middle = int(np.median(np.nonzero(lesions)[2]))
    slab = np.s_[:, :, middle - 24 : middle + 24]
    maps = [brain_volume(data, patient, name)[slab] for name in ("t1", "t1post", "t2", "flair")]
    inside = maps[0] > 0
    scaled = [one / np.percentile(one[inside], 95) for one in maps]
    return Contrasts(np.stack(scaled[:3], -1), scaled[3], inside, lesions[slab])


def completed(data: Path) -> dict[str, tuple[Contrasts, Array, list[Contrasts]]]:
    """Every patient's FLAIR by k-nearest neighbours among voxels of the other two patients."""
    patients = {name: contrasts(data, name) for name in BRAIN_PATIENTS}
    rng = np.random.default_rng(SEED)
    found = {}
    for name, one in patients.items():
        others = [other for key, other in patients.items() if key != name]
        given = np.concatenate([other.given[other.brain] for other in others])
        wanted = np.concatenate([other.flair[other.brain] for other in others])
        few = rng.choice(len(wanted), 30_000, replace=False)
        model = KNeighborsRegressor(15).fit(given[few], wanted[few])
        made = np.zeros_like(one.flair)
        made[one.brain] = model.predict(one.given[one.brain])
        found[name] = (one, made, others)
    return found


def missing_contrast(data: Path, folder: Path) -> None:
    for name, (one, made, _) in completed(data).items():
        file, unit = f"patient{name}.nii.gz", (1.0, 1.0, 1.0)
        nifti(folder / "real" / file, 1000 * one.flair, unit, np.float32)
        nifti(folder / "generated" / file, 1000 * made, unit, np.float32)
        nifti(folder / "mask" / file, one.lesions, unit, np.uint8)


def outlined(data: Path, folder: Path) -> None:
    """Lesions by a random forest that learnt from four real contrasts of the other patients."""

    def features(one: Contrasts, flair: Array) -> Array:
        smooth = ndimage.gaussian_filter(flair, 1.5)
        maps = [*np.moveaxis(one.given, -1, 0), flair, smooth]
        return np.stack([each[one.brain] for each in maps], 1)

    for name, (one, made, others) in completed(data).items():
        x = np.concatenate([features(other, other.flair) for other in others])
        y = np.concatenate([other.lesions[other.brain] for other in others])
        rng = np.random.default_rng(SEED)
        healthy = rng.choice(np.flatnonzero(~y), 20_000, replace=False)
        few = np.concatenate([np.flatnonzero(y)[:20_000], healthy])
        model = RandomForestClassifier(40, min_samples_leaf=10, random_state=SEED).fit(
            x[few], y[few]
        )
        drawn = np.zeros(one.brain.shape)
        drawn[one.brain] = 2 * (model.predict_proba(features(one, made))[:, 1] > 0.5)
        file, unit = f"patient{name}.nii.gz", (1.0, 1.0, 1.0)
        nifti(folder / "real" / file, 2 * one.lesions, unit, np.uint8)
        nifti(folder / "generated" / file, drawn, unit, np.uint8)


# --- dose


def dose_features(plan: dict[str, Array]) -> Array:
    """Distances to every structure in mm, depth and CT, of every second voxel."""
    coarse = plan["structures"][::2, ::2, ::2]
    spacing = tuple(2 * float(size) for size in plan["spacing_mm"])
    maps = [plan["ct"][::2, ::2, ::2]]
    for bit in range(STRUCTURES):
        inside = (coarse >> bit & 1) > 0
        if not inside.any():
            maps.append(np.full(coarse.shape, np.nan, dtype=np.float32))
            continue
        outward = ndimage.distance_transform_edt(~inside, sampling=spacing)
        maps.append(outward - ndimage.distance_transform_edt(inside, sampling=spacing))
    return np.stack(maps, -1).astype(np.float32)


def dose(data: Path, folder: Path) -> None:
    xs, ys = [], []
    rng = np.random.default_rng(SEED)
    for _, plan in plan_arrays(data, "train", 0, 12):
        inside = (plan["structures"][::2, ::2, ::2] >> POSSIBLE_DOSE_BIT & 1) > 0
        few = rng.permutation(int(inside.sum()))[:8_000]
        xs.append(dose_features(plan)[inside][few])
        ys.append(plan["dose"][::2, ::2, ::2][inside][few] / 100)
    model = HistGradientBoostingRegressor(max_iter=150, random_state=SEED)
    model.fit(np.concatenate(xs), np.concatenate(ys))
    for name, plan in plan_arrays(data, "test", 0, 10):
        features = dose_features(plan)
        coarse = model.predict(features.reshape(-1, features.shape[-1]))
        gy = ndimage.zoom(coarse.reshape(features.shape[:3]), 2, order=1).clip(0)
        npz(folder / "generated" / f"{name}.npz", dose=gy.astype(np.float32))
        (folder / "real").mkdir(parents=True, exist_ok=True)
        shutil.copy(data / "openkbp" / "test" / f"{name}.npz", folder / "real")


# --- sets


def xrays(data: Path, folder: Path) -> None:
    """As many images of each class as there are to learn from, of a mixture in principal axes."""
    real = data / "pneumoniamnist" / "pneumoniamnist.npz"
    with np.load(real) as arrays:
        images, labels = arrays["train_images"], arrays["train_labels"][:, 0]
    drawn, classes = [], []
    for kind in (0, 1):
        rows = images[labels == kind].reshape(-1, 784).astype(np.float64)
        axes = PCA(60, random_state=SEED).fit(rows)
        mixture = GaussianMixture(8, random_state=SEED, reg_covar=1.0).fit(axes.transform(rows))
        drawn.append(axes.inverse_transform(mixture.sample(len(rows))[0]))
        classes.append(np.full(len(rows), kind))
    (folder / "real").mkdir(parents=True)
    shutil.copy(real, folder / "real")
    made = np.concatenate(drawn).clip(0, 255).round().astype(np.uint8).reshape(-1, 28, 28)
    npz(folder / "generated" / "mixture.npz", images=made, labels=np.concatenate(classes))


def sweeps(data: Path, folder: Path) -> None:
    """Axial slices one after the other as frames; every second one from its neighbours by SciPy."""
    for part, count in (("test", 20), ("validation", 20)):
        for name, plan in plan_arrays(data, part, 0, count):
            first = 64 - FRAMES // 2
            real = np.moveaxis(plan["ct"][:, :, first : first + FRAMES + 1], 2, 0).clip(-1000, 1000)
            places = np.arange(FRAMES) / 2
            made = ndimage.map_coordinates(
                real[::2],
                np.stack(np.meshgrid(places, np.arange(128), np.arange(128), indexing="ij")),
                order=1,
            )
            for side, frames in (("real", real[:FRAMES]), ("generated", made)):
                npz(folder / side / f"{part}_{name}.npz", frames=frames.round().astype(np.int16))


_KBP_CT = "OpenKBP planning CT (MIT)"
_OPEN_MS = "open_ms, brain MRI of multiple sclerosis (CC BY)"
_HU = {"unit": "HU"}
_DOSE_DEVIATES = (
    "low dose is simulated: parallel beams, 240 views of images on 128 x 128, Poisson noise"
)

ALL = (
    Folders(
        "fastmri-knee-4x", knee,
        "SynthRAD2023 brain MR (CC BY-NC), 12 patients, one 8-bit slice each",
        "zero-filled inverse FFT (NumPy)",
        "anatomy: brain, not knee; one slice a volume; k-space is the FFT of stored magnitudes",
    ),
    Folders(
        "fastmri-brain-8x", brain,
        f"{_OPEN_MS}, T1, T2 and FLAIR of 3 patients, every fourth slice",
        "zero-filled inverse FFT (NumPy)",
        "not fastMRI's scans: three contrasts registered to 1 mm, skull partly removed; k-space is "
        "the FFT of stored magnitudes, so there is one coil and no noise",
    ),
    Folders(
        "ldct-redcnn", ct_folders((0.35, 0.4, 0.45, 0.5, 0.55, 0.6), "non-local means", 3e3),
        f"{_KBP_CT}, 8 patients, 6 slices each", "non-local means (scikit-image)",
        f"anatomy: head and neck, not the abdomen of L506; {_DOSE_DEVIATES}", _HU,
    ),
    Folders(
        "ldct-bench-chest", ct_folders((0.9, 0.95, 1.0), "total variation", 3e4),
        f"{_KBP_CT}, 8 patients, 3 slices each", "total variation (scikit-image)",
        f"anatomy: shoulders and tops of lungs, not chest; {_DOSE_DEVIATES}", _HU,
    ),
    Folders(
        "ldct-bench-abdomen",
        ct_folders((0.45, 0.55, 0.65), "total variation", 3e3, as_npz=True),
        f"{_KBP_CT}, 8 patients, 3 slices each", "total variation (scikit-image)",
        f"anatomy: neck, not abdomen; {_DOSE_DEVIATES}", _HU,
    ),
    Folders(
        "ldct-bench-neuro", neuro,
        "one head CT (shipped with a GPL-2 package), 12 slices", "non-local means (scikit-image)",
        "one patient, so no interval; low dose is simulated: parallel beams, 240 views, Poisson "
        "noise",
        _HU,
    ),
    Folders(
        "synthrad2023", synthetic_ct(by_regression=False),
        f"{_KBP_CT}, 6 patients, 40 slices each", "histogram matching (scikit-image)",
        "not SynthRAD's patients: the cone-beam CT is simulated from the CT (cupping, scale, blur, "
        "noise), so it is registered without error; body masks by a threshold",
        _HU, masks=True,
    ),
    Folders(
        "synthrad2025", synthetic_ct(by_regression=True),
        f"{_KBP_CT}, 6 patients, 40 slices each; 3 others to learn from",
        "gradient-boosted regression of voxels (scikit-learn)",
        "not SynthRAD's patients: the cone-beam CT is simulated from the CT (cupping, scale, blur, "
        "noise), so it is registered without error; body masks by a threshold",
        _HU, masks=True,
    ),
    Folders(
        "brasyn", missing_contrast, f"{_OPEN_MS}, 3 patients, 48 slices each",
        "k-nearest neighbours of voxels, T1, T1 with contrast medium and T2 to FLAIR "
        "(scikit-learn), learnt from the other two patients",
        "lesions of multiple sclerosis, not tumours; three patients", masks=True,
    ),
    Folders(
        "brasyn-tumour", outlined, f"{_OPEN_MS}, 3 patients, 48 slices each",
        "random forest on three real contrasts and the FLAIR made for brasyn (scikit-learn)",
        "lesions of multiple sclerosis stand in for oedema (label 2): there is no core and nothing "
        "enhances, so the Dice of these two is 1 by definition where nothing is drawn; a random "
        "forest, not the challenge's network",
    ),
    Folders(
        "openkbp", dose, "OpenKBP (MIT): 10 of 100 test patients",
        "gradient-boosted regression on distances to structures (scikit-learn)",
        "learnt from 12 of 200 patients, judged on 10 of 100",
    ),
    Folders(
        "medmnist-augmentation", xrays, "PneumoniaMNIST (CC BY 4.0), official split",
        "Gaussian mixtures of 8 in 60 principal axes for each class (scikit-learn)",
        "none: the study at its own size",
    ),
    Folders(
        "video-fvd", sweeps,
        f"{_KBP_CT}, 40 patients: {FRAMES} axial slices one after the other as frames",
        "linear interpolation of every second frame (SciPy)",
        "a sweep through space, not time; the features are not I3D's",
    ),
)  # fmt: skip
