"""A value that must not stand in a use case: named there, kept in the environment or in a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from afield.errors import UseCaseError
from afield.usecase.base import Declared, Problem


class Secret(Declared):
    """Where a secret is kept. It is read when it is needed, and never written or shown."""

    env: str | None = Field(
        None, description="Name of the environment variable that holds it.", examples=["DB_PASSWORD"]
    )
    file: str | None = Field(
        None, description="Absolute path of the file that holds it, and nothing else.", examples=["/run/secrets/db"]
    )

    def lint(self) -> Sequence[Problem]:
        """One place, and one that means the same wherever the use case runs."""
        if (self.env is None) == (self.file is None):
            return [Problem((), "expected one place: `{env: NAME}` or `{file: PATH}`")]
        if self.file is not None and not Path(self.file).is_absolute():
            return [Problem(("file",), f"expected an absolute path, found '{self.file}'")]
        if self.env == "":
            return [Problem(("env",), "expected a name, found an empty one")]
        return []

    def read(self, where: str) -> str:
        """The secret, without the end of its line.

        Args:
            where: the place in the use case that names it, such as `preprocess.mask.key`.

        Raises:
            UseCaseError: it is not there, or is empty.
        """
        if self.env is not None:
            value, place = os.environ.get(self.env, ""), f"the environment variable {self.env}"
        else:
            place = str(self.file)
            try:
                value = Path(place).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                raise UseCaseError(f"{where}: {place} cannot be read: {getattr(error, 'strerror', error)}") from None
        if not value:
            raise UseCaseError(f"{where}: {place} holds nothing; set it before this use case reads records")
        return value
