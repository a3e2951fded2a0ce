"""What the callbacks of all carriers over HTTP have in common: how their words are taken."""

import re

from sms.carriers.contract import WebhookError

REFERENCE = re.compile(r"[\x21-\x7e]{1,64}")


def reference(value: object, name: str) -> str:
    """Return a carrier's id as it is; raises WebhookError where it is none."""
    if not is_reference(value):
        raise WebhookError(f"{name} is missing")
    return str(value)


def is_reference(value: object) -> bool:
    """Tell whether a carrier's or our own id has the form of one."""
    return isinstance(value, str) and REFERENCE.fullmatch(value) is not None


def party(value: str, international: str) -> str:
    """Return a number as E.164 where `international` fits, else what stands in its place: a short code, a name, nothing."""
    found = clean(value).strip()
    digits = re.sub(r"[ ()-]", "", found)
    return "+" + digits.removeprefix("+") if re.fullmatch(international, digits) else found[:64]


def clean(text: str) -> str:
    """Return text that every database takes: without NUL and unpaired surrogates."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
