"""Figures of tags, values, ranks, groups and text equal those of scikit-learn, or of the definition by hand."""

from __future__ import annotations

import math
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from sklearn import metrics as reference
from sklearn.decomposition import PCA

from afield.errors import DataError
from afield.report.metrics import (
    Ranked,
    abnormal,
    adjusted_rand,
    balanced_sample,
    best_cut,
    best_cuts,
    binary,
    bootstrap,
    confident_mistakes,
    embedding,
    evaluate,
    groups,
    image_mistakes,
    mean_interval,
    picture,
    png,
    precision_at,
    regression,
    silhouettes,
    tags,
    text_scores,
)

EXACT = 1e-12


@st.composite
def ranked(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Truth with both classes, scores with many ties."""
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    rows, levels = draw(st.integers(4, 80)), draw(st.sampled_from([2, 5, 1000]))
    truth = random.random(rows) < 0.4
    truth[:4] = [True, True, False, False]
    return truth, (random.integers(0, levels, rows) / levels).astype(np.float32)


@settings(max_examples=60)
@given(ranked())
def test_curves_and_areas_equal_scikit_learn(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    truth, scores = drawn
    found = Ranked.of(truth, scores)
    false, right, cuts = reference.roc_curve(truth, scores, drop_intermediate=False)
    np.testing.assert_allclose(found.roc(), (false, right), atol=EXACT)
    np.testing.assert_array_equal(found.cuts, cuts)
    precision, recall, _ = reference.precision_recall_curve(truth, scores)
    np.testing.assert_allclose(found.precision_recall(), (precision[::-1], recall[::-1]), atol=EXACT)
    assert found.auc() == pytest.approx(reference.roc_auc_score(truth, scores), abs=EXACT)
    assert found.average_precision() == pytest.approx(reference.average_precision_score(truth, scores), abs=EXACT)


@settings(max_examples=40)
@given(ranked())
def test_the_interval_of_the_area_is_delongs(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    truth, scores = drawn
    positives, negatives = scores[truth][:, None], scores[~truth][None]
    above = (positives > negatives) + 0.5 * (positives == negatives)
    variance = above.mean(axis=1).var(ddof=1) / above.shape[0] + above.mean(axis=0).var(ddof=1) / above.shape[1]
    half = 1.959963984540054 * math.sqrt(variance)
    low, high = Ranked.of(truth, scores).auc_interval()
    assert (low, high) == pytest.approx((max(above.mean() - half, 0), min(above.mean() + half, 1)), abs=1e-9)


def test_a_long_curve_is_thinned_and_keeps_its_ends_and_its_shape() -> None:
    random = np.random.default_rng(2)
    truth = random.random(20_000) < 0.2
    found = binary(truth, random.random(20_000) + 0.5 * truth, "yes", 0.7)
    assert found is not None
    for curve in (found.roc, found.precision_recall):
        assert len(curve.x) == len(curve.y) == len(curve.cuts) <= 200
    assert (found.roc.x[0], found.roc.y[0], found.roc.x[-1], found.roc.y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(found.roc.y, found.roc.x) == pytest.approx(found.auc, abs=0.003)
    assert found.auc_interval[0] < found.auc < found.auc_interval[1]
    assert found.average_precision_interval[0] < found.average_precision < found.average_precision_interval[1]


def test_the_figures_at_the_cut_equal_scikit_learn() -> None:
    random = np.random.default_rng(3)
    truth = random.random(300) < 0.3
    scores = random.random(300) + 0.4 * truth
    cut = best_cut(truth, scores)
    found = binary(truth, scores, "yes", cut)
    assert found is not None
    answers = scores >= cut
    expected = reference.precision_recall_fscore_support(truth, answers, average="binary")
    assert (found.cut.precision, found.cut.recall, found.cut.f1) == pytest.approx(expected[:3], abs=EXACT)
    cells = [found.cut.right_negative, found.cut.false_positive, found.cut.false_negative, found.cut.right_positive]
    assert cells == reference.confusion_matrix(truth, answers).ravel().tolist()
    assert found.cut.f1 == pytest.approx(max(reference.f1_score(truth, scores >= value) for value in scores))


def test_one_class_alone_has_no_curve() -> None:
    assert binary(np.ones(3, bool), np.array([0.1, 0.2, 0.3]), "yes") is None
    assert best_cut(np.zeros(3, bool), np.array([0.1, 0.2, 0.3])) == 0.5


def test_an_answer_other_than_the_most_probable_is_judged_as_given() -> None:
    truth, probabilities = np.array([0, 1, 1]), np.array([[0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    answers = np.array([1, 1, 1])
    assert evaluate(truth, probabilities, ["a", "b"]).accuracy == pytest.approx(2 / 3)
    given_ = evaluate(truth, probabilities, ["a", "b"], answers)
    assert given_.per_class[1].recall == 1
    assert confident_mistakes(truth, probabilities, answers=answers).tolist() == [0]


def test_tags_equal_scikit_learn() -> None:
    random = np.random.default_rng(4)
    truth = random.random((200, 3)) < [0.5, 0.2, 0.0]
    probabilities = np.clip(random.random((200, 3)) + 0.4 * truth, 0, 1)
    cuts = best_cuts(truth, probabilities)
    found = tags(truth, probabilities, ["a", "b", "never"], cuts, 1)
    answers = probabilities >= cuts
    for average, mean in (("micro", found.micro), ("macro", found.macro)):
        expected = reference.precision_recall_fscore_support(truth, answers, average=average, zero_division=0)
        assert (mean.precision, mean.recall, mean.f1) == pytest.approx(expected[:3], abs=EXACT)
    single = reference.precision_recall_fscore_support(truth, answers, zero_division=0)
    assert [tag.f1 for tag in found.per_tag] == pytest.approx(single[2], abs=EXACT)
    assert [tag.support for tag in found.per_tag] == single[3].tolist()
    assert found.per_tag[0].auc == pytest.approx(reference.roc_auc_score(truth[:, 0], probabilities[:, 0]), abs=EXACT)
    assert found.per_tag[2].auc is None
    assert found.subset_accuracy == pytest.approx(reference.accuracy_score(truth, answers), abs=EXACT)
    assert found.hamming_loss == pytest.approx(reference.hamming_loss(truth, answers), abs=EXACT)
    assert found.micro_interval[0] < found.micro.f1 < found.micro_interval[1]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_values_equal_scikit_learn(scale: float) -> None:
    random = np.random.default_rng(5)
    truth = scale * random.normal(100, 10, 400)
    predicted = truth + scale * random.normal(1, 4, 400)
    found = regression(truth, predicted, 1, "value")
    assert found.r2 == pytest.approx(reference.r2_score(truth, predicted), abs=EXACT)
    for ours, theirs in (
        (found.mean_absolute_error, reference.mean_absolute_error),
        (found.mean_squared_error, reference.mean_squared_error),
        (found.root_mean_squared_error, reference.root_mean_squared_error),
        (found.median_absolute_error, reference.median_absolute_error),
    ):
        assert ours == pytest.approx(theirs(truth, predicted), rel=EXACT)
    assert found.r2_interval[0] < found.r2 < found.r2_interval[1]
    assert sum(found.residuals.counts) == len(truth)
    worst = int(np.abs(predicted - truth).argmax())
    assert (found.worst[0].truth, found.worst[0].text) == (truth[worst], f"row {worst + 1}")


@pytest.mark.parametrize(("predicted", "r2"), [([3.0, 3.0, 3.0], 1.0), ([3.0, 3.0, 4.0], 0.0)])
def test_constant_truth_has_the_r2_that_scikit_learn_gives_it(predicted: list[float], r2: float) -> None:
    truth = np.full(3, 3.0)
    assert reference.r2_score(truth, predicted) == r2
    assert regression(truth, np.array(predicted), 1, "value").r2 == r2


def test_a_bootstrap_interval_holds_the_mean_as_often_as_it_says() -> None:
    random = np.random.default_rng(6)
    held = 0
    for trial in range(60):
        parts = np.stack([random.exponential(2, 150), np.ones(150)], axis=1)
        low, high = bootstrap(parts, lambda sums: sums[:, 0] / sums[:, 1], trial)
        held += low < 2 < high
    assert 50 <= held <= 60


def test_blocks_of_rows_give_the_interval_of_the_rows() -> None:
    values = np.random.default_rng(7).normal(5, 3, 40_000)
    low, high = bootstrap(np.stack([values, np.ones(len(values))], axis=1), lambda s: s[:, 0] / s[:, 1], 1)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / math.sqrt(len(values)), rel=0.1)


@pytest.mark.parametrize("count", [2, 5, 10, 13, 30])
def test_the_interval_of_folds_is_students(count: int) -> None:
    values = np.random.default_rng(8).normal(0.9, 0.02, count)
    half = student.ppf(0.975, count - 1) * values.std(ddof=1) / math.sqrt(count)
    assert mean_interval(values) == pytest.approx((values.mean() - half, values.mean() + half), rel=1e-4)
    assert mean_interval(values[:1]) is None


def test_abnormal_rows_are_ranked_and_counted() -> None:
    scores = np.array([0.1, 0.9, 0.8, 0.3, 0.7] * 4) + np.arange(20) / 1000
    labels = np.array([False, True, False, False, True] * 4)
    found = abnormal(scores, labels, 0.75, 0.3)
    known = found.known
    assert known is not None
    assert found.observed == 0.4
    assert (known.precision, known.recall) == (0.5, 0.5)
    assert [(at.k, at.precision) for at in known.at] == [(8, 0.5), (10, 0.6), (20, 0.4)]
    assert known.precision_at_count == precision_at(labels, scores, 8) == 0.5
    assert known.average_precision == pytest.approx(reference.average_precision_score(labels, scores), abs=EXACT)
    assert (found.most[0].text, found.most[0].label) == ("row 17", "abnormal")
    assert sum(found.histogram.counts) == 12
    assert sum(known.histogram.counts) == 8


def test_without_labels_or_with_one_kind_alone_nothing_is_known() -> None:
    scores = np.arange(10.0)
    assert abnormal(scores, None, 8, 0.1).known is None
    found = abnormal(scores, np.ones(10, bool), 8, 0.1)
    assert found.known is None
    assert sum(found.histogram.counts) == 10


def test_silhouettes_and_agreement_equal_scikit_learn() -> None:
    random = np.random.default_rng(9)
    labels = random.integers(0, 4, 150)
    vectors = random.normal(0, 3, (4, 5))[labels] + random.normal(0, 1, (150, 5)) + 100
    members = np.where(random.random(150) < 0.2, random.integers(0, 4, 150), labels)
    members[0] = 9
    np.testing.assert_allclose(silhouettes(vectors, members), reference.silhouette_samples(vectors, members), atol=1e-9)
    assert adjusted_rand(labels, members) == pytest.approx(reference.adjusted_rand_score(labels, members), abs=EXACT)
    assert adjusted_rand(labels, labels) == 1


def test_groups_are_described_the_largest_first() -> None:
    members = np.array([1] * 3 + [0] * 5 + [-1] * 2)
    vectors = np.array([[10.0, 0]] * 3 + [[0.0, 1], [0, 2], [0, 3], [0, 4], [0, 5]] + [[50.0, 50]] * 2)
    found = groups(vectors, members, "k-means, 2 groups", 1, columns=["x", "y"], values=vectors)
    assert [(group.name, group.size, group.share) for group in found.groups] == [
        ("group 1", 5, 0.5),
        ("group 2", 3, 0.3),
    ]
    assert found.groups[0].examples[0].text == "row 6"
    assert found.groups[0].spread == pytest.approx(math.sqrt(2))
    assert found.outside == 2
    assert found.silhouette == pytest.approx(reference.silhouette_score(vectors[:8], members[:8]), abs=1e-9)
    assert found.picture is not None
    assert found.picture.members == [1, 1, 1, 0, 0, 0, 0, 0, 2, 2]
    assert found.picture.names == ["group 1", "group 2", "no group"]
    alone = groups(vectors[:3], members[:3], "k-means, 1 group", 1)
    assert alone.silhouette is None


def test_a_picture_shows_the_first_principal_components() -> None:
    vectors = np.random.default_rng(10).normal(0, [5, 3, 1, 0.1], (3000, 4))
    found = picture(vectors, np.zeros(3000, int), ["all"], 1)
    assert len(found.points) == 2000
    spread = np.array(found.points).var(axis=0)
    assert spread == pytest.approx(PCA(2).fit(vectors).explained_variance_, rel=0.1)
    assert found == picture(vectors, np.zeros(3000, int), ["all"], 1)
    assert picture(vectors[:, :1], np.zeros(3000, int), ["all"], 1).points[0][1] == 0


def test_an_embedding_is_sampled_evenly_and_seen_from_one_side() -> None:
    members = np.array([0] * 5000 + [1] * 50)
    final = np.random.default_rng(11).normal(0, 1, (5050, 6))
    found = embedding({epoch: final * epoch / 100 for epoch in range(101)}, members, ["often", "rare"], 1)
    assert np.bincount(found.members).tolist() == [350, 50]
    assert len(found.frames) == 30
    assert (found.frames[0].epoch, found.frames[-1].epoch) == (0, 100)
    points = np.array([frame.points for frame in found.frames])
    centre = points[0]
    half = next(place for place, frame in enumerate(found.frames) if frame.epoch >= 50)
    expected = centre + (points[-1] - centre) * found.frames[half].epoch / 100
    np.testing.assert_allclose(points[half], expected, atol=2e-3)
    assert np.bincount(members[balanced_sample(members, 20, 1)]).tolist() == [10, 10]


def test_text_is_judged_by_its_characters() -> None:
    lengths = np.array([10, 30])
    found = text_scores(np.array([10.0, 60.0]), lengths, 1, np.array([5, 15]))
    assert (found.characters, found.nats, found.accuracy) == (40, 1.75, 0.5)
    assert found.bits == pytest.approx(1.75 / math.log(2))
    assert found.perplexity == pytest.approx(math.exp(1.75))
    assert found.bits_interval[0] <= found.bits <= found.bits_interval[1]


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 3)])
def test_a_png_holds_the_pixels(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(12).integers(0, 256, shape).astype(np.uint8)
    content = png(pixels)
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, place = {}, 8
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        name, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        assert struct.unpack(">I", content[place + 8 + length : place + 12 + length]) == (zlib.crc32(name + data),)
        chunks[name] = data
        place += 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBB", chunks[b"IHDR"][:10]) == (5, 3, 8, 0 if len(shape) == 2 else 2)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(3, -1)
    assert not lines[:, 0].any()
    np.testing.assert_array_equal(lines[:, 1:].reshape(shape), pixels)


def test_only_pixels_become_images() -> None:
    with pytest.raises(DataError) as raised:
        png(np.zeros((2, 2)))
    assert str(raised.value) == (
        "image: expected pixels as uint8[H, W] or uint8[H, W, 3], found float64 of shape (2, 2); "
        "scale them to 0..255 and lay them out by rows"
    )


def test_image_mistakes_are_the_most_confident() -> None:
    truth, probabilities = np.array([0, 0, 1]), np.array([[0.4, 0.6], [0.1, 0.9], [0.2, 0.8]])
    found = image_mistakes(np.zeros((3, 4, 6), np.uint8), truth, probabilities, ["cat", "dog"])
    assert [(one.text, one.truth, one.prediction, one.probability) for one in found] == [
        ("row 2", "cat", "dog", 0.9),
        ("row 1", "cat", "dog", 0.6),
    ]
    assert (found[0].width, found[0].height) == (6, 4)


@pytest.mark.parametrize(
    ("truth", "answers", "message"),
    [
        ([], [], "evaluation: expected at least one row, found none; give more data or a larger test share"),
        (
            [1.0],
            [[1.0]],
            "evaluation: expected values of shape (1,), as the truth has, found an array of shape (1, 1); "
            "pass one for each",
        ),
        (
            [1.0, 2.0],
            [1.0, math.nan],
            "evaluation: expected values, found values that are not numbers in 1 of 2 rows; "
            "training ran away: lower the learning rate",
        ),
    ],
)
def test_values_that_cannot_be_judged_are_refused(truth: list[float], answers: list[float], message: str) -> None:
    with pytest.raises(DataError) as raised:
        regression(np.array(truth), np.array(answers), 1, "value")
    assert str(raised.value) == message
