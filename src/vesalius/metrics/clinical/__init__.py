"""Metrics of what the clinic does with an image: outline, measure, classify."""

from vesalius.metrics.clinical.accuracy import Accuracy
from vesalius.metrics.clinical.auc import AUC
from vesalius.metrics.clinical.calibration_error import CalibrationError
from vesalius.metrics.clinical.dice import Dice
from vesalius.metrics.clinical.dose_score import DoseScore
from vesalius.metrics.clinical.dvh_score import DVHScore
from vesalius.metrics.clinical.hd95 import HD95
from vesalius.metrics.clinical.iou import IoU
from vesalius.metrics.clinical.openkbp import OpenKBPScores, openkbp_scores, openkbp_summary
from vesalius.metrics.clinical.region_dice import RegionDice
from vesalius.metrics.clinical.sensitivity import Sensitivity
from vesalius.metrics.clinical.specificity import Specificity
from vesalius.metrics.clinical.structures_metric import StructuresMetric
from vesalius.metrics.clinical.surface_dice import SurfaceDice
from vesalius.metrics.clinical.table_metric import TableMetric
from vesalius.metrics.clinical.tissue_agreement import TissueAgreement
from vesalius.metrics.clinical.volume_error import VolumeError

__all__ = [
    "AUC",
    "HD95",
    "Accuracy",
    "CalibrationError",
    "DVHScore",
    "Dice",
    "DoseScore",
    "IoU",
    "OpenKBPScores",
    "RegionDice",
    "Sensitivity",
    "Specificity",
    "StructuresMetric",
    "SurfaceDice",
    "TableMetric",
    "TissueAgreement",
    "VolumeError",
    "openkbp_scores",
    "openkbp_summary",
]
