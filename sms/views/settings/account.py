"""The account's own settings: name, place, language, limit, quiet hours, prices, and whether Google may speak its texts."""

import phonenumbers
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField

from sms import accounts, prices, quiet
from sms.i18n import LANGUAGES
from sms.models import Account
from sms.refusal import Refused
from sms.views.gate import requires
from sms.views.settings.frame import blueprint, page, place, saved

MOST_PARTS = 1_000_000


class AccountForm(FlaskForm):
    name = StringField()
    zone = SelectField(validate_choice=False)
    locale = SelectField(validate_choice=False)
    region = SelectField(validate_choice=False)
    daily_parts = StringField()
    gtts_consent = BooleanField()

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.name.label.text = _("Name of the account")
        self.zone.label.text = _("Time zone")
        self.locale.label.text = _("Language")
        self.region.label.text = _("Country of numbers without prefix")
        self.daily_parts.label.text = _("SMS a day at most")
        self.gtts_consent.label.text = _("Let Google speak voice messages")
        self.zone.choices = [(zone, zone.replace("_", " ")) for zone in accounts.zones()]
        self.locale.choices = list(LANGUAGES.items())
        self.region.choices = regions()

    def values(self) -> dict[str, object]:
        """Return what was chosen as accounts.change_account takes it; raises Refused."""
        return {
            "name": self.name.data or "",
            "zone": self.zone.data,
            "locale": self.locale.data,
            "region": _known_region(self.region.data or ""),
            "daily_parts": _whole_number(self.daily_parts.data or "", MOST_PARTS),
            "gtts_consent": bool(self.gtts_consent.data),
        }


class QuietForm(FlaskForm):
    """From and to for each channel, as text: a browser's own time field shows its language's clock, not the page's."""

    text_from = StringField()
    text_to = StringField()
    voice_from = StringField()
    voice_to = StringField()

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        for start, end in ((self.text_from, self.text_to), (self.voice_from, self.voice_to)):
            start.label.text, end.label.text = _("from"), _("until")

    def values(self) -> dict[str, str]:
        """Return both spans as accounts.change_account takes them; raises Refused."""
        return {
            "quiet_text": _span(self.text_from, self.text_to),
            "quiet_voice": _span(self.voice_from, self.voice_to),
        }


class PricesForm(FlaskForm):
    """What a part and a minute cost, as text: people write 0,075 or 0.075, in euros or in cents."""

    price_part = StringField()
    price_minute = StringField()

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.price_part.label.text = _("One SMS, in euros")
        self.price_minute.label.text = _("One minute of a call, in euros")

    def values(self) -> dict[str, int | None]:
        """Return both prices as accounts.change_account takes them; raises Refused."""
        both = self.price_part, self.price_minute
        return {field.name: prices.read(field.data or "", field.name) for field in both}


def _span(start: StringField, end: StringField) -> str:
    return quiet.written_span(start.data or "", end.data or "", start.name)


def _times(account: Account) -> dict[str, str]:
    """Return the account's quiet hours as the form shows them."""
    shown = {}
    for channel, span in (("text", account.quiet_text), ("voice", account.quiet_voice)):
        known = quiet.read_span(span)
        for name, moment in zip(("from", "to"), known or (), strict=False):
            shown[f"{channel}_{name}"] = f"{moment:%H:%M}"
    return shown


def _known_prices(account: Account) -> dict[str, str]:
    """Return the account's prices as the form shows them."""
    return {
        "price_part": prices.written(account.price_part),
        "price_minute": prices.written(account.price_minute),
    }


def regions() -> list[tuple[str, str]]:
    """Return the countries that phone numbers are known for, by their names in the reader's language."""
    names = get_locale().territories
    return sorted(
        ((code, names.get(code, code)) for code in phonenumbers.SUPPORTED_REGIONS), key=lambda r: r[1]
    )


def _known_region(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise Refused("region", "unknown_region")
    return code


def _whole_number(text: str, most: int) -> int:
    digits = text.strip().replace(".", "").replace(",", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 12 and int(digits) <= most):
        raise Refused("daily_parts", "bad_number", least=0, most=most)
    return int(digits)


@blueprint.get("/account")
@requires("owner")
def account() -> ResponseReturnValue:
    """Show the account's settings."""
    return _show()


def _show(
    form: AccountForm | None = None,
    quiet_form: QuietForm | None = None,
    prices_form: PricesForm | None = None,
) -> ResponseReturnValue:
    own = current_user.account
    return page(
        "account",
        422 if form or quiet_form or prices_form else 200,
        form=form or AccountForm(formdata=None, obj=own),
        quiet=quiet_form or QuietForm(formdata=None, data=_times(own)),
        prices=prices_form or PricesForm(formdata=None, data=_known_prices(own)),
    )


@blueprint.post("/account")
@requires("owner")
def save_account() -> ResponseReturnValue:
    """Save the account's settings."""
    form = AccountForm()
    try:
        accounts.change_account(current_user.account, **form.values())
    except Refused as refused:
        place(form, refused)
        return _show(form)
    return saved("settings.account")


@blueprint.post("/account/quiet-hours")
@requires("owner")
def save_quiet_hours() -> ResponseReturnValue:
    """Save when machines neither write nor call."""
    form = QuietForm()
    try:
        accounts.change_account(current_user.account, **form.values())
    except Refused as refused:
        place(form, refused)
        return _show(quiet_form=form)
    return saved("settings.account")


@blueprint.post("/account/prices")
@requires("owner")
def save_prices() -> ResponseReturnValue:
    """Save what messages cost."""
    form = PricesForm()
    try:
        accounts.change_account(current_user.account, **form.values())
    except Refused as refused:
        place(form, refused)
        return _show(prices_form=form)
    return saved("settings.account")
