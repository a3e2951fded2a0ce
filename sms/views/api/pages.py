"""Keyset pages: a cursor holds the sort key of the last item, so that new items move no page."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypedDict, TypeVar

from sms.refusal import Refused

Row = TypeVar("Row")
_LARGEST = 2**63 - 1


class Page(TypedDict):
    items: list[Any]
    next_cursor: str | None


def encode(kind: str, *key: int) -> str:
    """Return a sort key as an opaque word; `kind` keeps a cursor from being used on another list."""
    return base64.urlsafe_b64encode(json.dumps([kind, *key]).encode()).decode().rstrip("=")


def decode(cursor: str | None, kind: str, length: int) -> tuple[int, ...] | None:
    """Return the sort key of a cursor, None for the first page; raises Refused for one we did not make."""
    if not cursor:
        return None
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise Refused("cursor", "bad_cursor") from None
    if not isinstance(found, list) or len(found) != length + 1 or found[0] != kind:
        raise Refused("cursor", "bad_cursor")
    key = found[1:]
    if not all(type(part) is int and 0 <= part <= _LARGEST for part in key):
        raise Refused("cursor", "bad_cursor")
    return tuple(key)


def page(
    rows: Sequence[Row],
    limit: int,
    kind: str,
    key: Callable[[Row], tuple[int, ...]],
    build: Callable[[Sequence[Row]], list[Any]],
) -> Page:
    """Make a page of up to limit + 1 rows: the one too many tells that there is another page."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(items=build(shown), next_cursor=encode(kind, *key(shown[-1])) if more else None)
