"""Telephone numbers: every typed form to E.164, the kind of number, and the channel that reaches it.

Sources: ITU-T E.164 (at most 15 digits), RFC 3966 (tel:), libphonenumber's metadata for validity and types.

How digits are read:
1. `+` or `00`: international, whatever the region.
2. One leading 0 (or the region's own prefix): national. So "04931 1234" is Norden, "0491 71392005" Leer.
3. Neither: the first of these readings that is a valid number.
   a. `+`, where the digits begin with the region's own country code: "491713920054" is a mobile and not the
      landline in Leer that a national reading makes of it.
   b. A mobile of the region that lost its 0 in a spreadsheet: "1713920042", and also "15202345678", although
      +1 520 is in Arizona: the sender at home is likelier, and the other way costs money and tells a stranger.
   c. `+` with any other country code: "436641234567" is an Austrian mobile.
   d. A landline that lost its 0, of at least 9 digits: "3023125417" is in Berlin. What is shorter may be a
      number without its area code ("23125417" is one in Berlin, or a short one in Dortmund; "4931 1234") and
      is refused as no_area_code: better asked twice than a stranger called.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import phonenumbers
from phonenumbers import (
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    shortnumberinfo,
)

Channel = Literal["sms", "voice"]
Kind = Literal[
    "mobile",
    "landline",
    "landline_or_mobile",
    "voip",
    "toll_free",
    "premium",
    "shared_cost",
    "short_code",
    "emergency",
    "other",
    "invalid",
]

ERRORS = (
    "empty",
    "not_a_number",
    "letters",
    "extension",
    "too_short",
    "too_long",
    "no_area_code",
    "invalid",
    "emergency",
    "short_code",
    "foreign_landline",
    "voip",
    "toll_free",
    "premium",
    "shared_cost",
    "other",
)
"""Every reason for refusing a number. "voip" is a foreign one; "other" a pager, a personal or satellite number."""

LONGEST_RAW = 200
"""Characters of a typed number that are looked at; longer input is too_long unread."""

_LONGEST_DIGITS = 20  # 15 of E.164, the international prefix, a trunk zero
_LONGEST_SHORT = 6  # 116117, the longest German short number
_SHORTEST_WITH_AREA_CODE = 9  # one more than the longest German numbers within an area
_VOICE_REGIONS = frozenset({"DE"})
_EMERGENCY_ANYWHERE = frozenset({"110", "112", "911", "999"})

_KINDS: dict[int, Kind] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "landline_or_mobile",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
}
_SMS_KINDS = frozenset({"mobile", "landline_or_mobile"})
_VOICE_KINDS = frozenset({"landline", "voip"})

_REASONS = {
    ValidationResult.TOO_SHORT: "too_short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too_short",
    ValidationResult.TOO_LONG: "too_long",
}

_PLUSES = str.maketrans(dict.fromkeys("＋﹢⁺➕﬩", "+"))
_label = re.compile(r"(?:tel(?:efon)?|phone|fon|mobile?|mobil|handy|sms|callto)\s*[.:]+\s*", re.IGNORECASE)
_extension = re.compile(
    r";\s*(?:ext|isub)=|\d\s*(?:[,;#]+|\(?\s*(?:extension|extn|ext|x|durchwahl|dw|apparat|app|nebenstelle|nst))"
    r"[\s.:=]*\d{1,5}\)?$",
    re.IGNORECASE,
)
_trunk_zero = re.compile(r"[(\[{]\s*0\s*[)\]}]")
_separators = re.compile(r"[\s./\\()\[\]{}·•_~|:'\"`´’⁄∕−]")
_dialled = re.compile(r"\+?(\d+)")


# A German mobile written without separators, as programs do. libphonenumber would say the same, in a fiftieth of its
# time: its own pattern, and none of its other kinds of German numbers looks like it.
_mobiles: Any = PhoneMetadata.metadata_for_region("DE").mobile  # type: ignore[union-attr]
_mobile_lengths = frozenset(_mobiles.possible_length)
_plain_mobile = re.compile(rf"(?:(\+49|0049)|0|49)({_mobiles.national_number_pattern})", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Number:
    """A number as typed and as understood.

    `e164` is None where it is no subscriber's number; `region` is ISO 3166 ("001" for numbers of no country);
    `channel` is None exactly where `error` holds one of `ERRORS`; `home` is the region it was typed in.
    """

    raw: str
    e164: str | None
    kind: Kind
    region: str | None
    channel: Channel | None
    error: str | None
    home: str = "DE"

    @property
    def number(self) -> str | None:
        """The number as shown and returned, "00491713920042"; None where there is none."""
        return shown(self.e164) if self.e164 else None

    @property
    def display(self) -> str:
        """The number as a person of the home region writes it (see `display`), else what was typed."""
        if self.e164:
            return display(self.e164, self.home)
        return self.raw[:LONGEST_RAW].encode("utf-8", "replace").decode()


def parse(raw: str, region: str = "DE") -> Number:
    """Read a number typed in any form by someone in `region` (ISO 3166); never raises."""
    if len(raw) > LONGEST_RAW:
        return Number(raw, None, "invalid", None, None, "too_long", region)
    home = region.upper()
    plain = _plain_mobile(raw)
    if plain and len(plain[2]) in _mobile_lengths and (plain[1] or home == "DE"):
        return Number(raw, f"+49{plain[2]}", "mobile", "DE", "sms", None, home)
    return _parse(raw, home)


def shown(e164: str) -> str:
    """Return a stored number as it is shown and returned: "+491713920042" -> "00491713920042"."""
    return f"00{e164[1:]}"


@lru_cache(maxsize=8192)
def display(e164: str, home: str = "DE") -> str:
    """Return a stored number as people write it: "0171 39200 42" at home, "+43 664 1234567" from abroad."""
    found = phonenumbers.parse(e164)
    if found.country_code != phonenumbers.country_code_for_region(home):
        return phonenumbers.format_number(found, PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(found, PhoneNumberFormat.NATIONAL)
    return _grouped(national) if home == "DE" else national


def _grouped(national: str) -> str:
    """Split a long subscriber number after five digits: "030 23125417" -> "030 23125 417"."""
    area, blank, subscriber = national.rpartition(" ")
    return f"{area}{blank}{subscriber[:5]} {subscriber[5:]}" if len(subscriber) >= 7 else national


@lru_cache(maxsize=8192)
def _parse(raw: str, home: str) -> Number:
    digits, error = _clean(raw)
    if error:
        return Number(raw, None, "invalid", None, None, error, home)
    if kind := _kind_of_short(digits, home):
        return Number(raw, None, kind, None, None, kind, home)
    found = next((n for n in _readings(digits, home) if phonenumbers.is_valid_number(n)), None)
    if found is None:
        return Number(raw, None, "invalid", None, None, _why_invalid(digits, home), home)
    if _is_emergency_in_area(found):
        return Number(raw, None, "emergency", None, None, "emergency", home)
    return _classified(raw, found, home)


def _clean(raw: str) -> tuple[str, str | None]:
    """Return what would be dialled, `+` and ASCII digits; or "" and the code of what else was typed."""
    text = _label.sub("", _ascii(raw).strip(), count=1)
    if not text:
        return "", "empty"
    text = text.rstrip(" ,;")
    if _extension.search(text):
        return "", "extension"
    text = _separators.sub("", _trunk_zero.sub("0", text))
    match = _dialled.fullmatch(text)
    if not match:
        return "", "letters" if any(c.isalpha() for c in text) else "not_a_number"
    if len(match[1]) > _LONGEST_DIGITS:
        return "", "too_long"
    return text.replace("+00", "+"), None


def _ascii(raw: str) -> str:
    """Write the digits and signs of every script in ASCII; drop dashes and what cannot be seen."""
    if raw.isascii():
        return raw.replace("-", "")
    return "".join(_ascii_character(c) for c in raw.translate(_PLUSES))


def _ascii_character(c: str) -> str:
    category = unicodedata.category(c)
    if category == "Nd":
        return str(unicodedata.decimal(c))
    if category in ("Cf", "Pd"):
        return ""
    return unicodedata.normalize("NFKC", c) if "\uff00" <= c <= "\uffef" else c


def _after_prefix(digits: str) -> str | None:
    """Return country code and number where the digits begin with `+` or `00`, else None."""
    if digits.startswith("+"):
        return digits[1:]
    return digits[2:] if digits.startswith("00") else None


def _kind_of_short(digits: str, home: str) -> Kind | None:
    """Return emergency or short_code for the numbers that are no subscriber's, in all their spellings."""
    bare = digits.lstrip("+0")
    if not bare or len(bare) > _LONGEST_SHORT + 3:
        return None
    if bare in _EMERGENCY_ANYWHERE or _is_emergency(digits, home):
        return "emergency"
    return "short_code" if _is_short_code(digits, home) else None


def _is_emergency(digits: str, home: str) -> bool:
    """Tell whether this is an emergency number at home or behind any country code, as in +49110."""
    abroad = _after_prefix(digits)
    if abroad is None and shortnumberinfo.is_emergency_number(digits, home):
        return True
    if digits.startswith("0") and abroad is None:
        return False
    return any(_is_emergency_in(region, national) for region, national in _splits(abroad or digits))


def _splits(digits: str) -> Iterator[tuple[str, str]]:
    """Yield (region, national number) for every way to take a country code off the digits."""
    for size in (1, 2, 3):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:size] or 0), ())
        for region in regions:
            yield region, digits[size:].lstrip("0")


def _is_emergency_in(region: str, national: str) -> bool:
    return national in _EMERGENCY_ANYWHERE or shortnumberinfo.is_emergency_number(national, region)


def _is_emergency_in_area(found: PhoneNumber) -> bool:
    """Tell whether this is 110 or 112 behind a German area code: "030 110" rings at the police in Berlin."""
    area = phonenumbers.length_of_geographical_area_code(found)
    return found.country_code == 49 and str(found.national_number)[area:] in _EMERGENCY_ANYWHERE


def _is_short_code(digits: str, home: str) -> bool:
    """Tell whether this is a service's short number at home: 115, 116117, 11833, or five digits (premium SMS)."""
    code = phonenumbers.country_code_for_region(home)
    abroad = _after_prefix(digits)
    national = digits if abroad is None else abroad.removeprefix(str(code))
    if national == abroad or national.startswith("0") or not 3 <= len(national) <= _LONGEST_SHORT:
        return False
    if abroad is None and len(national) == 5:
        return True
    return shortnumberinfo.is_valid_short_number_for_region(PhoneNumber(code, int(national)), home)


def _readings(digits: str, home: str) -> Iterator[PhoneNumber]:
    """Yield the ways to read the digits, the most likely first (see the top of this file)."""
    abroad = _after_prefix(digits)
    if abroad is not None:
        yield from _international(abroad)
    elif digits.startswith("0"):
        yield from _national(digits, home)
    elif digits.startswith(str(phonenumbers.country_code_for_region(home))):
        yield from _international(digits)
        yield from _without_zero(digits, home)
    else:
        at_home = list(_without_zero(digits, home))
        yield from (n for n in at_home if phonenumbers.number_type(n) == PhoneNumberType.MOBILE)
        yield from _international(digits)
        yield from at_home


def _international(digits: str) -> Iterator[PhoneNumber]:
    """Read country code and number; a trunk zero between them counts where it belongs (Italy), else not."""
    for found in _national(f"+{digits}", None):
        yield found
        if found.italian_leading_zero:
            yield PhoneNumber(found.country_code, found.national_number)


def _national(digits: str, region: str | None) -> Iterator[PhoneNumber]:
    try:
        yield phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return


def _without_zero(digits: str, home: str) -> Iterator[PhoneNumber]:
    return (n for n in _national(digits, home) if not _may_be_local(digits, n))


def _may_be_local(digits: str, found: PhoneNumber) -> bool:
    """Tell whether this is a landline whose first digits need not be an area code."""
    is_short = len(digits) < _SHORTEST_WITH_AREA_CODE and digits[0] not in "+0"
    return is_short and phonenumbers.number_type(found) == PhoneNumberType.FIXED_LINE


def _why_invalid(digits: str, home: str) -> str:
    if len(digits.lstrip("+0")) < 5:
        return "too_short"
    if any(_may_be_local(digits, found) for found in _national(digits, home)):
        return "no_area_code"
    reasons = {_why_not(found) for found in _readings(digits, home)}
    return reasons.pop() if len(reasons) == 1 else "invalid"


def _why_not(found: PhoneNumber) -> str:
    if any(phonenumbers.is_valid_number(longer) for longer in _continued(found)):
        return "too_short"
    if phonenumbers.truncate_too_long_number(_copy(found)):
        return "too_long"
    return _REASONS.get(phonenumbers.is_possible_number_with_reason(found), "invalid")


def _continued(found: PhoneNumber) -> Iterator[PhoneNumber]:
    """Yield the number with up to seven more digits, to see whether somebody stopped typing too early."""
    for count in range(1, 8):
        longer = _copy(found)
        longer.national_number = int(f"{found.national_number}{'1' * count}")
        yield longer


def _copy(found: PhoneNumber) -> PhoneNumber:
    copied = PhoneNumber()
    copied.merge_from(found)
    return copied


def _classified(raw: str, found: PhoneNumber, home: str) -> Number:
    e164 = phonenumbers.format_number(found, PhoneNumberFormat.E164)
    region = phonenumbers.region_code_for_number(found)
    kind = _KINDS.get(phonenumbers.number_type(found), "other")
    if region == "001" and kind in _SMS_KINDS:
        kind = "other"  # satellite networks: mobiles in the metadata, premium numbers on the bill
    channel = _channel(kind, region)
    error = None if channel else "foreign_landline" if kind == "landline" else kind
    return Number(raw, e164, kind, region, channel, error, home)


def _channel(kind: Kind, region: str | None) -> Channel | None:
    if kind in _SMS_KINDS:
        return "sms"
    return "voice" if kind in _VOICE_KINDS and region in _VOICE_REGIONS else None
