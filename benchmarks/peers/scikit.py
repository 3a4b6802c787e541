"""scikit-learn's multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Callable

from sklearn.neural_network import MLPClassifier

from peers.networks import EPSILON, RATE, Network
from peers.turns import Turns


def train(network: Network, turns: Turns) -> Callable:
    """Trains a network of dense layers while there are turns, an epoch a `partial_fit`."""
    x, y = network.data(1)
    *hidden, _ = (units for _, units, _ in network.layers)
    # No L2 penalty, as none of the others has one.
    model = MLPClassifier(
        hidden, batch_size=network.batch, learning_rate_init=RATE, epsilon=EPSILON, alpha=0, random_state=1
    )
    classes = sorted(set(y.tolist()))
    turns.begin()
    on = True
    while on:
        model.partial_fit(x, y, classes=classes)
        on = turns.ended()
    return model.predict_proba
