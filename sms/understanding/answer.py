"""What an answer was understood as."""

from dataclasses import dataclass
from typing import Any, Literal

Outcome = Literal["value", "unclear", "opt_out"]


@dataclass(frozen=True)
class Understood:
    """An answer as understood: `value` is None unless `outcome` is "value"; `why` is a stable code."""

    outcome: Outcome
    value: Any
    why: str


def taken(value: Any, why: str) -> Understood:
    """Return a value that a reader would call clear."""
    return Understood("value", value, why)


def unclear(why: str) -> Understood:
    """Return that one has to ask again."""
    return Understood("unclear", None, why)
