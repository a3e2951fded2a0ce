"""Who may come in: every page asks for a sign-in unless it says otherwise, and some ask for a role."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes, urlsplit

from flask import (
    Blueprint,
    Flask,
    Request,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect

from sms.db import database
from sms.models.account import ROLES
from sms.refusal import Refused
from sms.views import entrance

F = TypeVar("F", bound=Callable[..., Any])

KEYED = ("/api/", "/carriers/", "/media/")
"""What programs and carriers use: no session and no CSRF token; a bearer key or a signature instead."""

WITHOUT_DATABASE = frozenset({"static", "health.healthz", "health.readyz"})

LARGEST_ID = 2**63 - 1
"""What the databases can compare an id with; anything larger is nobody's."""

csrf = CSRFProtect()
blueprint = Blueprint("gate", __name__)


def public(view: F) -> F:
    """Mark a view that people may see before they sign in."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def requires(role: str) -> Callable[[F], F]:
    """Mark a view for people of at least this role: agent < owner < operator; others get 403."""

    def mark(view: F) -> F:
        view.role = role  # type: ignore[attr-defined]
        return view

    return mark


def is_keyed(path: str) -> bool:
    """Tell whether a path is for programs, which prove themselves without a session."""
    return path.startswith(KEYED) or path in ("/readyz", "/metrics")


class Sessions(SecureCookieSessionInterface):
    """Sessions in signed cookies for people; a program's request has none, and none is read, signed or sent for it."""

    def open_session(self, app: Flask, request: Request) -> Any:
        """Return what the cookie holds; for programs a session that is empty and takes nothing."""
        if is_keyed(request.path):
            return self.make_null_session(app)
        return super().open_session(app, request)


@blueprint.before_app_request
def open_database() -> None:
    """Take one pooled connection for the request; a caller that already holds one keeps it."""
    if request.endpoint not in WITHOUT_DATABASE and database.is_closed():
        database.connect()
        g.connected = True


@blueprint.teardown_app_request
def close_database(error: BaseException | None) -> None:
    """Give the connection back, whatever happened."""
    if g.pop("connected", False) and not database.is_closed():
        database.close()


@blueprint.before_app_request
def authorise() -> ResponseReturnValue | None:
    """Sign-in, then role, then the CSRF token: an expired session is told as such, not as a wrong token."""
    if any(isinstance(value, int) and value > LARGEST_ID for value in (request.view_args or {}).values()):
        abort(404)
    if request.endpoint is None or request.endpoint == "static" or is_keyed(request.path):
        return None
    view = current_app.view_functions[request.endpoint]
    if not getattr(view, "is_public", False):
        if not current_user.is_authenticated:
            return ask_to_sign_in()
        _check_role(getattr(view, "role", "agent"))
    _refuse_broken_text()
    csrf.protect()
    return None


def ask_to_sign_in() -> ResponseReturnValue:
    """Send a person to the sign-in and back. What somebody was sending is not lost on the way:
    a fragment's request gets 401 and a notice beside the page, a form without script carries its text along.
    """
    if request.headers.get("HX-Request"):
        abort(401)
    if request.method == "POST" and entrance.holds_text():
        return render_template("signin/sign_in.html", form=entrance.form_with_text(), held=True), 401
    return redirect(url_for("signin.sign_in", next=way_back()))


def way_back() -> str:
    """Return the local address to come back to after a sign-in."""
    if request.headers.get("HX-Request"):
        return local_path(request.headers.get("HX-Current-URL", ""))
    if request.method in ("GET", "HEAD"):
        return local_path(request.full_path.rstrip("?"))
    return local_path(request.referrer or "")


def local_path(address: str) -> str:
    """Return path and query of an address on this site; '/' for anything that could lead elsewhere."""
    address = address[:2000]
    if any(c <= " " or c == "\\" or c == "\x7f" for c in address):
        return "/"
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    if parts.netloc and parts.netloc != request.host:
        return "/"
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return path if path.startswith("/") and not path.startswith("//") else "/"


def _check_role(role: str) -> None:
    if ROLES.index(current_user.role) < ROLES.index(role):
        abort(403)


def _refuse_broken_text() -> None:
    """Refuse invalid UTF-8 (unpaired surrogates too) and NUL, which no database column and no phone can hold."""
    if request.mimetype == "application/x-www-form-urlencoded":
        _check_octets(request.get_data())
    _check_octets(request.query_string)
    values = [*request.args.values(), *request.form.values(), *request.form, *request.args]
    if any("\0" in value for value in values):
        raise Refused("", "not_text")
    if request.mimetype == "multipart/form-data" and any("\ufffd" in v for v in request.form.values()):
        raise Refused("", "not_text")


def _check_octets(data: bytes) -> None:
    try:
        unquote_to_bytes(data).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("", "not_text") from None
