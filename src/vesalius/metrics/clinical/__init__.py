"""Metrics of what the clinic does with an image: outline, measure, classify."""

from vesalius.metrics.clinical.accuracy import Accuracy
from vesalius.metrics.clinical.auc import AUC
from vesalius.metrics.clinical.brain_volume_error import BrainVolumeError
from vesalius.metrics.clinical.brier_score import BrierScore
from vesalius.metrics.clinical.calibration_error import CalibrationError
from vesalius.metrics.clinical.calibration_slope_error import CalibrationSlopeError
from vesalius.metrics.clinical.concordance_index import ConcordanceIndex
from vesalius.metrics.clinical.conformity_error import ConformityError
from vesalius.metrics.clinical.dice import Dice
from vesalius.metrics.clinical.dose_score import DoseScore
from vesalius.metrics.clinical.dose_to_percent_error import DoseToPercentError
from vesalius.metrics.clinical.dose_to_volume_error import DoseToVolumeError
from vesalius.metrics.clinical.dvh_score import DVHScore
from vesalius.metrics.clinical.ejection_fraction_error import EjectionFractionError
from vesalius.metrics.clinical.feature_agreement import FeatureAgreement
from vesalius.metrics.clinical.gamma_pass_rate import GammaPassRate
from vesalius.metrics.clinical.hd95 import HD95
from vesalius.metrics.clinical.homogeneity_error import HomogeneityError
from vesalius.metrics.clinical.iou import IoU
from vesalius.metrics.clinical.lesion_detection_f1 import LesionDetectionF1
from vesalius.metrics.clinical.mean_dose_error import MeanDoseError
from vesalius.metrics.clinical.of_structure import OfStructure
from vesalius.metrics.clinical.openkbp import OpenKBPScores, openkbp_scores, openkbp_summary
from vesalius.metrics.clinical.paired_values_metric import PairedValuesMetric
from vesalius.metrics.clinical.r2 import R2
from vesalius.metrics.clinical.region_dice import RegionDice
from vesalius.metrics.clinical.regression_mae import RegressionMAE
from vesalius.metrics.clinical.sensitivity import Sensitivity
from vesalius.metrics.clinical.specificity import Specificity
from vesalius.metrics.clinical.structures_metric import StructuresMetric
from vesalius.metrics.clinical.surface_dice import SurfaceDice
from vesalius.metrics.clinical.survival_metric import SurvivalMetric
from vesalius.metrics.clinical.suv_bias import SUVBias
from vesalius.metrics.clinical.table_metric import TableMetric
from vesalius.metrics.clinical.tissue_agreement import TissueAgreement
from vesalius.metrics.clinical.volume_at_dose_error import VolumeAtDoseError
from vesalius.metrics.clinical.volume_error import VolumeError

__all__ = [
    "AUC",
    "HD95",
    "R2",
    "Accuracy",
    "BrainVolumeError",
    "BrierScore",
    "CalibrationError",
    "CalibrationSlopeError",
    "ConcordanceIndex",
    "ConformityError",
    "DVHScore",
    "Dice",
    "DoseScore",
    "DoseToPercentError",
    "DoseToVolumeError",
    "EjectionFractionError",
    "FeatureAgreement",
    "GammaPassRate",
    "HomogeneityError",
    "IoU",
    "LesionDetectionF1",
    "MeanDoseError",
    "OfStructure",
    "OpenKBPScores",
    "PairedValuesMetric",
    "RegionDice",
    "RegressionMAE",
    "SUVBias",
    "Sensitivity",
    "Specificity",
    "StructuresMetric",
    "SurfaceDice",
    "SurvivalMetric",
    "TableMetric",
    "TissueAgreement",
    "VolumeAtDoseError",
    "VolumeError",
    "openkbp_scores",
    "openkbp_summary",
]
