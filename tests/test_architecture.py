"""The direction of dependencies (DESIGN.md, section 2), read from the import statements of every file.

gsm <- models <- verbs (sms/*.py) <- tasks, views, modules. Every import counts, also one inside a function or
for type checking only, as it is there that layers first grow together.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("app", "sms", "voice")

FLASK = ("flask", "flask_babel", "flask_htmx", "flask_login", "flask_wtf", "wtforms")
TABLES = ("peewee", "playhouse")
QUEUE = ("huey",)

COMMANDS = (
    "app", "sms.cli", "sms.tether", "sms.supervisor", "sms.preparing", "sms.running", "sms.worker", "sms.demo",
)  # fmt: skip
"""What starts a process, or plays a whole morning through it, stands above everything."""

FLASK_HOMES = ("app", "sms.views", "sms.sandbox", "sms.i18n", "sms.cli", "sms.tether")

EXCEPTIONS = {
    # Without a file of carriers the sandbox is the carrier: its made-up account is a setting's default.
    ("sms.config", "sms.sandbox.account"),
}


class Layer(NamedTuple):
    """What the files under some package may import of ours (None: anything) and what they never may."""

    may: tuple[str, ...] | None
    never: tuple[str, ...]


LAYERS: dict[str, Layer] = {
    "voice": Layer(("voice",), (*FLASK, *TABLES, *QUEUE)),
    "sms.gsm": Layer(("sms.gsm",), (*FLASK, *TABLES, *QUEUE)),
    "sms.understanding": Layer(("sms.gsm", "sms.understanding"), (*FLASK, *TABLES, *QUEUE)),
    "sms.models": Layer(("sms.gsm", "sms.models", "sms.db", "sms.clock"), (*FLASK, *QUEUE)),
    "sms.carriers": Layer(("sms.gsm", "sms.carriers", "voice.script"), (*FLASK, *TABLES, *QUEUE)),
    "sms.sandbox": Layer(
        None, ("app", "sms.models", "sms.db", "sms.carriers", "sms.tasks", "sms.views", *TABLES, *QUEUE)
    ),
    "sms.tasks": Layer(None, ("app", "sms.views", "sms.sandbox")),
    "sms.views": Layer(None, ("app", "sms.tasks", "sms.sandbox", *QUEUE)),
    "sms.modules": Layer(None, ("app", "sms.tasks", "sms.sandbox")),
    "sms": Layer(None, ("app", "sms.tasks", "sms.views", "sms.sandbox")),
}
"""By package, the first that fits counts; "sms" itself are the verbs and what else lies flat in the folder."""


class Import(NamedTuple):
    importer: str
    file: str
    line: int
    imported: str


def test_every_import_keeps_to_the_direction_of_dependencies() -> None:
    assert violations(ROOT) == []


def test_no_file_is_named_after_nothing() -> None:
    vague = {
        "utils",
        "util",
        "helpers",
        "helper",
        "services",
        "service",
        "manager",
        "managers",
        "misc",
        "common",
    }

    assert [str(file.relative_to(ROOT)) for file in files(ROOT) if file.stem in vague] == []


@pytest.mark.parametrize(
    ("file", "statement", "rule"),
    [
        ("sms/gsm/segments.py", "from sms.clock import now", "sms.gsm may import only sms.gsm of ours"),
        ("sms/gsm/segments.py", "import peewee", "sms.gsm never imports peewee"),
        ("voice/ear.py", "from sms.gsm import segments", "voice may import only voice of ours"),
        ("voice/ear.py", "import flask", "voice never imports flask"),
        ("sms/models/message.py", "from sms import queue", "sms.models may import only"),
        ("sms/models/message.py", "from sms.config import Settings", "sms.models may import only"),
        (
            "sms/models/message.py",
            "from flask_login import UserMixin",
            "sms.models never imports flask_login",
        ),
        ("sms/carriers/twilio.py", "from sms.models import Message", "sms.carriers may import only"),
        ("sms/carriers/twilio.py", "from voice import store", "sms.carriers may import only"),
        ("sms/carriers/twilio.py", "import voice", "sms.carriers may import only"),
        ("sms/carriers/twilio.py", "from flask import request", "sms.carriers never imports flask"),
        ("sms/carriers/twilio.py", "from ..models import Message", "sms.carriers may import only"),
        ("sms/sending.py", "from flask import g", "sms.sending may not import flask"),
        ("sms/sending.py", "from flask_babel import gettext as _", "sms.sending may not import flask_babel"),
        ("sms/sending.py", "from sms.views import gate", "sms never imports sms.views"),
        ("sms/sending.py", "from sms import tasks", "sms never imports sms.tasks"),
        ("sms/sending.py", "from . import tasks", "sms never imports sms.tasks"),
        ("sms/sending.py", "def f():\n    from sms.tasks import sweeps", "sms never imports sms.tasks"),
        ("sms/sending.py", "from sms.modules import dialog", "the core never imports a module"),
        ("sms/sending.py", "import sms.modules.dialog", "the core never imports a module"),
        ("sms/worker.py", "from flask import current_app", "sms.worker may not import flask"),
        ("app.py", "from sms.modules.dialog import flow", "the core never imports a module"),
        ("sms/modules/__init__.py", "from . import dialog", "the core never imports a module"),
        ("sms/tasks/sweeps.py", "from flask import current_app", "sms.tasks.sweeps may not import flask"),
        ("sms/tasks/sweeps.py", "from sms.views import thread", "sms.tasks never imports sms.views"),
        ("sms/views/thread.py", "from sms.tasks import deliveries", "sms.views never imports sms.tasks"),
        ("sms/views/thread.py", "from app import create_app", "sms.views never imports app"),
        ("sms/sandbox/rest.py", "from sms.models import Message", "sms.sandbox never imports sms.models"),
        (
            "sms/modules/survey/flow.py",
            "from sms.modules.dialog import flow",
            "modules never import each other",
        ),
        ("sms/modules/survey/flow.py", "from ..dialog import flow", "modules never import each other"),
        ("sms/modules/survey/flow.py", "from sms.modules import dialog", "modules never import each other"),
        ("sms/modules/survey/flow.py", "from flask import g", "sms.modules.survey.flow may not import flask"),
    ],
)
def test_import_against_the_rules_is_found(tmp_path: Path, file: str, statement: str, rule: str) -> None:
    lay_out(tmp_path, {file: statement})

    (found,) = violations(tmp_path)

    assert rule in found
    assert file in found


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("app.py", "from flask import Flask\nfrom sms import views\nfrom sms.modules import modules"),
        ("sms/gsm/sender_id.py", "from sms.gsm import msisdn\nfrom . import fold\nimport phonenumbers"),
        ("sms/models/message.py", "import peewee\nfrom sms.db import Table\nfrom sms.gsm import segments"),
        ("sms/carriers/twilio.py", "from voice.script import Step\nfrom voice import script\nimport twilio"),
        ("sms/sending.py", "from sms import queue\nfrom sms.modules import modules\nfrom voice import store"),
        ("sms/worker.py", "from sms.tasks import sweeps"),
        ("sms/cli.py", "import click\nfrom flask.cli import AppGroup\nfrom sms.views.gate import link"),
        ("sms/views/thread.py", "from flask import request\nfrom sms import sending"),
        ("sms/modules/survey/views.py", "from flask import request\nfrom sms.modules.survey import flow"),
        ("sms/modules/survey/views/form.py", "from flask_wtf import FlaskForm\nfrom .. import flow"),
        ("sms/modules/survey/__init__.py", "from sms.modules import Module\nfrom . import flow"),
        ("sms/sandbox/rest.py", "from flask import request\nfrom sms.gsm import msisdn"),
    ],
)
def test_import_within_the_rules_is_left_alone(tmp_path: Path, file: str, statement: str) -> None:
    lay_out(tmp_path, {file: statement})

    assert violations(tmp_path) == []


def test_tree_without_any_of_the_folders_has_no_violations(tmp_path: Path) -> None:
    assert violations(tmp_path) == []


def violations(root: Path) -> list[str]:
    """Return one sentence for each import under `root` that breaks a rule."""
    found = []
    for statement in imports(root):
        if rule := broken_rule(statement.importer, statement.imported):
            found.append(f"{statement.file}:{statement.line} imports {statement.imported}: {rule}")
    return found


def broken_rule(importer: str, imported: str) -> str | None:
    return (
        _against_flask(importer, imported)
        or _against_modules(importer, imported)
        or _against_layer(importer, imported)
    )


def _against_flask(importer: str, imported: str) -> str | None:
    package = imported.partition(".")[0]
    if package not in FLASK or _layer(importer) in ("voice", "sms.gsm", "sms.models", "sms.carriers"):
        return None  # the layer's own rule says it better
    parts = importer.split(".")
    is_module_view = parts[:2] == ["sms", "modules"] and parts[3:4] == ["views"]
    if is_module_view or within(importer, FLASK_HOMES):
        return None
    return f"{importer} may not import {package}; Flask belongs to app.py and the views"


def _against_modules(importer: str, imported: str) -> str | None:
    theirs = imported.split(".")[:3]
    if theirs[:2] != ["sms", "modules"] or len(theirs) < 3:
        return None
    ours = importer.split(".")[:3]
    if ours == theirs:
        return None
    if ours[:2] == theirs[:2] and len(ours) == 3:
        return "modules never import each other; give the core what both need"
    return "the core never imports a module; it calls the hooks in sms.modules"


def _against_layer(importer: str, imported: str) -> str | None:
    if within(importer, COMMANDS) or (importer, imported) in EXCEPTIONS:
        return None
    layer = _layer(importer)
    may, never = LAYERS[layer]
    if forbidden := within(imported, never):
        return f"{layer} never imports {forbidden}"
    if may is not None and within(imported, OURS) and not within(imported, may):
        return f"{layer} may import only {', '.join(may)} of ours"
    return None


def _layer(importer: str) -> str:
    return within(importer, tuple(LAYERS)) or importer


def within(name: str, packages: tuple[str, ...]) -> str | None:
    """Return the first of `packages` that `name` is or lies in."""
    return next((p for p in packages if name == p or name.startswith(f"{p}.")), None)


def imports(root: Path) -> Iterator[Import]:
    for file in files(root):
        path = file.relative_to(root)
        importer = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for imported in names_of(node, path, root):
                yield Import(importer, str(path), getattr(node, "lineno", 0), imported)


def files(root: Path) -> list[Path]:
    return [*root.glob("app.py"), *sorted(root.glob("sms/**/*.py")), *sorted(root.glob("voice/**/*.py"))]


def names_of(node: ast.AST, path: Path, root: Path) -> list[str]:
    """Return the full names of the modules that an import statement brings in; none for any other node."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    package = path.parent.parts[: len(path.parent.parts) + 1 - node.level] if node.level else ()
    base = ".".join((*package, *filter(None, [node.module])))
    return [_module_of(base, alias.name, root) for alias in node.names]


def _module_of(base: str, name: str, root: Path) -> str:
    """Return base.name where that is a file or folder of ours, else base: `from sms import queue` is sms.queue."""
    place = root.joinpath(*base.split("."), name)
    return f"{base}.{name}" if place.is_dir() or place.with_suffix(".py").is_file() else base


def lay_out(root: Path, contents: dict[str, str]) -> None:
    """Make a small tree with a file of every layer, so that names can be told from modules."""
    layers = [
        "gsm/fold",
        "gsm/msisdn",
        "gsm/segments",
        "models/message",
        "carriers/twilio",
        "tasks/sweeps",
        "queue",
    ]
    layers += ["tasks/deliveries", "views/gate", "sandbox/rest", "modules/dialog/flow", "modules/survey/flow"]
    empty = {f"sms/{layer}.py": "" for layer in layers} | {"voice/script.py": "", "voice/store.py": ""}
    for file, text in (empty | contents).items():
        place = root / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
