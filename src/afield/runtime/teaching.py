"""New states and new networks without training: a version's reference vectors are added to, or shifted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from afield.bundle import Bundle, open_bundle, pack
from afield.bundle.examples import EXAMPLE, EXPECTED, FIGURE
from afield.errors import DataError, StateError
from afield.registry.versions import Registry, Version, utc_now
from afield.report.model import Report, State, from_json, json_text
from afield.runtime.decisions import PREDICTION, UNKNOWN, Nearest, frozen
from afield.runtime.predictor import Predictor, example_batches

MOST_EXAMPLES = 10
"""Examples that teach a state, at most: with more, train."""
ROOM = 2.0
"""How many times as far as the farthest of its few examples, or as the nearest known state, a taught state reaches."""
TAKEN = 0.01
"""Share of the known vectors that a taught state may take from the known states."""


@dataclass(frozen=True)
class Taught:
    """A new version, and what it was made of.

    Args:
        version: in the registry.
        of: the version that it was made from.
        examples: records or windows that taught it.
        moved: distance by which the reference vectors were shifted; 0 for a state that was added.
    """

    version: Version
    of: str
    examples: int
    moved: float = 0.0


def teach(folder: Path, name: str, batches: Iterable[pa.RecordBatch], version: str | None = None) -> Taught:
    """Adds a state from 1 to 10 examples, as a new version; a state of that name is learned anew.

    The reference vector is the mean of the examples' vectors. A few examples do not show how far a state spreads, so it
    reaches towards the known states until it would take one in a hundred of the vectors that are known.

    Args:
        folder: of the use case.
        name: of the state.
        batches: records of nothing but this state.
        version: to start from; the latest by default.

    Raises:
        StateError: the version does not answer by known states.
        DataError: no example, or too many.
    """
    if name == UNKNOWN or not name.strip():
        raise DataError(f"--label: expected the name of a state, found '{name}'")
    registry, bundle, predictor, known = _opened(folder, version)
    try:
        records = _joined(batches)
        vectors = _vectors(predictor, known, records)
        if len(vectors) > MOST_EXAMPLES:
            raise DataError(
                f"a state is taught from 1 to {MOST_EXAMPLES} examples, found {len(vectors):,}; name fewer rows as"
                " FILE:FIRST-LAST, or train with all of them"
            )
        kept = [place for place, other in enumerate(known.names) if other != name]
        rows = np.flatnonzero(np.isin(known.states, kept))
        names = [known.names[place] for place in kept]
        others = replace(
            known,
            names=names,
            references=known.references[rows],
            states=np.searchsorted(kept, known.states[rows]).astype(np.int32),
            radii=known.radii[kept],
            leads=None if known.leads is None else known.leads[kept],
            levels=None if known.levels is None else known.levels[kept],
        )
        decision = widened(others, name, vectors, predictor.pipeline.levels(records))
        state = State(name=name, examples=len(vectors), radius=float(decision.radii[-1]), taught=True)
        said = (
            f"'{name}' was taught from {_count(len(vectors))} to {bundle.manifest.version}; the scores are from before"
        )
        made = _registered(registry, bundle, predictor, decision, state, said)
        return Taught(made, bundle.manifest.version, len(vectors))
    finally:
        registry.close()


def adapt(folder: Path, normal: str, batches: Iterable[pa.RecordBatch], version: str | None = None) -> Taught:
    """Sets a version to a new network by some normal records of it.

    Each number is first multiplied, so that its mean over these records is the one that the normal state had in
    training. Every reference vector is then shifted as far as the records' vectors lie from the normal ones.

    Args:
        folder: of the use case.
        normal: name of the normal state.
        batches: records of the new network, all of the normal state.
        version: to start from; the latest by default.

    Raises:
        StateError: the version does not answer by known states, or does not know the normal one.
        DataError: no example.
    """
    registry, bundle, predictor, known = _opened(folder, version)
    try:
        if normal not in known.names:
            raise StateError(
                f"--state: {bundle.manifest.version} knows no state '{normal}'; it knows {', '.join(known.names)}"
            )
        records, state = _joined(batches), known.names.index(normal)
        levels = known.levels
        if levels is not None:
            predictor.pipeline, factors = predictor.pipeline.leveled(records, levels[state])
            levels = levels / factors
        vectors = _vectors(predictor, known, records)
        shift = vectors.mean(axis=0) - known.references[known.states == state].mean(axis=0)
        moved = known.known if known.known is None else (known.known + shift).astype(np.float32)
        decision = replace(known, references=(known.references + shift).astype(np.float32), known=moved, levels=levels)
        said = (
            f"{bundle.manifest.version} was set to another network by {_count(len(vectors))} of '{normal}', its"
            f" references shifted by {np.linalg.norm(shift):.3g}; the scores are from before"
        )
        made = _registered(registry, bundle, predictor, decision, None, said)
        return Taught(made, bundle.manifest.version, len(vectors), float(np.linalg.norm(shift)))
    finally:
        registry.close()


def widened(known: Nearest, name: str, vectors: np.ndarray, levels: np.ndarray) -> Nearest:
    """A decision with one more name.

    Args:
        known: without it.
        name: of the new state.
        vectors: of its examples, float32[N, D], as they are compared.
        levels: float64[L]; means of the preprocessing's numbers over its records.
    """
    reference = vectors.mean(axis=0, keepdims=True)
    spread = float(np.linalg.norm(vectors - reference, axis=1).max())
    apart = float(known.apart(reference).min(initial=np.inf))
    radius = max(float(np.median(known.radii)), ROOM * spread, ROOM * apart if np.isfinite(apart) else 0.0)
    leads = np.zeros(len(known.names), np.float32) if known.leads is None else known.leads
    lead = 0.0
    if known.known is not None and len(known.known):
        before = (known.apart(known.known) - leads[known.states]).min(axis=1)
        after = np.linalg.norm(known.known - reference, axis=1)
        lead = float(np.quantile(after - before, TAKEN))
    return replace(
        known,
        names=[*known.names, name],
        references=np.concatenate([known.references, reference]).astype(np.float32),
        states=np.append(known.states, len(known.names)).astype(np.int32),
        radii=np.append(known.radii, radius).astype(np.float32),
        leads=np.append(leads, lead).astype(np.float32),
        known=None if known.known is None else np.concatenate([known.known, vectors]).astype(np.float32),
        levels=None if known.levels is None else np.concatenate([known.levels, levels[None]]),
    )


def _opened(folder: Path, version: str | None) -> tuple[Registry, Bundle, Predictor, Nearest]:
    registry = Registry(folder)
    try:
        found = registry.get(version) if version else registry.latest()
        bundle = open_bundle(found.bundle)
        predictor = Predictor(bundle)
        if not isinstance(predictor.decision, Nearest):
            raise StateError(f"{found.name} does not answer by known states; a model `siamese` does")
        return registry, bundle, predictor, predictor.decision
    except BaseException:
        registry.close()
        raise


def _joined(batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """All records as one batch: a window may reach over several.

    Raises:
        DataError: there are none.
    """
    found = list(batches)
    records = sum(batch.num_rows for batch in found)
    if not records:
        raise DataError("expected at least one example, found no records")
    (joined,) = pa.Table.from_batches(found).combine_chunks().to_batches()
    return joined


def _vectors(predictor: Predictor, known: Nearest, records: pa.RecordBatch) -> np.ndarray:
    """float32[N, D] of the examples in the records, as they are compared."""
    predictor.pipeline.columns(records.schema)
    read = predictor.pipeline.read(records)
    if not len(read.ends):
        window = predictor.pipeline.window
        needed = f"; a window needs {window.length} rows without a gap" if window else ""
        raise DataError(f"expected at least one example, found none in {records.num_rows:,} records{needed}")
    return known.placed(predictor.session.answer(read.features))


def _registered(
    registry: Registry, bundle: Bundle, predictor: Predictor, decision: Nearest, state: State | None, said: str
) -> Version:
    report = from_json(bundle.report, str(bundle.path))
    with registry.turn():
        name = registry.next_name()
        created = utc_now()
        report = report.model_copy(update=_changes(report, state, said) | {"version": name, "created": created})
        manifest = bundle.manifest
        pack(
            registry.incoming,
            name=manifest.name,
            version=name,
            created=created,
            usecase=bundle.usecase,
            network=bundle.network,
            steps=predictor.pipeline.frozen(),
            decision=frozen(decision),
            examples=_answered(bundle.examples, predictor, decision),
            report=json_text(report),
            facts={
                "kind": manifest.kind,
                "classes": decision.names,
                "inputs": [one.model_dump() for one in manifest.inputs],
                "data": manifest.data,
                "libraries": manifest.libraries,
                "revision": manifest.revision,
                "seed": manifest.seed,
            },
        )
        summary = {"metric": report.metric, "score": report.score, "verdict": report.verdict, "taught": said}
        return registry.add(registry.incoming, summary)


def _changes(report: Report, state: State | None, said: str) -> dict[str, object]:
    changes: dict[str, object] = {"warnings": [*report.warnings, said]}
    if state is not None and report.states is not None:
        others = [one for one in report.states.states if one.name != state.name]
        changes["states"] = report.states.model_copy(update={"states": [*others, state]})
    return changes


def _answered(examples: pa.Table, predictor: Predictor, decision: Nearest) -> pa.Table:
    """The examples with the answers that the new references give."""
    tables: list[pa.Table] = []
    for batch in example_batches(examples):
        read = predictor.pipeline.read(batch)
        answers = decision.answer(predictor.session.answer(read.features))
        expected, figures = np.full(batch.num_rows, None, object), np.zeros(batch.num_rows, np.float32)
        expected[read.ends] = answers[PREDICTION].cast(pa.string()).to_pylist()
        figures[read.ends] = answers[decision.figure].to_numpy()
        table = pa.Table.from_batches([batch]).drop_columns([EXPECTED, FIGURE])
        numbers = table.column(EXAMPLE) if EXAMPLE in table.column_names else None
        table = table if numbers is None else table.drop_columns([EXAMPLE])
        table = table.append_column(EXPECTED, pa.array(expected, pa.string()))
        table = table.append_column(FIGURE, pa.array(figures, pa.float32()))
        tables.append(table if numbers is None else table.append_column(EXAMPLE, numbers))
    return pa.concat_tables(tables)


def _count(examples: int) -> str:
    return "1 example" if examples == 1 else f"{examples:,} examples"
