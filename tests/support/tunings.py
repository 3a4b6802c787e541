"""Models with searches in them, for use cases on digits."""

NETWORK = """\
model:
  network:                     # the layers
    - dense: {units: 24, activation: relu}
    - dropout: {rate: {range: [0.0, 0.4]}}   # how much is left out
    - dense: {units: classes, activation: softmax}
train:
  epochs: 4
  optimizer:
    adam: {learning_rate: {range: [0.0003, 0.03], log: true}}
"""

FOREST = """\
model:
  sklearn:
    RandomForestClassifier:
      n_estimators: 20
      max_depth: {search: [2, 4, 8]}
      n_jobs: 1
"""
