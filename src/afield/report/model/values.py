"""What predicted values are worth."""

from __future__ import annotations

from afield.report.model.base import Count, Figures, Histogram, Interval, Shown


class Missed(Shown):
    """A test row whose value was predicted badly."""

    truth: float
    predicted: float


class Regression(Figures):
    """What the predicted values are worth on the test part.

    Args:
        target: what is predicted.
        unit: in which unit; empty where that is not known.
        rows: test rows.
        r2: share of the variance that is explained; below 0 where the mean would do better.
        r2_interval, mean_absolute_error_interval: 95 % bootstrap intervals, over rows.
        mean_error: mean of predicted minus true value: above 0, answers are too high.
        points: (truth, predicted) of a sample of the test rows.
        residuals: of predicted minus true value, all test rows.
        worst: the largest absolute error first.
    """

    target: str
    unit: str = ""
    rows: Count
    mean_absolute_error: float
    mean_absolute_error_interval: Interval
    mean_squared_error: float
    root_mean_squared_error: float
    median_absolute_error: float
    mean_error: float
    r2: float
    r2_interval: Interval
    points: list[tuple[float, float]]
    residuals: Histogram
    worst: list[Missed]

    def figures(self) -> dict[str, float]:
        """R2 and the errors."""
        return {
            "R2": self.r2,
            "mean absolute error": self.mean_absolute_error,
            "mean squared error": self.mean_squared_error,
            "root mean squared error": self.root_mean_squared_error,
            "median absolute error": self.median_absolute_error,
        }

    def intervals(self) -> dict[str, Interval]:
        """Those of R2 and the mean absolute error."""
        return {"R2": self.r2_interval, "mean absolute error": self.mean_absolute_error_interval}
