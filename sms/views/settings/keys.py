"""The interface for programs: API keys, and the addresses to enter at the carriers."""

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import StringField

from sms import accounts, exchange
from sms.refusal import Refused
from sms.views.gate import requires
from sms.views.settings.frame import blueprint, done, page, place


class KeyForm(FlaskForm):
    name = StringField()

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.name.label.text = _("What is the key for?")


def _show(form: KeyForm | None = None, status: int = 200, key: str | None = None) -> ResponseReturnValue:
    form = form or KeyForm(formdata=None)
    return page(
        "keys",
        status,
        form=form,
        rows=accounts.api_keys(current_user.account),
        key=key,
        origin=exchange.current().public_url,
        webhooks=webhooks(),
    )


def webhooks() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return, for each carrier, what to enter where in its console."""
    kinds = (
        (_("Incoming messages"), "inbound"),
        (_("Delivery reports"), "status"),
        (_("Incoming calls"), "voice/incoming"),
    )
    return [
        (name, [(word, exchange.callback(name, path)) for word, path in kinds])
        for name in exchange.carriers()
    ]


@blueprint.get("/interface")
@requires("owner")
def keys() -> ResponseReturnValue:
    """Show the keys by name and first letters, never whole."""
    return _show()


@blueprint.post("/interface")
@requires("owner")
def add_key() -> ResponseReturnValue:
    """Make a key and show it in this one answer."""
    form = KeyForm()
    try:
        _row, key = accounts.add_api_key(current_user.account, form.name.data or "")
    except Refused as refused:
        place(form, refused)
        return _show(form, 422)
    return _show(status=201, key=key)


@blueprint.post("/interface/<int:key_id>/revoke")
@requires("owner")
def revoke_key(key_id: int) -> ResponseReturnValue:
    """End a key at once."""
    accounts.revoke_api_key(current_user.account, key_id)
    return done(_("The key is revoked."), "settings.keys")
