"""The expected ways in which a verb says no; everything else is a fault and propagates."""

from typing import Any


class Refused(Exception):
    """The input cannot be used: `field` caused it, `code` says why in a stable word, `params` fill the sentence."""

    def __init__(self, field: str, code: str, **params: Any) -> None:
        super().__init__(f"{field}: {code}")
        self.field, self.code, self.params = field, code, params


class Conflict(Exception):
    """The request came too late, or somebody else was faster: nothing was changed."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


class NotFound(Exception):
    """There is no such thing in this account; whether another account has it is not told."""


class Impossible(Exception):
    """One line that says why a database is not copied, backed up or restored, and what to do."""
