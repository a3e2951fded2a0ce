"""The `flask` commands: each parses its words, calls one verb and prints what a person or a script needs."""

import contextvars
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from sms import accounts, backup, config, exchange, health, logbook, migrate, prices, probing, running
from sms.carriers.contract import Outcome, OutcomeKind, in_a_line
from sms.db import database
from sms.models import Account
from sms.models.account import ROLES
from sms.refusal import Conflict, Impossible, Refused
from sms.views.invitation import password_link
from sms.wording import sentence

F = TypeVar("F", bound=Callable[..., Any])


class Sorry(click.ClickException):
    """One line on standard error and exit code 2, never a trace."""

    exit_code = 2


def plainly(function: F) -> F:
    """Turn the expected refusals of a command, a wrong setting included, into one clear line."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (config.ConfigError, Impossible) as error:
            raise Sorry(str(error)) from None
        except Refused as refused:
            raise Sorry(f"{refused.field}: {sentence(refused.code, **refused.params)}") from None
        except Conflict as conflict:
            raise Sorry(sentence(conflict.code, **conflict.params)) from None

    return run  # type: ignore[return-value]


def connected(function: F) -> F:
    """Run a command within the application and with a database connection."""

    @wraps(function)
    @with_appcontext
    @plainly
    def run(*args: Any, **kwargs: Any) -> Any:
        with database.connection_context():
            _demand_tables()
            return function(*args, **kwargs)

    return run  # type: ignore[return-value]


def _demand_tables() -> None:
    if migrate.missing():
        raise Sorry("The database is not up to date. Run: flask --app app db migrate")


def settings() -> config.Settings:
    """Return the settings of the running application."""
    return current_app.extensions["faden"]  # type: ignore[no-any-return]


def register(app: Flask) -> None:
    """Add the commands to an application."""
    for command in (
        db_group,
        account_group,
        user_group,
        key_group,
        carrier_group,
        worker,
        smpp,
        web,
        sandbox,
        demo,
        up,
    ):
        app.cli.add_command(command)


db_group = AppGroup("db", help="The database.")
account_group = AppGroup("account", help="Accounts: the customers of this installation.")
user_group = AppGroup("user", help="People who sign in.")
key_group = AppGroup("api-key", help="Keys of programs.")
carrier_group = AppGroup("carrier", help="Carriers.")


@db_group.command("migrate")
@plainly
def db_migrate() -> None:
    """Bring the tables to this release; again is harmless."""
    names = migrate.up()
    click.echo("\n".join(names) if names else "Nothing to do.")


@db_group.command("copy-to")
@click.argument("url")
@with_appcontext
@plainly
def db_copy_to(url: str) -> None:
    """Copy everything from SQLite to the empty PostgreSQL database at URL, and prove that it has arrived."""
    from sms.transfer import copy_to

    with database.connection_context():
        _demand_tables()
    copied = copy_to(url, lambda c: click.echo(f"{c.table:24} {c.rows:>10} rows  {c.checksum}"))
    click.echo(f"{sum(c.rows for c in copied)} rows in {len(copied)} tables, the same on both sides.")
    click.echo("Now set FADEN_DATABASE_URL to it and start. The old database is as it was.")


@db_group.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
@plainly
def db_backup(file: Path) -> None:
    """Write database, audio and secret key into a new FILE, while Faden runs."""
    found = backup.backup(settings(), file.absolute())
    click.echo(f"{file}: {found.database} and {found.audio} audio files as of {found.at}")


@db_group.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@with_appcontext
@plainly
def db_restore(file: Path) -> None:
    """Put the backup FILE into an empty FADEN_DATA and database."""
    found = backup.restore(settings(), file.absolute())
    click.echo(f"Restored {found.database} and {found.audio} audio files as of {found.at}.")
    with database.connection_context():
        behind = migrate.missing()
    if behind:
        click.echo("It is of an earlier release. Now run: flask --app app db migrate")


@account_group.command("add")
@click.argument("name")
@click.option("--zone", default="Europe/Berlin", show_default=True)
@click.option("--locale", default="de", show_default=True, type=click.Choice(["de", "en"]))
@connected
def account_add(name: str, zone: str, locale: str) -> None:
    """Open an account and print its id alone."""
    click.echo(accounts.add_account(name, zone=zone, locale=locale).id)


@account_group.command("price")
@click.argument("account_id", type=int)
@click.option("--sms", help="Of one SMS in euros, such as 0.075.")
@click.option("--minute", help="Of one minute of a call in euros.")
@connected
def account_price(account_id: int, sms: str | None, minute: str | None) -> None:
    """Set what an account's messages cost; an empty price takes it away. Prints the prices."""
    given = (("price_part", sms), ("price_minute", minute))
    account = _account(account_id)
    if changed := {name: prices.read(typed, name) for name, typed in given if typed is not None}:
        accounts.change_account(account, **changed)
    shown = (prices.written(price, "en") or "-" for price in (account.price_part, account.price_minute))
    click.echo("SMS {} minute {}".format(*shown))


@user_group.command("add")
@click.argument("email")
@click.option("--account", "account_id", required=True, type=int)
@click.option("--role", default="agent", show_default=True, type=click.Choice(ROLES))
@click.option("--name", default="")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)
@connected
def user_add(email: str, account_id: int, role: str, name: str, password_stdin: bool) -> None:
    """Add a person and print the one-time link with which she sets her password."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    if password == "":
        raise Refused("password", "empty")
    # Whoever has the machine may choose any other: the rules are for people on the web.
    with database.atomic():
        user = accounts.add_user(_account(account_id), email, name=name, role=role)
        if password is not None:
            accounts.set_password(user, password)
            return
    with current_app.test_request_context():
        click.echo(password_link(user))


@key_group.command("add")
@click.option("--account", "account_id", required=True, type=int)
@click.option("--name", required=True)
@connected
def api_key_add(account_id: int, name: str) -> None:
    """Make an API key and print it alone; it is never shown again."""
    click.echo(accounts.add_api_key(_account(account_id), name)[1])


def _account(account_id: int) -> Account:
    account = Account.get_or_none(Account.id == account_id)
    if account is None:
        raise Sorry(f"There is no account {account_id}.")
    return account


@carrier_group.command("check")
@click.pass_context
@connected
def carrier_check(context: click.Context) -> None:
    """Ask every carrier whether it knows us, and tell how it stands; exit code 1 where one does not answer."""
    sick = False
    for name, carrier in exchange.carriers().items():
        outcome = probing.asked(carrier)
        well = outcome.kind is OutcomeKind.accepted
        sick = sick or not well
        numbers = sum(number.carrier == name for number in exchange.numbers())
        row = health.row_of(name)
        state = health.shown(row)
        stands = "" if state == "up" else f", {state}" + (f": {row.detail}" if row.detail else "")
        click.echo(f"{name}: {'ready' if well else _trouble(outcome)}, {numbers} numbers{stands}")
    context.exit(1 if sick else 0)


def _trouble(outcome: Outcome) -> str:
    return in_a_line(outcome.kind, outcome.code, outcome.detail)


@click.command()
@with_appcontext
@plainly
def worker() -> None:
    """Deliver, call and do what is due, until SIGTERM or Ctrl-C."""
    running.work(settings())


@click.command()
@click.argument("name")
@with_appcontext
@plainly
def smpp(name: str) -> None:
    """Keep the link of the SMPP carrier NAME and send its texts over it, until SIGTERM or Ctrl-C."""
    running.keep_link(settings(), name)


@click.command()
@with_appcontext
@plainly
def web() -> None:
    """Serve the inbox, the API and the webhooks, until SIGTERM or Ctrl-C."""
    from sms import heart, live
    from sms.ports import PortTaken
    from sms.server import serve
    from sms.views.live_stream import events

    logbook.open_logbook(settings().log)
    live.feed.for_pages = True
    app, chosen = current_app._get_current_object(), settings()  # type: ignore[attr-defined]
    try:
        # Without this command's application context: requests that inherit it would share one `g`, and with it
        # the signed-in user, the CSRF token and the nonce.
        with heart.beating("web", lambda: str(len(live.feed))):
            contextvars.Context().run(serve, app, chosen.host, chosen.port, {"/events": events})
    except PortTaken as taken:
        raise Sorry(f"{taken}. Set PORT to another one.") from None


@click.command()
@with_appcontext
@plainly
def sandbox() -> None:
    """Run the pretend phone network on PORT+1, until SIGTERM or Ctrl-C."""
    from sms.sandbox.serve import serve

    serve(settings())


@click.command()
@with_appcontext
@plainly
def demo() -> None:
    """Make the demo account and its conversations, where they are not there yet."""
    from sms.demo import conversations, people

    logbook.open_logbook(settings().log)
    migrate.up()
    click.echo("\n".join(people.prepare(settings()).lines()))
    conversations.play(settings())


@click.command()
@plainly
def up() -> None:
    """Start everything that `make run` starts."""
    from sms.supervisor import main

    sys.exit(main())
