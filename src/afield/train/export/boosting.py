"""Scikit-learn's histogram gradient boosting as ONNX, which skl2onnx writes in a form that ONNX refuses.

Thresholds are rounded down to float32: on float32 inputs every comparison then falls as it does in scikit-learn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LINKS = {
    "AbsoluteError": "Identity",
    "HalfGammaLoss": "Exp",
    "HalfPoissonLoss": "Exp",
    "HalfSquaredError": "Identity",
    "PinballLoss": "Identity",
}
"""Loss of a regression -> the operator from the sum of the trees to its value."""


def write_boosting(scope: Any, operator: Any, container: Any) -> None:
    """A converter in the sense of skl2onnx, of HistGradientBoostingClassifier and HistGradientBoostingRegressor.

    Args:
        scope: gives names.
        operator: holds the estimator, its inputs and outputs.
        container: takes the nodes.

    Raises:
        NotImplementedError: splits by category, or a loss without a map.
    """
    estimator = operator.raw_operator
    outputs = operator.outputs
    classifies = len(outputs) == 2
    raw = scope.get_unique_variable_name("raw")
    container.add_node(
        "TreeEnsembleRegressor",
        [operator.inputs[0].full_name],
        [raw],
        op_domain="ai.onnx.ml",
        op_version=3,
        name=scope.get_unique_operator_name("TreeEnsembleRegressor"),
        **_trees(estimator),
    )
    if not classifies:
        loss = type(estimator._loss).__name__
        if loss not in LINKS:
            raise NotImplementedError(f"loss {loss} has no map to ONNX")
        _node(scope, container, LINKS[loss], [raw], outputs[0].full_name)
        return
    label, probabilities = (output.full_name for output in outputs)
    if len(estimator.classes_) > 2:
        _node(scope, container, "Softmax", [raw], probabilities, axis=-1)
    else:
        negated, other, one = (scope.get_unique_variable_name(name) for name in ("negated", "other", "one"))
        _node(scope, container, "Neg", [raw], negated)
        _node(scope, container, "Sigmoid", [negated], other)
        _node(scope, container, "Sigmoid", [raw], one)
        _node(scope, container, "Concat", [other, one], probabilities, axis=1)
    _node(scope, container, "ArgMax", [probabilities], label, axis=1, keepdims=0)


def _node(scope: Any, container: Any, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
    container.add_node(kind, inputs, [output], op_version=13, name=scope.get_unique_operator_name(kind), **attributes)


def _trees(estimator: Any) -> dict[str, Any]:
    """All trees of all rounds, one target a class (one in all for two classes and for values)."""
    rounds = estimator._predictors
    columns: dict[str, list[np.ndarray]] = {}
    for number, (target, tree) in enumerate((t, tree) for trees in rounds for t, tree in enumerate(trees)):
        nodes = tree.nodes
        if nodes["is_categorical"].any():
            raise NotImplementedError("splits by category have no map to ONNX: encode categories as columns instead")
        leaf = nodes["is_leaf"].astype(bool)
        places = np.arange(len(nodes))
        parts = {
            "nodes_treeids": np.full(len(nodes), number),
            "nodes_nodeids": places,
            "nodes_featureids": np.where(leaf, 0, nodes["feature_idx"]),
            "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ"),
            "nodes_values": np.where(leaf, 0, _rounded_down(nodes["num_threshold"])),
            "nodes_truenodeids": np.where(leaf, 0, nodes["left"]),
            "nodes_falsenodeids": np.where(leaf, 0, nodes["right"]),
            "nodes_missing_value_tracks_true": np.where(leaf, 0, nodes["missing_go_to_left"]),
            "target_treeids": np.full(leaf.sum(), number),
            "target_nodeids": places[leaf],
            "target_ids": np.full(leaf.sum(), target),
            "target_weights": nodes["value"][leaf],
        }
        for name, part in parts.items():
            columns.setdefault(name, []).append(part)
    return {name: np.concatenate(parts).tolist() for name, parts in columns.items()} | {
        "base_values": np.ravel(estimator._baseline_prediction).tolist(),
        "n_targets": len(rounds[0]),
        "post_transform": "NONE",
    }


def _rounded_down(thresholds: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)
