"""The application: create_app() wires everything together. No routes, no rules."""

import hashlib
import importlib
import pkgutil
import secrets
from datetime import timedelta
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, has_request_context, request, url_for
from flask_babel import Babel, get_locale
from flask_htmx import HTMX
from flask_login import LoginManager, current_user
from markupsafe import Markup

from sms import accounts, cli, config, db, i18n, logbook, running, totals, views
from sms.gsm import msisdn
from sms.modules import modules
from sms.views import gate

HERE = Path(__file__).parent / "sms"
MEGABYTE = 1024 * 1024


def create_app(settings: config.Settings | None = None) -> Flask:
    """Return the web application for these settings (None: those of the environment)."""
    if settings is None:
        return cli.plainly(lambda: create_app(config.load()))()
    app = Flask("sms", root_path=str(HERE), static_folder="static", template_folder="templates")
    point(app, settings)
    _speak_languages(app)
    _know_people(app)
    _dress_answers(app)
    _register_pages(app)
    _register_commands(app)
    app.wsgi_app = logbook.Traced(app.wsgi_app)  # type: ignore[method-assign]
    return app


def point(app: Flask, settings: config.Settings) -> None:
    """Point an application at an installation: its settings, database, queue and carriers."""
    app.config.from_mapping(_flask_settings(settings))
    app.extensions["faden"] = settings
    app.jinja_env.globals["sandbox_url"] = settings.sandbox_url if settings.sandbox else None
    running.connect(settings)


def _flask_settings(settings: config.Settings) -> dict[str, object]:
    secure = settings.public_url.startswith("https://")
    return {
        "SECRET_KEY": settings.secret_key,
        "MAX_CONTENT_LENGTH": MEGABYTE,
        "MAX_FORM_MEMORY_SIZE": MEGABYTE,
        "SESSION_COOKIE_NAME": "faden",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": secure,
        "REMEMBER_COOKIE_NAME": "faden_stay",
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_SECURE": secure,
        "REMEMBER_COOKIE_DURATION": timedelta(days=30),
        # The gate checks the token itself, after the sign-in; it lives as long as the session.
        "WTF_CSRF_CHECK_DEFAULT": False,
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": False,
        "PROPAGATE_EXCEPTIONS": False,
    }


def _speak_languages(app: Flask) -> None:
    i18n.compile_catalogues()
    Babel(
        app,
        default_locale="de",
        default_timezone="Europe/Berlin",
        default_translation_directories=str(i18n.FOLDER),
        locale_selector=_locale,
        timezone_selector=_zone,
    )
    i18n.follow(lambda: str(get_locale() or "en"))


def _person() -> accounts.User | None:
    """The signed-in user, where a request has one and the database can be asked."""
    if not has_request_context() or db.database.is_closed() or gate.is_keyed(request.path):
        return None
    return current_user if current_user.is_authenticated else None


def _locale() -> str:
    if not has_request_context():
        return "en"
    person = _person()
    if person:
        return person.locale or person.account.locale
    usual = "en" if gate.is_keyed(request.path) else "de"
    wanted = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    return next((language for language in wanted if language in i18n.LANGUAGES), usual)


def _zone() -> str:
    person = _person()
    return person.account.zone if person else "Europe/Berlin"


def _know_people(app: Flask) -> None:
    manager = LoginManager(app)
    manager.user_loader(accounts.find_user)
    manager.unauthorized_handler(gate.ask_to_sign_in)
    gate.csrf.init_app(app)
    app.session_interface = gate.Sessions()


def _dress_answers(app: Flask) -> None:
    """What every page and every answer wears: template words, security headers, cache headers."""
    HTMX(app)
    drawing = (HERE / "static/icons/sprite.svg").read_text("utf-8")
    sprite = Markup(drawing.partition(">")[2].rpartition("</svg>")[0])  # noqa: S704
    app.jinja_env.globals.update(
        asset=_asset,
        csp_nonce=_nonce,
        sprite=sprite,
        languages=i18n.LANGUAGES,
        get_locale=get_locale,
        person=_person,
        area=_area,
        unread_total=lambda: totals.unread_total(current_user),
    )
    app.jinja_env.filters["national"] = lambda e164: msisdn.parse(e164).display
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.after_request
    def _secure(response: Response) -> Response:
        return _with_headers(response, https=app.config["SESSION_COOKIE_SECURE"])


def _area() -> str:
    """Return which entry of the rail is the current one; what belongs to no other is the inbox."""
    area = (request.blueprint or "").partition(".")[0]
    return area if area == "settings" or area in modules() else "inbox"


def _asset(name: str) -> str:
    """Return the address of a static file with a fingerprint, so that browsers may keep it for ever."""
    return url_for("static", filename=name, v=_fingerprint(name, (HERE / "static" / name).stat().st_mtime_ns))


@lru_cache(maxsize=256)
def _fingerprint(name: str, changed: int) -> str:
    return hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]


def _nonce() -> str:
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return g.nonce  # type: ignore[no-any-return]


def _with_headers(response: Response, https: bool) -> Response:
    headers = response.headers
    headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; "
        f"script-src 'nonce-{_nonce()}'; "
        "style-src 'self'; img-src 'self' data:; font-src 'self' data:; media-src 'self' blob:; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if https:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if request.endpoint == "static" and response.status_code in (200, 304):
        fresh = "public, max-age=31536000, immutable" if "v" in request.args else "public, max-age=3600"
        headers["Cache-Control"] = fresh
    elif "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store" if response.mimetype == "text/html" else "no-cache"
    return response


def _register_pages(app: Flask) -> None:
    """Register every blueprint of sms/views and of the modules: adding a page edits nothing else."""
    # A module's calls are put on the API's blueprint by importing them, which must be before it is registered.
    theirs = [_optional(f"sms.modules.{name}.views", "blueprint") for name in modules()]
    for name in _modules_in("sms.views", Path(next(iter(views.__path__)))):
        if blueprint := getattr(importlib.import_module(name), "blueprint", None):
            app.register_blueprint(blueprint)
    for blueprint in filter(None, theirs):
        app.register_blueprint(blueprint)
    app.jinja_env.globals["module_nav"] = [m.nav for m in modules().values() if m.nav]


def _register_commands(app: Flask) -> None:
    cli.register(app)


def _optional(module: str, name: str) -> Any:
    """Return what a module offers under a name, None where there is no such module."""
    return getattr(importlib.import_module(module), name, None) if find_spec(module) else None


def _modules_in(package: str, folder: Path) -> list[str]:
    names = (f"{package}.{m.name}" for m in pkgutil.iter_modules([str(folder)]))
    # The gate comes first: it opens the database and asks who is there before anything else runs.
    return sorted(names, key=lambda name: (not name.endswith(".gate"), name))
