"""Recipes by name: the only place where combinations are named."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from vesalius.core.errors import UnknownName

if TYPE_CHECKING:
    from vesalius.core.recipe import Recipe
    from vesalius.core.record import Record

__all__ = ["System", "describe", "get", "measured", "names", "systems", "using"]

#: Recipe name to the module and function that make it.
_RECIPES = {
    "adversarial-distillation": "diagnosis.adversarial_distillation",
    "beta-vae": "diagnosis.beta_vae",
    "cg-samr-loss": "diagnosis.cg_samr_loss",
    "chest-diffusion": "diagnosis.chest_diffusion",
    "class-diffusion": "diagnosis.class_diffusion",
    "class-gan": "diagnosis.class_gan",
    "classifier-guided-diffusion": "diagnosis.classifier_guided_diffusion",
    "cnn-classification": "diagnosis.cnn_classification",
    "cold-diffusion": "acquisition.cold_diffusion",
    "conditional-diffusion": "diagnosis.conditional_diffusion",
    "consistency-distillation": "diagnosis.consistency_distillation",
    "consistency-training": "diagnosis.consistency_training",
    "corediff": "acquisition.corediff",
    "correlation-cyclegan": "diagnosis.correlation_cyclegan",
    "covariate-diffusion": "diagnosis.covariate_diffusion",
    "cut": "diagnosis.cut",
    "cvae": "diagnosis.cvae",
    "cyclegan": "diagnosis.cyclegan",
    "dcgan": "diagnosis.dcgan",
    "ddpm": "diagnosis.ddpm",
    "ddpm-3d": "diagnosis.ddpm_3d",
    "deform-mamba-loss": "acquisition.deform_mamba_loss",
    "demo": "diagnosis.demo",
    "dit": "diagnosis.dit",
    "dps": "acquisition.dps",
    "drdm": "diagnosis.drdm",
    "drdm-atrous": "diagnosis.drdm_atrous",
    "dwt-srgan": "acquisition.dwt_srgan",
    "edm": "diagnosis.edm",
    "focal-frequency-pix2pix": "diagnosis.focal_frequency_pix2pix",
    "gan-circle": "acquisition.gan_circle",
    "gh-ddm": "diagnosis.gh_ddm",
    "glfc-loss": "diagnosis.glfc_loss",
    "guided-class-diffusion": "diagnosis.guided_class_diffusion",
    "ha-gan": "diagnosis.ha_gan",
    "i2sb": "acquisition.i2sb",
    "isotropic-mamba-diffusion": "diagnosis.isotropic_mamba_diffusion",
    "johnson-2016": "acquisition.johnson_2016",
    "latent-diffusion": "diagnosis.latent_diffusion",
    "latent-diffusion-autoencoder": "diagnosis.latent_diffusion_autoencoder",
    "lei-2019": "acquisition.lei_2019",
    "mae-inpainting": "acquisition.mae_inpainting",
    "masked-tokens": "diagnosis.masked_tokens",
    "measurement-consistency": "acquisition.measurement_consistency",
    "medformer": "diagnosis.medformer",
    "medgan": "diagnosis.medgan",
    "medicaldiffusion": "diagnosis.medicaldiffusion",
    "medicaldiffusion-autoencoder": "diagnosis.medicaldiffusion_autoencoder",
    "medmamba": "diagnosis.medmamba",
    "mri-diffusion": "acquisition.mri_diffusion",
    "mutual-information-cyclegan": "diagnosis.mutual_information_cyclegan",
    "nadru": "acquisition.nadru",
    "ncsn": "diagnosis.ncsn",
    "partdiff": "acquisition.partdiff",
    "pfgm-plus-plus": "acquisition.pfgm_plus_plus",
    "pix2pix": "diagnosis.pix2pix",
    "pix2pix-hd": "diagnosis.pix2pix_hd",
    "pixel-transformer": "diagnosis.pixel_transformer",
    "pixelcnn": "diagnosis.pixelcnn",
    "progressive-distillation": "diagnosis.progressive_distillation",
    "rectified-flow": "diagnosis.rectified_flow",
    "red-wgan": "acquisition.red_wgan",
    "regain": "acquisition.regain",
    "repaint": "acquisition.repaint",
    "resvit": "diagnosis.resvit",
    "resvit-pretraining": "diagnosis.resvit_pretraining",
    "sc-cyclegan": "diagnosis.sc_cyclegan",
    "score-sde": "diagnosis.score_sde",
    "segguideddiff": "diagnosis.segguideddiff",
    "sentence-diffusion": "diagnosis.sentence_diffusion",
    "seq2seq-loss": "diagnosis.seq2seq_loss",
    "shi-2023": "acquisition.shi_2023",
    "spade-gan": "diagnosis.spade_gan",
    "stylegan": "diagnosis.stylegan",
    "stylegan-3d": "diagnosis.stylegan_3d",
    "swinmr": "acquisition.swinmr",
    "tanno-2017": "acquisition.tanno_2017",
    "txurio-2023": "diagnosis.txurio_2023",
    "unconditional-diffusion": "diagnosis.unconditional_diffusion",
    "unet-regression": "diagnosis.unet_regression",
    "unet-segmentation": "diagnosis.unet_segmentation",
    "vae-gan": "diagnosis.vae_gan",
    "vit": "diagnosis.vit",
    "vm-ddpm": "diagnosis.vm_ddpm",
    "vq-vae": "diagnosis.vq_vae",
    "vqgan-autoencoder": "diagnosis.vqgan_autoencoder",
    "vqgan-tatrans": "diagnosis.vqgan_tatrans",
    "vqgan-transformer": "diagnosis.vqgan_transformer",
    "wang-2019": "acquisition.wang_2019",
    "wgan-gp": "diagnosis.wgan_gp",
    "xray-text-contrast": "diagnosis.xray_text_contrast",
    "zhao-2017": "acquisition.zhao_2017",
}


@dataclass(frozen=True)
class System:
    """A published system of the review, and the recipe that follows it ("" where there is none)."""

    identifier: str
    name: str
    year: int
    phase: str
    task: str
    family: str
    mechanism: str
    recipe: str


def _function(name: str) -> Callable[[], Recipe]:
    import importlib

    if name not in _RECIPES:
        raise UnknownName("recipe", name, _RECIPES)
    module = importlib.import_module(f"vesalius.recipes.{_RECIPES[name]}")
    function: Callable[[], Recipe] = getattr(module, _RECIPES[name].split(".")[-1])
    return function


def names() -> tuple[str, ...]:
    """All recipe names."""
    return tuple(sorted(_RECIPES))


def get(name: str) -> Recipe:
    """The recipe ``name``; raises UnknownName with the nearest ones."""
    return _function(name)()


def describe(name: str) -> str:
    """One line on a recipe."""
    return (_function(name).__doc__ or "").splitlines()[0]


def systems() -> tuple[System, ...]:
    """The catalogue of the review's systems (arXiv 2508.09177), checked against the papers."""
    text = files("vesalius.recipes").joinpath("systems.csv").read_text(encoding="utf-8")
    return tuple(
        System(
            row["id"],
            row["system"],
            int(row["year"]),
            row["phase"],
            row["task"],
            row["family"],
            row["mechanism"],
            row["id"] if row["id"] in _RECIPES else "",
        )
        for row in csv.DictReader(text.splitlines())
    )


def using() -> dict[type, tuple[str, ...]]:
    """Names of the recipes that use each class: in a part, inside one, or as a part's default."""
    found: dict[type, tuple[str, ...]] = {}
    for name in names():
        recipe = get(name)
        parts = [getattr(recipe, field.name) for field in dataclasses.fields(recipe)]
        for kind in _classes(parts):
            found[kind] = (*found.get(kind, ()), name)
    return found


def _classes(part: object) -> set[type]:
    """The classes of ``part`` and of all that is in it."""
    from vesalius.core.call import Call

    if isinstance(part, Call):
        own = {part.target} if isinstance(part.target, type) else set()
        defaults = {name: parameter.default for name, parameter in part.parameters().items()}
        return own | _classes({**defaults, **part.arguments})
    if isinstance(part, Mapping):
        return _classes(list(part.values()))
    if isinstance(part, tuple | list):
        return set().union(*map(_classes, part))
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        return {type(part)} | _classes([getattr(part, f.name) for f in dataclasses.fields(part)])
    return set()


def _results() -> Path:
    """Measured results: inside the installed package, or in the checkout that it runs from."""
    shipped = Path(str(files("vesalius.recipes").joinpath("results")))
    return shipped if shipped.is_dir() else Path(__file__).parents[3] / "benchmarks" / "results"


def measured(name: str, folder: Path | None = None) -> tuple[Record, ...]:
    """What was measured of a recipe: the records of ``folder``, by default the shipped ones."""
    from vesalius.core.record import read_records

    if name not in _RECIPES:
        raise UnknownName("recipe", name, _RECIPES)
    paths = sorted((folder or _results()).glob("experiment-*.json"))
    found = [record for path in paths for record in read_records(path)]
    return tuple(record for record in found if record.recipe == name)
