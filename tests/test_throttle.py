"""Counting attempts in the database, from several threads, by a clock that tests move."""

import threading
from datetime import timedelta

import pytest
from limits import RateLimitItemPerMinute

from sms import clock, throttle
from sms.db import database
from sms.models import Throttle

THREE = RateLimitItemPerMinute(3, 1, namespace="test")

pytestmark = pytest.mark.usefixtures("database_file", "still")


def test_attempts_are_counted_down() -> None:
    assert [throttle.count(THREE, "anna") for _ in range(5)] == [2, 1, 0, 0, 0]
    assert throttle.left(THREE, "jonas") == 3


def test_window_opens_with_the_first_attempt_and_says_when_it_closes() -> None:
    throttle.count(THREE, "anna")
    began = clock.now()
    clock.shift(timedelta(seconds=40))
    throttle.count(THREE, "anna")
    assert timedelta(seconds=59) < throttle.until(THREE, "anna") - began < timedelta(seconds=61)
    clock.shift(timedelta(seconds=21))
    assert throttle.left(THREE, "anna") == 3
    assert throttle.count(THREE, "anna") == 2


def test_forgiven_is_forgotten() -> None:
    throttle.count(THREE, "anna")
    throttle.forgive(THREE, "anna")
    assert throttle.left(THREE, "anna") == 3


def test_table_holds_no_addresses_and_no_old_windows() -> None:
    throttle.count(THREE, "anna@praxis.example", "192.0.2.7")
    row = Throttle.get()
    assert "anna" not in row.key
    assert "192" not in row.key
    clock.shift(timedelta(minutes=2))
    throttle.count(THREE, "jonas@praxis.example")
    assert Throttle.select().count() == 1


def test_two_names_are_not_one_name_in_two_parts() -> None:
    throttle.count(THREE, "ab", "c")
    assert throttle.left(THREE, "a", "bc") == 3


def test_attempts_at_the_same_moment_are_all_counted() -> None:
    many = RateLimitItemPerMinute(1000, 1, namespace="many")

    def try_ten_times() -> None:
        with database.connection_context():
            for _ in range(10):
                throttle.count(many, "anna")

    threads = [threading.Thread(target=try_ten_times) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert throttle.left(many, "anna") == 920
