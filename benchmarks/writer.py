"""How well an LSTM foretells tinyshakespeare: trained on its first 90 %, judged on its last 10 %, its state carried.

Validation is taken from inside the first 90 %. The network is that of the machine: a large one on an accelerator, a
smaller one on the CPU, and every size can be given. The n-grams and the shares of the characters stand beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from corpus import data_folder

SIZES = {
    "cpu": {
        "layers": 2,
        "units": 256,
        "dropout": 0.1,
        "window": 64,
        "stride": 64,
        "batch_size": 64,
        "epochs": 8,
        "learning_rate": 0.004,
        "precision": "float32",
    },
    "gpu": {
        "layers": 3,
        "units": 512,
        "dropout": 0.5,
        "window": 128,
        "stride": 64,
        "batch_size": 64,
        "epochs": 30,
        "learning_rate": 0.002,
        "precision": "float32",
    },
}
"""Device -> the size that suits it."""
USE_CASE = """
name: writer
question: {{kind: write}}
source:
  files: {{path: {text}, format: lines}}
preprocess:
  - characters: {{window: {window}, stride: {stride}}}
model:
  network:
    - embedding: {{input_dim: classes, output_dim: 24}}
{layers}
    - dense: {{units: classes, activation: softmax}}
train:
  device: {device}
  precision: {precision}
  seed: {seed}
  split: {{test: 0.1, validation: 0.05}}
  batch_size: {batch_size}
  epochs: {epochs}
  early_stopping: {{patience: {epochs}}}
  optimizer:
    adam: {{learning_rate: {learning_rate}, clipnorm: 1.0}}
  learning_rate_schedule:
    cosine_decay: {{alpha: 0.02}}
"""
LAYER = """    - lstm: {{units: {units}, return_sequences: true}}
    - dropout: {{rate: {dropout}}}"""


class Told:
    """Says each epoch on the standard error as it ends."""

    def stage(self, name: str, total: int | None = None) -> None: ...

    def advance(self, amount: int) -> None: ...

    def epoch(self, epoch) -> None:
        print(
            f"epoch {epoch.epoch}: {epoch.loss:.4f}, validation {epoch.validation_loss:.4f}, {epoch.seconds:.1f} s",
            file=sys.stderr,
            flush=True,
        )


def measured(text: Path, given: dict) -> dict:
    """Trains and takes the figures out of the report."""
    import afield

    layers = "\n".join([LAYER.format(**given)] * given["layers"])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "writer"
        folder.mkdir()
        (folder / "usecase.yaml").write_text(USE_CASE.format(**given | {"layers": layers, "text": text}))
        started = time.perf_counter()
        report = afield.load(folder).train(watcher=Told()).report
    language = report.language
    later = [epoch.seconds for epoch in report.history[1:]] or [report.history[0].seconds]
    return {
        "nats": language.test.nats,
        "bits": language.test.bits,
        "interval_bits": language.test.bits_interval,
        "perplexity": language.test.perplexity,
        "characters": language.test.characters,
        "validation_nats": language.validation.nats,
        "parameters": sum(layer.parameters for layer in report.layers),
        "epochs": len(report.history),
        "epoch_seconds": sorted(later)[len(later) // 2],
        "seconds": time.perf_counter() - started,
        "device": report.facts["device"],
        "baselines_nats": {one.name: one.figures["nats a character"] for one in report.baselines},
        "written": {str(sample.temperature): sample.text for sample in language.samples},
        "setting": given,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--device", choices=["auto", "cpu", "gpu"], default="auto")
    arguments.add_argument("--seed", type=int, default=0)
    for name, value in SIZES["cpu"].items():
        arguments.add_argument(f"--{name.replace('_', '-')}", dest=name, type=type(value))
    arguments.add_argument("--text", type=Path, help="a file; tinyshakespeare of the data folder by default")
    given = {name: value for name, value in vars(arguments.parse_args()).items() if value is not None}
    text = given.pop("text", None) or data_folder() / "text" / "tinyshakespeare_input.txt"
    from afield.train.backend import prepare

    found = "cpu" if prepare(given["device"]).startswith("cpu") else "gpu"
    json.dump(measured(text.resolve(), SIZES[found] | given), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
