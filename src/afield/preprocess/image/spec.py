"""The image step as it is declared in a use case; everything heavy is imported when the step is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.preprocess.image.step import ImageStep

Side = Annotated[int, Field(ge=1, le=4096)]


class Image(Component):
    """Images to float32[N, H, W, C], pixels divided by `scale`.

    An image is an encoded PNG or JPEG file (binary), a list of pixels from 0 to 255 row by row, or a column a pixel.
    """

    summary: ClassVar[str] = "Images to arrays of numbers from 0 to 1, all of one size."

    column: str = Field(
        "image",
        min_length=1,
        description="Column that holds the images: encoded files (binary) or lists of pixels.",
        examples=["photo"],
    )
    columns: str | None = Field(
        None,
        min_length=1,
        description="For tables with a column a pixel, in the place of `column`: a glob pattern of their names, in the "
        "order of the table.",
        examples=["pixel*"],
    )
    output: str = Field("image", min_length=1, description="Name of the feature.", examples=["face"])
    size: tuple[Side, Side] | None = Field(
        None,
        description="Height and width that every image is brought to; that of the first training image where it is "
        "left out.",
        examples=[[28, 28]],
    )
    channels: Literal[1, 3] | None = Field(
        None,
        description="1 for grey, 3 for colour; what the first training image has where it is left out.",
        examples=[1],
    )
    scale: float = Field(255, gt=0, description="What pixels are divided by.", examples=[1])
    invert: bool = Field(
        False, description="Whether dark becomes bright: 1 less the value, as for ink on white paper.", examples=[True]
    )

    def lint(self) -> Sequence[Problem]:
        """Values that do not go together."""
        if self.columns is not None and "column" in self.model_fields_set:
            return [Problem(("column",), "stands beside columns, and only one of the two is read; remove one")]
        return []

    def open(self) -> ImageStep:
        """The step, ready to fit or to apply."""
        from afield.preprocess.image.step import ImageStep

        return ImageStep(self)
