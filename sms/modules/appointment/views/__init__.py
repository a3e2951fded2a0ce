"""What the appointments show and answer over HTTP."""

from flask import Blueprint

blueprint = Blueprint("appointment", __name__, url_prefix="/appointments", template_folder="../templates")

# Puts the pages on the blueprint and the calls on the API.
from sms.modules.appointment.views import (  # noqa: E402, F401
    agenda,
    api,
    calendars,
    editing,
    feeds,
    importing,
    numbering,
    numbers,
    setup,
    waiting_list,
)
