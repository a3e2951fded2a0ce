"""Pages, fragments and problems for everything that goes wrong. A fault is logged with a reference, never shown."""

import logging
import secrets

from flask import Blueprint, current_app, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from sms.refusal import Conflict, NotFound, Refused
from sms.views.gate import is_keyed, way_back
from sms.wording import sentence

blueprint = Blueprint("errors", __name__)
log = logging.getLogger("sms.errors")


@blueprint.app_errorhandler(HTTPException)
def show_http_error(error: HTTPException) -> ResponseReturnValue:
    """Show 4xx as a page, a fragment or a problem; redirects raised as exceptions pass through."""
    status = error.code or 500
    if status < 400:
        return error
    headers = {"Allow": ", ".join(error.valid_methods or ())} if status == 405 else {}  # type: ignore[attr-defined]
    if retry := getattr(error, "retry_after", None):
        headers["Retry-After"] = str(retry)
    return show(status, headers=headers)


@blueprint.app_errorhandler(CSRFError)
def show_csrf_error(error: CSRFError) -> ResponseReturnValue:
    """A form without the page's token: nothing was done, and reloading helps."""
    return show(
        400, _("This page was open for too long. Please reload it and try again; nothing was changed.")
    )


@blueprint.app_errorhandler(NotFound)
def show_not_found(error: NotFound) -> ResponseReturnValue:
    """Another account's things are as unknown as those that never were."""
    return show(404)


@blueprint.app_errorhandler(Conflict)
def show_conflict(error: Conflict) -> ResponseReturnValue:
    """It was too late, or somebody else was faster."""
    return show(409, sentence(error.code, **error.params), code=error.code)


@blueprint.app_errorhandler(Refused)
def show_refused(error: Refused) -> ResponseReturnValue:
    """A refusal that no form has shown at its field."""
    return show(422, sentence(error.code, **error.params), code=error.code, field=error.field)


@blueprint.app_errorhandler(UnicodeEncodeError)
def show_broken_text(error: UnicodeEncodeError) -> ResponseReturnValue:
    """Half a surrogate pair came in as JSON and cannot be stored."""
    if error.reason != "surrogates not allowed":
        return show_fault(error)
    return show(422, sentence("not_text"), code="not_text")


@blueprint.app_errorhandler(Exception)
def show_fault(error: Exception) -> ResponseReturnValue:
    """Log a fault with a reference that the page names; no trace is shown."""
    if current_app.config["PROPAGATE_EXCEPTIONS"]:
        raise error
    reference = secrets.token_hex(4)
    log.error("fault %s at %s %s", reference, request.method, request.endpoint, exc_info=error)
    return show(500, reference=reference)


def show(
    status: int,
    detail: str = "",
    *,
    code: str = "",
    field: str = "",
    reference: str = "",
    headers: dict[str, str] | None = None,
) -> ResponseReturnValue:
    """Answer with an error in the form that the request can use."""
    title, usual = words(status)
    detail = detail or usual
    own = dict(headers or {})
    if is_keyed(request.path):
        return _problem(status, title, detail, code, field, reference, own)
    if request.headers.get("HX-Request"):
        # Beside the page, not in place of what was asked for: whatever somebody has typed stays.
        own |= {"HX-Retarget": "#notices", "HX-Reswap": "innerHTML", "Vary": "HX-Request"}
        page = render_template("_error.html", **_facts(status, title, detail, reference))
        return page, status, own
    return render_template("error.html", **_facts(status, title, detail, reference)), status, own


def _facts(status: int, title: str, detail: str, reference: str) -> dict[str, object]:
    signin = url_for("signin.sign_in", next=way_back()) if status == 401 else None
    return {"status": status, "title": title, "detail": detail, "reference": reference, "signin": signin}


def _problem(
    status: int, title: str, detail: str, code: str, field: str, reference: str, headers: dict[str, str]
) -> ResponseReturnValue:
    body: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if code:
        body["errors"] = [{"field": field, "code": code, "message": detail}]
    if reference:
        body["reference"] = reference
    answer = jsonify(body)
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    answer.headers.update(headers)
    return answer


def words(status: int) -> tuple[str, str]:
    """Return title and sentence for an HTTP status."""
    known = {
        400: (
            _("That was not understood"),
            _("The request was incomplete or damaged. Please go back and try again."),
        ),
        401: (_("Please sign in"), _("Your session has ended. What you typed is still here.")),
        403: (
            _("Not allowed"),
            _("Your role does not allow this. The owner of the account can change that."),
        ),
        404: (_("Nothing here"), _("This page does not exist, or it belongs to somebody else.")),
        405: (_("Not possible this way"), _("This address does not take this kind of request.")),
        409: (_("Somebody was faster"), _("This has changed in the meantime. Please reload the page.")),
        413: (_("Too large"), _("That was more than one megabyte. Please send less at once.")),
        415: (_("Unknown format"), _("The data came in a format that is not understood here.")),
        422: (_("That cannot be used"), _("Something in the input cannot be used.")),
        429: (_("Too many requests"), _("Please wait a moment and try again.")),
        503: (_("Not available right now"), _("Please try again in a moment.")),
    }
    if status in known:
        return known[status]
    if status < 500:
        return known[400]
    return _("Something went wrong"), _("This is our fault, not yours. Nothing was lost; please try again.")
