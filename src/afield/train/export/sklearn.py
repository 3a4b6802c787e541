"""A fitted estimator of scikit-learn as ONNX, by skl2onnx."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from afield.errors import StateError, UseCaseError
from afield.train.export.boosting import write_boosting
from afield.train.export.foreign import settled
from afield.train.export.graph import OPSET

ML_OPSET = 3
READ = "read"


def export_sklearn(estimator: Any, width: int, feature: str, output: str) -> bytes:
    """Writes a fitted estimator as ONNX.

    Trees compare in float32, as ONNX has them: where a number stands right at a threshold the answer may differ.

    Args:
        estimator: a classifier with `predict_proba`, a regressor, or a detector of what is abnormal; a pipeline of
            scikit-learn's too.
        width: number of columns that it reads.
        feature: name of the ONNX input float32[rows, width].
        output: name of the ONNX output: probabilities float32[rows, C] of a classifier, values float32[rows, 1] of a
            regressor, scores float32[rows, 1] of a detector: `decision_function` negated, higher for what is more
            abnormal, above 0 where the estimator itself would call it so.

    Returns:
        The content of an ONNX file, with operators of ONNX and of its machine learning set.

    Raises:
        UseCaseError: the estimator cannot be exported, or gives no probabilities.
        StateError: skl2onnx is not installed.
    """
    try:
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import FloatTensorType
    except ImportError:
        raise StateError("model.sklearn needs skl2onnx, which is not installed: `pip install skl2onnx`") from None
    name = type(estimator).__name__
    place, options, scale = _wanted(estimator, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            written: Any = convert_sklearn(
                estimator,
                initial_types=[(READ, FloatTensorType([None, width]))],
                target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET},
                options=options,
                custom_conversion_functions=dict.fromkeys(
                    (HistGradientBoostingClassifier, HistGradientBoostingRegressor), write_boosting
                ),
            )
    except Exception as refused:  # skl2onnx's errors have no common base
        raise UseCaseError(
            f"model.sklearn: {name} cannot be exported to ONNX: {str(refused).splitlines()[0]};"
            " choose another estimator"
        ) from None
    outputs = [value.name for value in written.graph.output]
    return settled(written, {feature: (READ, "float32")}, {output: outputs[place]}, scale)


def _wanted(estimator: Any, name: str) -> tuple[int, dict[Any, Any], tuple[float, float] | None]:
    """Which output of skl2onnx's is ours, how to ask for it, and how to scale it."""
    if is_classifier(estimator):
        if not hasattr(estimator, "predict_proba"):
            raise UseCaseError(
                f"model.sklearn: {name} gives no probabilities; wrap it: CalibratedClassifierCV: {{estimator: {name}}}"
            )
        if not _one_question(estimator):
            raise UseCaseError(
                f"model.sklearn: {name} with several tags a record cannot be exported to ONNX;"
                f" wrap it: OneVsRestClassifier: {{estimator: {name}}}"
            )
        return 1, {id(estimator): {"zipmap": False}}, None
    if is_regressor(estimator):
        return 0, {}, None
    if is_outlier_detector(estimator):
        return 1, {}, (-1.0, 0.0)
    raise UseCaseError(
        f"model.sklearn: {name} is neither a classifier nor a regressor nor a detector of what is abnormal"
    )


def _one_question(estimator: Any) -> bool:
    """Whether a classifier's probabilities come as one table: one class a record, or a classifier a tag."""
    binarizer = getattr(estimator, "_label_binarizer", None)
    tags = getattr(binarizer, "y_type_", "").startswith("multilabel")
    return isinstance(estimator.classes_, np.ndarray) and not tags
