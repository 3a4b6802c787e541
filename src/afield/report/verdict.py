"""One sentence that says whether the model was worth training."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from afield.report.model import Comparison, Contender, Groups, Interval, Report, Tuning, higher_is_better

TRIVIAL = frozenset({"majority", "mean", "chance", "character frequencies"})
"""Names of the baselines that look at no feature: the most frequent class, the mean value, any order, any text."""

APART = ((0.7, "far apart"), (0.5, "apart"), (0.25, "weakly apart"))
"""What a silhouette of at least so much says.

Source: L. Kaufman, P. J. Rousseeuw, Finding Groups in Data, Wiley (1990), table 4 of chapter 2.
"""


def verdict(report: Report) -> str:
    """Compares the model with the best baseline, or says what is known where there is nothing to compare.

    Args:
        report: all but its verdict.
    """
    said = [_alarms(report), _comparison(report), _best_possible(report)]
    if report.groups is not None:
        said.insert(0, _apart(report.groups))
    sentence = "; ".join(part for part in said if part)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def comparison_verdict(metric: str, contenders: Sequence[Contender]) -> str:
    """Names the best of several models, and those that chance alone may have put behind it.

    Args:
        metric: by which they are compared.
        contenders: the best first.
    """
    if not contenders:
        return "No model gave a score."
    best, *others = contenders
    near = [other.name for other in others if not apart(best, other)]
    sentence = f"{best.name} is best ({metric} {_figures(best.score, best.interval)})"
    if not others:
        return f"{best.name} stands alone ({metric} {_figures(best.score, best.interval)})."
    return f"{sentence}; within its noise: {', '.join(near)}." if near else f"{sentence}, and no other is near it."


def ordered(contenders: Sequence[Contender], metric: str) -> list[Contender]:
    """The contenders, the best first."""
    return sorted(contenders, key=lambda one: one.score, reverse=higher_is_better(metric))


def with_verdict(comparison: Comparison) -> Comparison:
    """The comparison with its contenders in order and its verdict said."""
    contenders = ordered(comparison.contenders, comparison.metric)
    said = comparison_verdict(comparison.metric, contenders)
    return comparison.model_copy(update={"contenders": contenders, "verdict": said})


def apart(first: Contender, second: Contender) -> bool:
    """Whether two models differ by more than chance explains, at 95 %; without intervals, whether they differ."""
    if first.interval is None or second.interval is None:
        return first.score != second.score
    return differ(first.score, first.interval, second.score, second.interval)


def differ(first: float, of_first: Interval, second: float, of_second: Interval) -> bool:
    """Whether two figures differ by more than chance explains, at 95 %.

    The two are taken as independent; on the same rows they rarely are, which makes the answer a cautious one.

    Source: R. G. Newcombe, Interval estimation for the difference between independent proportions: comparison of eleven
    methods, Statistics in Medicine 17 (1998), method 10.
    """
    if first < second:
        return differ(second, of_second, first, of_first)
    return first - second > hypot(first - of_first[0], of_second[1] - second)


def _comparison(report: Report) -> str:
    model = report.contender()
    if model is None:
        return "no labels say whether they are right" if report.kind == "abnormal" else ""
    best = report.best_baseline()
    if best is None:
        if report.kind == "group":
            return ""
        bounds = f" ({_range(model.interval)})" if model.interval else ""
        return f"the {model.name} reaches {_named(report)}{model.score:.4f}{bounds}; no baseline was run beside it"
    figures = f"{_named(report)}{model.score:.4f} against {best.score:.4f}"
    clear = apart(model, best)
    written = report.language
    tested = f"{written.test.characters:,} test characters" if written else f"{report.parts.test.rows:,} test rows"
    noise = f"within the noise of {tested}"
    if model.score != best.score and (model.score > best.score) == report.higher_is_better:
        relation = "above" if report.higher_is_better else "better than"
        above = f"the {model.name} is {relation} the {best.name} baseline ({figures})"
        return above if clear else f"{above}, but the difference is {noise}"
    if clear and model.score != best.score:
        relation = "clearly below" if report.higher_is_better else "clearly worse than"
        said = f"the {model.name} is {relation} the {best.name} baseline ({figures})"
    elif model.score == best.score:
        said = f"the {model.name} does not beat the {best.name} baseline (both {model.score:.4f})"
    else:
        said = f"the {model.name} does not beat the {best.name} baseline ({figures}, {noise})"
    if best.name in TRIVIAL:
        return f"{said}: it has learned nothing, so ask whether the data can answer the question"
    advice = "" if _reached(report) else ", or ask whether the data holds more"
    return f"{said}: use the {best.name} model{advice}"


def _best_possible(report: Report) -> str:
    if report.best_possible is None:
        return ""
    sentence = f"the best possible on this data is {report.best_possible:.4f}"
    return f"{sentence}, within the {report.subject}'s interval" if _reached(report) else sentence


def _reached(report: Report) -> bool:
    if report.best_possible is None or report.interval is None:
        return False
    low, high = report.interval
    return report.best_possible <= high if report.higher_is_better else report.best_possible >= low


def _alarms(report: Report) -> str:
    if report.abnormal is None:
        return ""
    low, high = report.abnormal.observed_interval
    observed = f"{report.abnormal.observed:.2%} of the test rows are alarms ({low:.2%} to {high:.2%})"
    met = low <= report.abnormal.share <= high
    asked = f"{report.abnormal.share:.2%} asked for"
    return (
        f"{observed}, {asked}"
        if met
        else f"{observed}, not the {asked}: the test part differs from the validation part"
    )


def _apart(groups: Groups) -> str:
    if groups.silhouette is None:
        return "one group only: the rows do not fall apart"
    strength = next((word for least, word in APART if groups.silhouette >= least), "hardly apart")
    figures = _figures(groups.silhouette, groups.silhouette_interval)
    return f"{len(groups.groups):,} groups that lie {strength} (silhouette {figures})"


def _named(report: Report) -> str:
    return "" if report.metric == "accuracy" else f"{report.metric} "


def _figures(value: float, interval: Interval | None) -> str:
    return f"{value:.4f}" if interval is None else f"{value:.4f}, {_range(interval)}"


def _range(interval: Interval) -> str:
    return f"{interval[0]:.4f} to {interval[1]:.4f}"


def tuning_verdict(tuning: Tuning) -> str:
    """Says what the best trial is worth on rows the search never saw, and which value mattered most.

    Args:
        tuning: all but its verdict.
    """
    best, test = tuning.best_trial, tuning.test
    reached = f"{tuning.metric} {_figures(test.score, test.interval)} on {tuning.rows:,} test rows"
    said = f"The best of {len(tuning.trials):,} trials reaches {reached} that the search never saw"
    if best.score is not None:
        said += f", and {best.score:.4f} on the validation part that chose it"
    first = tuning.searched[0]
    mattered = f"; `{first.name}` mattered most ({first.importance:.0%})" if first.importance else ""
    return f"{said}{mattered if len(tuning.searched) > 1 else ''}."
