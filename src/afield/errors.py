"""The one tree of errors that Afield raises.

::

    AfieldError                 exit code 1
    ├── TerminalError           trying again changes nothing
    │   ├── UseCaseError        the use case or an argument is wrong: exit code 2
    │   ├── DataError           the data cannot be read or cannot answer the question
    │   ├── BundleError         a bundle is damaged, too new, or answers differently
    │   └── StateError          a folder, database or version is not as it must be
    └── TransientError          trying again may help; retried with back-off

A message says where, what was expected, what was found, and what to do.
"""

from __future__ import annotations


class AfieldError(Exception):
    """Root of every error that Afield raises on purpose."""

    exit_code = 1


class TerminalError(AfieldError):
    """Trying again changes nothing."""


class UseCaseError(TerminalError):
    """The use case or an argument is wrong."""

    exit_code = 2


class DataError(TerminalError):
    """The data cannot be read, or cannot answer the question."""


class BundleError(TerminalError):
    """A bundle is damaged, too new, or its examples are answered differently."""


class StateError(TerminalError):
    """A folder, a database or a version is not as it must be."""


class TransientError(AfieldError):
    """Trying again may help: a full disk, a busy file, a connection that broke."""
