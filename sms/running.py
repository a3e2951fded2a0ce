"""What runs without pages, the worker and the SMPP links: neither needs Flask, which a process pays for with memory."""

import importlib
import pkgutil
from collections.abc import Callable

from sms import accounts, clock, config, db, exchange, i18n, logbook, queue, tasks


def connect(settings: config.Settings) -> None:
    """Point this process at an installation: its secret, database, queue and carriers; raises ConfigError."""
    if settings.ahead:
        clock.set_ahead(settings.ahead)
    accounts.use_secret(settings.secret_key)
    db.connect(settings.database_url)
    # The jobs are registered by importing them; only then can a verb ring one by its name.
    for module in pkgutil.iter_modules(tasks.__path__):
        importlib.import_module(f"{tasks.__name__}.{module.name}")
    queue.connect(settings.queue_url, settings.data)
    exchange.connect(settings)


def alone(words: list[str]) -> None:
    """Run a command that needs no pages (`worker`, `smpp NAME`) in a process of its own; raises ConfigError."""
    settings = config.load()
    i18n.compile_catalogues()
    connect(settings)
    COMMANDS[words[0]](settings, *words[1:])


def work(settings: config.Settings) -> None:
    """Deliver, call and do what is due, until SIGTERM or SIGINT; raises ConfigError where the queue cannot be used."""
    from sms import worker

    logbook.open_logbook(settings.log)
    try:
        queue.depth()
    except Exception as error:  # whichever driver it is: without a queue there is nothing to do
        raise config.ConfigError(f"FADEN_QUEUE_URL: the queue cannot be used: {error}") from None
    worker.work(queue.current())


def keep_link(settings: config.Settings, name: str) -> None:
    """Keep the link of an SMPP carrier and send its texts over it, until SIGTERM or SIGINT; raises ConfigError."""
    from sms import smpp_bind

    logbook.open_logbook(settings.log)
    smpp_bind.run(name)


COMMANDS: dict[str, Callable[..., None]] = {"worker": work, "smpp": keep_link}
