"""The sentence for every code that a verb, or the rules of numbers, texts and senders, refuses with."""

from datetime import datetime
from typing import Any

from babel.dates import format_date

from sms import i18n
from sms.modules import modules


def N_(sentence: str) -> str:
    """Mark a sentence for translation where it stands; it is translated when it is said."""
    return sentence


NUMBERS = {
    "not_a_number": N_("This is not a phone number."),
    "letters": N_("There are letters in this phone number."),
    "extension": N_("This number has an extension. Please give the number that can be dialled directly."),
    "too_short": N_("This phone number is too short."),
    "invalid": N_("This phone number does not exist."),
    "no_area_code": N_("Please give the number with its area code."),
    "emergency": N_("Emergency numbers are neither called nor texted."),
    "short_code": N_("Short numbers cannot be reached."),
    "foreign_landline": N_(
        "Landlines abroad cannot be reached: texts go to mobiles, calls to German landlines only."
    ),
    "voip": N_("Internet phone numbers abroad cannot be reached."),
    "toll_free": N_("Free-call numbers cannot be reached."),
    "premium": N_("Premium-rate numbers are refused."),
    "shared_cost": N_("Service numbers with shared cost are refused."),
    "other": N_("This kind of number cannot be reached."),
    "number_taken": N_("This number belongs to %(name)s already."),
    "first_number": N_("The thread was opened with this number; it stays."),
    "opted_out": N_("This number has opted out. Nothing is sent to it."),
}

TEXTS = {
    "empty": N_("Please fill this in."),
    "too_long": N_("Too long: at most %(limit)s characters."),
    "too_many": N_("Too many: at most %(limit)s."),
    "surrogate": N_("This contains half a character. Please type it again."),
    "control_character": N_("This contains a character that cannot be seen or sent. Please type it again."),
    "not_text": N_("This contains characters that are not text. Please type it again."),
    "placeholder_unknown": N_("No value for %(names)s. Please fill it in or remove the placeholder."),
    "daily_limit": N_("Today's limit of %(limit)s SMS is used up. The owner of the account can raise it."),
    "bad_field_name": N_("A field cannot be called “%(name)s”."),
}

SENDERS = {
    "sender_empty": N_("Please name a sender."),
    "sender_too_long": N_("Too long: a name has at most 11 characters, a number at most 16 digits."),
    "sender_bad_character": N_("Only A to Z, a to z and 0 to 9: no umlauts, spaces or signs."),
    "sender_only_digits": N_("Digits alone are not a name, and this is not a phone number."),
    "sender_not_owned": N_("This number does not belong to the account."),
    "no_number": N_("There is no number that could send this."),
    "number_in_use": N_(
        "This recipient is talking with somebody else on this number. Please choose another sender."
    ),
    "pool_exhausted": N_(
        "All numbers of the pool are in use for this recipient. Please choose another sender."
    ),
    "landline_needs_voice": N_("A landline cannot receive texts. It can be called, and the text read aloud."),
    "unknown_channel": N_("The channel is auto, sms or voice."),
    "sender_taken": N_("This sender is there already."),
    "not_ours": N_("This number is not set up at any carrier of this installation."),
    "in_pool": N_("This number belongs to the pool, which every account may use as it is."),
    "number_elsewhere": N_("This number is in use by another account."),
}

TIMES = {
    "bad_time": N_("This is not a time like 2026-03-30 09:00."),
    "bad_date": N_("This is not a day like 2026-03-30."),
    "time_gap": N_(
        "%(time)s does not exist in %(zone)s because the clocks change. "
        "The nearest times are %(earlier)s and %(later)s."
    ),
    "in_the_past": N_("This time is past."),
    "bad_clock": N_("This is not a time of day like 20:00."),
    "quiet_half": N_("Please give both times, or none for no quiet hours."),
    "quiet_same": N_("Start and end are the same. Leave both empty for no quiet hours."),
    "too_far": N_("This is too far in the future: at most one year."),
}

PEOPLE = {
    "invalid_email": N_("This is not an e-mail address."),
    "taken": N_("Somebody signs in with this address already."),
    "unknown_role": N_("There is no such role."),
    "last_owner": N_("An account needs an owner who can sign in. Please make somebody else the owner first."),
    "operator_stays": N_("Only an operator can change an operator."),
    "yourself": N_("You cannot do this to yourself."),
    "unknown_zone": N_("There is no such time zone."),
    "unknown_locale": N_("There is no such language."),
    "unknown_region": N_("There is no such country."),
    "password_too_short": N_("Please use at least %(limit)s characters."),
    "password_too_long": N_("Please use at most %(limit)s characters."),
    "password_too_simple": N_("This is too easy to guess. A few words in a row are good."),
    "wrong_password": N_("This is not your password."),
}

CONVERSATIONS = {
    "answered_meanwhile": N_("A colleague has answered in the meantime. Your text is still here."),
    "too_late_to_cancel": N_("Too late: this message is on its way."),
    "too_late_to_edit": N_("Too late: this message is on its way."),
    "settled_meanwhile": N_("This has been settled meanwhile."),
    "too_late_to_retry": N_("This message is not one that can be sent again."),
    "not_outgoing": N_("Only messages that were sent from here can be sent again."),
    "unknown_kind": N_("A draft is a reply or a note."),
    "unknown_status": N_("There is no such status."),
    "unknown_view": N_("There is no such view."),
}

PROGRAMS = {
    "key_reused": N_("This Idempotency-Key was used with another request."),
    "bad_key": N_("An Idempotency-Key has 1 to 255 printable ASCII characters."),
    "bad_cursor": N_("This cursor does not belong to this list; take next_cursor as it came."),
}

NAMES = {
    "name_taken": N_("This name is there already."),
    "bad_number": N_("Please give a whole number from %(least)s to %(most)s."),
    "bad_price": N_("This is not a price from 0 to 100 euros, such as 0.075."),
    "price_too_fine": N_("At most five digits behind the point."),
}

ADDRESSES = {
    "address_bad": N_("This is not an address like https://calendar.example.com/practice.ics."),
    "address_inside": N_("This address leads into an inside network. Only public addresses are read."),
    "address_port": N_("This address leads to a port that is not one of the web."),
    "address_unknown": N_("There is no computer of this name."),
    "address_unreachable": N_("The computer at this address does not answer."),
    "address_slow": N_("The answer took too long."),
    "address_cut": N_("The answer broke off in the middle."),
    "address_certificate": N_("The certificate of this address is not valid, so nobody knows who answers."),
    "address_large": N_(
        "That is more than %(limit)s MB. Please share fewer appointments, only the coming ones."
    ),
    "address_sign_in": N_("The address asks for a sign-in. Please use the secret address of the calendar."),
    "address_gone": N_("There is nothing at this address any more. Perhaps it was made anew."),
    "address_busy": N_("The other side is busy and asks to come later."),
    "address_status": N_("The other side answers with the error %(status)s."),
    "address_redirects": N_("The address leads on more than %(limit)s times."),
    "address_redirect_bad": N_("The address leads on to something that is no address."),
    "address_redirect_open": N_("The address leads on from a protected connection to an open one."),
}

SENTENCES = ADDRESSES | NUMBERS | TEXTS | SENDERS | TIMES | PEOPLE | CONVERSATIONS | PROGRAMS | NAMES
NUMBER_TOO_LONG = N_("This phone number is too long.")


class _Facts(dict[str, Any]):
    """What a sentence is filled with; a fact that nobody gave is left out rather than failing."""

    def __getitem__(self, name: str) -> Any:
        fact = super().__getitem__(name)
        return on_the_clock(fact) if isinstance(fact, datetime) else fact

    def __missing__(self, name: str) -> str:
        return ""


def on_the_clock(local: datetime, locale: str | None = None) -> str:
    """Return a wall clock time for use in a sentence: 28.03.2027, 02:30 Uhr, or 28 March 2027, 02:30."""
    locale = locale or i18n.language()
    if locale == "de":
        return f"{local:%d.%m.%Y, %H:%M} Uhr"
    return f"{format_date(local, 'd MMMM y', locale)}, {local:%H:%M}"


def _known(code: str) -> str | None:
    own = (module.sentences.get(code) for module in modules().values())
    return SENTENCES.get(code) or next(filter(None, own), None)


def sentence(code: str, **params: Any) -> str:
    """Return what a person should read for a code, in the language of the moment; unknown codes say so plainly."""
    known = NUMBER_TOO_LONG if code == "too_long" and "limit" not in params else _known(code)
    if known is None:
        return i18n.gettext("This cannot be used (%(code)s).", code=code)
    return i18n.gettext(known) % _Facts(params)
