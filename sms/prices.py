"""What messages cost: an account's prices, and the one place that works out a sum from them.

Money is a whole number of hundred-thousandths of a euro (a thousandth of a cent): 0,075 € is 7,500. Carriers' price
lists have up to five decimals, and sums of whole numbers are exact.
"""

import re
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import format_currency, format_decimal

from sms import i18n
from sms.models import Account
from sms.refusal import Refused

EURO = 100_000
MOST = 100 * EURO
DECIMALS = 5
_CENT = Decimal("0.01")
_amount = re.compile(r"(\d{1,3})(?:[.,](\d+))?", re.ASCII)
_UNITS = (("€", 1), ("euro", 1), ("eur", 1), ("ct", 100), ("cent", 100), ("¢", 100))


def estimate(account: Account, parts: int = 0, calls: int = 0) -> int | None:
    """Return what so many parts and calls of a minute cost together; None where the account has no price for them."""
    of_parts = _times(parts, account.price_part)
    of_calls = _times(calls, account.price_minute)
    return None if of_parts is None or of_calls is None else of_parts + of_calls


def _times(how_many: int, price: int | None) -> int | None:
    if not how_many:
        return 0
    return None if price is None else how_many * price


def shown(amount: int, locale: str | None = None) -> str:
    """Return an amount as the reader's language writes it, to the cent: 0,30 € or €0.30."""
    euros = (Decimal(amount) / EURO).quantize(_CENT, ROUND_HALF_UP)
    return format_currency(euros, "EUR", locale=locale or i18n.language())


def about(account: Account, parts: int = 0, calls: int = 0, locale: str | None = None) -> str:
    """Return an estimate as it is shown; nothing where the account has no price for it."""
    amount = estimate(account, parts, calls)
    return "" if amount is None else shown(amount, locale)


def read(text: str, field: str) -> int | None:
    """Return a price as a person types it (0,075, 0.075 €, 7,5 ct); None for nothing: no price is known.

    Raises Refused at `field`: bad_price for what is no price from 0 to 100 €, price_too_fine beyond five decimals.
    """
    typed, divisor = _without_unit("".join(text.split()).casefold())
    if not typed:
        return None
    match = _amount.fullmatch(typed)
    if match is None:
        raise Refused(field, "bad_price")
    amount = Decimal(f"{match[1]}.{match[2] or 0}") * EURO / divisor
    if amount > MOST:
        raise Refused(field, "bad_price")
    if amount != amount.to_integral_value():
        raise Refused(field, "price_too_fine")
    return int(amount)


def _without_unit(typed: str) -> tuple[str, int]:
    for unit, divisor in _UNITS:
        bare = typed.removesuffix(unit).removeprefix(unit)
        if bare and bare != typed:
            return bare, divisor
    return typed, 1


def written(price: int | None, locale: str | None = None) -> str:
    """Return a price as its field shows it, exact: 0,075; nothing where there is none."""
    if price is None:
        return ""
    return format_decimal(Decimal(price) / EURO, "0.00###", locale=locale or i18n.language())
