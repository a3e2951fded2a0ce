"""State machines over the real database: a fresh copy for every run of steps."""

from typing import Any, ClassVar

from hypothesis import HealthCheck
from hypothesis import settings as profile
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from sms import clock, config, db
from tests.database import KIND, Source


class Practice(RuleBasedStateMachine):
    """Starts from the template database at the machine's own time."""

    template: ClassVar[Source]
    settings: ClassVar[config.Settings]

    def __init__(self) -> None:
        super().__init__()
        clock.reset()
        self.template.fresh(self.settings)
        db.connect(self.settings.database_url)
        db.database.connect()

    def teardown(self) -> None:
        clock.reset()
        db.database.close()
        db.database.close_all()


def play(machine: type[Practice], template: Source, settings: config.Settings, runs: int, steps: int) -> None:
    """Run a machine so many times for so many steps; the test's own database is open again afterwards."""
    db.database.close()
    machine.template, machine.settings = template, settings
    checks: Any = list(HealthCheck)
    if KIND != "sqlite":
        runs = max(3, runs // 2)
    run_state_machine_as_test(
        machine,
        settings=profile(
            max_examples=runs, stateful_step_count=steps, deadline=None, suppress_health_check=checks
        ),
    )
    db.connect(settings.database_url)
    db.database.connect(reuse_if_open=True)
