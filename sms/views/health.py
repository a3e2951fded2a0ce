"""Is this process alive?"""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sms.views.gate import public

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """Answer as long as the process can; whether its work gets done is told at /readyz."""
    return {"status": "alive"}
