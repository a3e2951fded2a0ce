"""A phone of whose texts the network never reports: its messages get their status all the same."""

from datetime import timedelta

from sms import clock, grey, health, sending
from sms.models import CarrierHealth
from tests.network import MARGARETHE, settings, town  # noqa: F401


def test_a_text_that_is_never_reported_is_delivered_in_the_end(account, town):  # noqa: F811
    town.set(MARGARETHE, reports="never")
    message = sending.send(account, MARGARETHE, "Ihr Rezept liegt bereit.")
    town.work()
    town.until(lambda: town.texts(MARGARETHE))
    assert town.status(message) == "sent"
    health.row_of("sandbox")
    clock.shift(grey.FIRST_AFTER)

    def asked() -> bool:
        CarrierHealth.update(grey_at=None).execute()
        clock.shift(timedelta(minutes=11))
        return grey.ask_about_grey("sandbox") == 1 and town.status(message) == "delivered"

    town.until(asked)
