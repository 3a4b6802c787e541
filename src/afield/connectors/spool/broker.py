"""What a use case says of a broker: fields that the sources and sinks of MQTT and AMQP share."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from pydantic import Field

from afield.errors import UseCaseError
from afield.usecase.base import Declared, Problem
from afield.usecase.secret import Secret


class Broker(Declared):
    """Where the broker is, and how it knows who asks."""

    url: str = Field(
        description="Where the broker is; TLS by the scheme, `mqtts` or `amqps`. Of AMQP the path is the virtual host.",
        examples=["mqtt://localhost", "mqtts://broker.example:8883", "amqp://localhost:5672/plant"],
    )
    username: str | None = Field(default=None, min_length=1, description="Who asks.", examples=["afield"])
    password: Secret | None = Field(
        default=None, description="Where its password is kept.", examples=[{"env": "BROKER_PASSWORD"}]
    )
    ca: str | None = Field(
        default=None,
        description="File of the certificates (PEM) that the broker's is checked against; those of the system where it "
        "is left out. Relative to the use case.",
        examples=["ca.pem"],
    )
    certificate: str | None = Field(
        default=None,
        description="File of the own certificate (PEM), where the broker asks for one.",
        examples=["me.pem"],
    )
    key: str | None = Field(
        default=None,
        description="File of its private key (PEM), where it is not in the same file.",
        examples=["/run/secrets/me.key"],
    )

    ports: ClassVar[Mapping[str, int]]
    """Scheme -> usual port; the one with TLS ends with "s"."""

    def broker_problems(self) -> Iterator[Problem]:
        """Problems of these fields that types alone cannot say."""
        try:
            parts = urlsplit(self.url)
            host, _, user, secret = parts.hostname, parts.port, parts.username, parts.password
        except ValueError as error:
            yield Problem(("url",), f"expected {self._form}, found {self.url!r}: {error}")
            return
        if user is not None or secret is not None:
            yield Problem(("url",), "expected no user and no password in the URL; use `username` and `password`")
        elif parts.scheme not in self.ports or not host or parts.query or parts.fragment:
            yield Problem(("url",), f"expected {self._form}, found {self.url!r}")
        if (self.username is None) != (self.password is None):
            given, missing = ("password", "username") if self.username is None else ("username", "password")
            yield Problem((given,), f"expected `{missing}` too; add it, or remove `{given}`")
        for name in ("ca", "certificate", "key"):
            if getattr(self, name) is not None and not self.tls:
                yield Problem((name,), f"{name} is of TLS, and the scheme is {parts.scheme}; write {parts.scheme}s://")
        if self.key is not None and self.certificate is None:
            yield Problem(("key",), "expected `certificate` too; add it, or remove `key`")

    @property
    def _form(self) -> str:
        return " or ".join(f"{scheme}://HOST[:PORT]" for scheme in self.ports)

    @property
    def host(self) -> str:
        """Name or address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """As declared, or the usual one."""
        parts = urlsplit(self.url)
        return parts.port or self.ports[parts.scheme]

    @property
    def path(self) -> str:
        """What follows the host, without the first slash."""
        return unquote(urlsplit(self.url).path[1:])

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme.endswith("s")

    def login(self, where: str) -> tuple[str, str] | None:
        """User and password, or None.

        Args:
            where: the component's place in the use case.

        Raises:
            UseCaseError: the password is not where it is said to be.
        """
        if self.username is None or self.password is None:
            return None
        return self.username, self.password.read(f"{where}.password")

    def context(self, where: str, base: Path) -> ssl.SSLContext | None:
        """How the broker's certificate is checked, and ours is shown; None without TLS.

        Args:
            where: the component's place in the use case.
            base: the folder of the use case.

        Raises:
            UseCaseError: a file cannot be read, or is no certificate or key.
        """
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=None if self.ca is None else str(base / self.ca))
        except OSError as error:
            raise UseCaseError(f"{where}.ca: {base / str(self.ca)}: {reason(error)}; expected PEM") from None
        if self.certificate is not None:
            key = None if self.key is None else str(base / self.key)
            load_certificate(context, str(base / self.certificate), key, where)
        return context


def load_certificate(context: ssl.SSLContext, certificate: str, key: str | None, where: str) -> None:
    """Gives a context its own certificate.

    Raises:
        UseCaseError: a file cannot be read, is no certificate or key, or the two do not belong together.
    """
    try:
        # A key with a password would be asked for on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except OSError as error:
        files = certificate if key is None else f"{certificate} and {key}"
        raise UseCaseError(
            f"{where}.certificate: {files}: {reason(error)}; expected a certificate and its private key, both PEM, "
            "without a password"
        ) from None


def reason(error: OSError) -> str:
    """What went wrong, without numbers."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return error.strerror or str(error)
