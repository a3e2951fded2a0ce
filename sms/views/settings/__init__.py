"""Setup: one file a page. Agents see their own profile, owners their account, the operator the carriers too."""

from sms.views.settings import (
    account,
    carriers,
    keys,
    labels,
    profile,
    senders,
    suppressions,
    team,
    templates,
)
from sms.views.settings.frame import blueprint

__all__ = [
    "account",
    "blueprint",
    "carriers",
    "keys",
    "labels",
    "profile",
    "senders",
    "suppressions",
    "team",
    "templates",
]
