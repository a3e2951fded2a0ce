"""Telephone numbers: every typed form to E.164, the kind of number, and the channel it can be reached on.

Sources: ITU-T E.164 (at most 15 digits), RFC 3966 (tel:), and Google's libphonenumber metadata for types.

How digits are read, in this order:
1. `+` or `00`: international, whatever the region.
2. A leading 0 (or the region's own prefix): national, so "04931 1234" is Norden and "0491 71392005" Leer.
3. Neither. The first of these that is a valid number: `+` where the digits begin with the region's own
   country code ("491713920054" is a mobile, not the landline in Leer); a mobile of the region that lost its
   0 in a spreadsheet ("1713920042", also "15202345678" although +1 520 is Arizona); `+` with any other
   country code ("436641234567"); a landline that lost its 0 ("3023125417", and so "4931 1234" is Norden).
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult, shortnumberinfo

Channel = Literal["sms", "voice"]

LONGEST_RAW = 200
_LONGEST_DIGITS = 20  # 15 of E.164, an international prefix, a (0)
_VOICE_REGIONS = frozenset({"DE"})
_EMERGENCY_ANYWHERE = frozenset({"110", "112", "911", "999"})

_KINDS = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "landline_or_mobile",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
}
_WITH_SMS = frozenset({"mobile", "landline_or_mobile"})
_WITH_VOICE = frozenset({"landline", "voip"})

_PLUS = str.maketrans(dict.fromkeys("＋﬩➕⁺﹢", "+"))
_label = re.compile(r"(?:tel|sms|callto)\s*[.:]+\s*", re.IGNORECASE)
_extension = re.compile(
    r"\d\s*(?:,+|;|#|\(?\s*\b(?:ext|extn|extension|x|durchwahl|dw|app|apparat|nst|nebenstelle)\b)[\s.:=]*\d",
    re.IGNORECASE,
)
_uri_extension = re.compile(r";(?:ext|isub)=", re.IGNORECASE)
_trunk_zero = re.compile(r"[(\[{]0[)\]}]")
_separators = re.compile(r"[\s./\\()\[\]{}·•_~|:'\"`´’]|−")
_number = re.compile(r"(\+?)(\d+)")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as typed and as understood; `e164` is None where it is no dialable number.

    `channel` is None exactly where `error` holds the reason: empty, not_a_number, letters, extension,
    too_short, too_long, invalid, emergency, short_code, foreign_landline, voip, toll_free, premium,
    shared_cost, other.
    """

    raw: str
    e164: str | None
    kind: str
    region: str | None
    channel: Channel | None
    error: str | None
    home: str = "DE"

    @property
    def number(self) -> str | None:
        """The number as shown and returned, "0049171…"; None where there is none."""
        return f"00{self.e164[1:]}" if self.e164 else None

    @property
    def display(self) -> str:
        """The number as people of the home region write it: "0171 39200 42", others "+43 664 1234567"; else what was typed."""
        if self.e164:
            return _display(self.e164, self.home)
        return self.raw[:LONGEST_RAW].encode("utf-8", "replace").decode()


def parse(raw: str, region: str = "DE") -> Number:
    """Read a number typed in any form by someone in `region` (ISO 3166); never raises."""
    if len(raw) > LONGEST_RAW:
        return Number(raw, None, "invalid", None, None, "too_long", region)
    return _parse(raw, region)


@lru_cache(maxsize=8192)
def _parse(raw: str, region: str) -> Number:
    digits, error = _clean(raw)
    if error:
        return Number(raw, None, "invalid", None, None, error, region)
    if kind := _special(digits, region):
        return Number(raw, None, kind, None, None, kind, region)
    found = next(filter(phonenumbers.is_valid_number, _readings(digits, region)), None)
    if found is None:
        return Number(raw, None, "invalid", None, None, _why_invalid(digits, region), region)
    return _classified(raw, found, region)


def _clean(raw: str) -> tuple[str, str | None]:
    """Return `+` and ASCII digits alone, or the code of what else was typed."""
    text = _ascii(raw).strip()
    if not text:
        return "", "empty"
    text = _label.sub("", text, count=1) if _label.match(text) else text
    if _uri_extension.search(text) or _extension.search(text):
        return "", "extension"
    text = _separators.sub("", _trunk_zero.sub("0", text))
    match = _number.fullmatch(text)
    if not match:
        return "", "letters" if any(c.isalpha() for c in text) else "not_a_number"
    if len(match[2]) > _LONGEST_DIGITS:
        return "", "too_long"
    if match[1] and match[2].startswith("00"):
        return f"+{match[2][2:]}", None
    return text, None


def _ascii(raw: str) -> str:
    """Write digits of every script and every plus as ASCII; drop dashes and what cannot be seen."""
    if raw.isascii():
        return raw.replace("-", "")
    return "".join(_ascii_character(c) for c in raw.translate(_PLUS))


def _ascii_character(c: str) -> str:
    category = unicodedata.category(c)
    if category == "Nd":
        return str(unicodedata.decimal(c))
    if category in ("Cf", "Pd"):
        return ""
    return unicodedata.normalize("NFKC", c) if "\uff00" <= c <= "\uffef" else c


def _special(digits: str, region: str) -> str | None:
    """Return emergency or short_code for numbers that are no subscriber's, in all their spellings."""
    if _is_emergency(digits, region):
        return "emergency"
    national = _national_of_region(digits, region)
    if len(national) > 6:
        return None
    short = phonenumbers.PhoneNumber(_country_code(region), int(national)) if national else None
    if short and shortnumberinfo.is_valid_short_number_for_region(short, region):
        return "short_code"
    return "short_code" if len(digits) == 5 and digits[0] not in "+0" else None


def _is_emergency(digits: str, region: str) -> bool:
    bare = digits.lstrip("+0")
    if bare in _EMERGENCY_ANYWHERE:
        return True
    if digits[0] not in "+0" and shortnumberinfo.is_emergency_number(digits, region):
        return True
    if len(bare) > 7:
        return False
    return any(
        bare.startswith(str(code)) and _is_emergency_abroad(bare.removeprefix(str(code)).lstrip("0"), regions)
        for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
        if bare.startswith(str(code))
    )


def _is_emergency_abroad(national: str, regions: tuple[str, ...]) -> bool:
    if national in _EMERGENCY_ANYWHERE:
        return True
    return bool(national) and any(shortnumberinfo.is_emergency_number(national, r) for r in regions)


def _national_of_region(digits: str, region: str) -> str:
    code = str(_country_code(region))
    bare = digits.lstrip("+0")
    if digits[0] in "+0" and bare.startswith(code):
        return bare.removeprefix(code).lstrip("0")
    return digits if digits[0] not in "+0" else ""


def _country_code(region: str) -> int:
    return phonenumbers.country_code_for_region(region)


def _readings(digits: str, region: str) -> list[phonenumbers.PhoneNumber]:
    """Return the ways to read the digits, the most likely first."""
    if digits.startswith("+"):
        return _read([digits], region)
    if digits.startswith("00"):
        return _read([f"+{digits[2:]}"], region)
    if digits.startswith("0"):
        return _read([digits], region)
    abroad, home = _read([f"+{digits}"], region), _read([digits], region)
    own_code = digits.startswith(str(_country_code(region)))
    lost_zero = any(phonenumbers.number_type(n) == PhoneNumberType.MOBILE for n in home)
    return home + abroad if lost_zero and not own_code else abroad + home


def _read(spellings: list[str], region: str) -> list[phonenumbers.PhoneNumber]:
    found = []
    for spelling in spellings:
        try:
            found.append(phonenumbers.parse(spelling, region))
        except phonenumbers.NumberParseException:
            continue
    return found


_REASONS = {
    ValidationResult.TOO_SHORT: "too_short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too_short",
    ValidationResult.TOO_LONG: "too_long",
}


def _why_invalid(digits: str, region: str) -> str:
    if len(digits.lstrip("+0")) < 5:
        return "too_short"
    readings = _readings(digits, region)
    reasons = {_REASONS.get(phonenumbers.is_possible_number_with_reason(n), "invalid") for n in readings}
    return reasons.pop() if len(reasons) == 1 else "invalid"


def _classified(raw: str, found: phonenumbers.PhoneNumber, home: str) -> Number:
    e164 = phonenumbers.format_number(found, PhoneNumberFormat.E164)
    region = phonenumbers.region_code_for_number(found)
    kind = _KINDS.get(phonenumbers.number_type(found), "other")
    if region == "001" and kind in _WITH_SMS:  # satellite networks, priced like premium numbers
        kind = "other"
    channel = _channel(kind, region)
    error = None if channel else "foreign_landline" if kind == "landline" else kind
    return Number(raw, e164, kind, region, channel, error, home)


def _channel(kind: str, region: str | None) -> Channel | None:
    if kind in _WITH_SMS:
        return "sms"
    return "voice" if kind in _WITH_VOICE and region in _VOICE_REGIONS else None


@lru_cache(maxsize=8192)
def _display(e164: str, home: str) -> str:
    found = phonenumbers.parse(e164)
    if found.country_code != _country_code(home):
        return phonenumbers.format_number(found, PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(found, PhoneNumberFormat.NATIONAL)
    return _grouped(national) if home == "DE" else national


def _grouped(national: str) -> str:
    """Split a long German subscriber number after five digits: "030 23125417" -> "030 23125 417"."""
    area, blank, subscriber = national.rpartition(" ")
    return f"{area}{blank}{subscriber[:5]} {subscriber[5:]}" if len(subscriber) >= 7 else national
