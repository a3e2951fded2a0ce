"""The account's own settings: name, place, language, limit, and whether Google may speak its texts."""

import phonenumbers
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField

from sms import accounts
from sms.i18n import LANGUAGES
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
    return page("account", form=AccountForm(formdata=None, obj=current_user.account))


@blueprint.post("/account")
@requires("owner")
def save_account() -> ResponseReturnValue:
    """Save the account's settings."""
    form = AccountForm()
    try:
        accounts.change_account(current_user.account, **form.values())
    except Refused as refused:
        place(form, refused)
        return page("account", 422, form=form)
    return saved("settings.account")
