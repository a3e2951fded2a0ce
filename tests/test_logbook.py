"""The log: one id from a request to all its lines, in text and in JSON, and nothing that must not be there."""

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.logbook import Discreet, Structured, Traced, adopt, sane_trace, trace, tracing

UUID = "7d9f1c3e-5a0b-4c2d-8e6f-123456789012"


@pytest.fixture(params=["text", "json"])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What the logger `probe` writes in each form."""
    out, log = io.StringIO(), logging.getLogger("probe")
    handler = logging.StreamHandler(out)
    handler.setFormatter(Structured() if request.param == "json" else Discreet("%(name)s: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield out
    log.removeHandler(handler)


def answered(headers: dict[str, str]) -> tuple[str, str]:
    """The trace a request had inside the application, and the one it was answered with."""
    seen, given_back = [], {}

    def wsgi(environ, start_response):
        seen.append(trace())
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b""]

    list(Traced(wsgi)(headers, lambda status, given, *more: given_back.update(given)))
    assert trace() == ""
    return seen[0], given_back["X-Request-ID"]


def test_outside_of_requests_and_jobs_there_is_no_trace():
    assert trace() == ""


def test_a_request_keeps_the_id_it_came_with_and_is_answered_with_it():
    assert answered({"HTTP_X_REQUEST_ID": UUID}) == (UUID, UUID)


def test_a_request_without_an_id_gets_one_of_its_own():
    one, other = answered({}), answered({})
    assert one[0] == one[1] and len(one[0]) == 16
    assert one != other


@pytest.mark.parametrize(
    "offered",
    ["", "short", "x" * 37, "a b c d e f", "evil\nline", "+491713920042", "491713920042", "to-491713920042", "äöüäöüäöü"],
)  # fmt: skip
def test_what_is_no_sane_id_is_replaced(offered):
    inside, outside = answered({"HTTP_X_REQUEST_ID": offered})
    assert inside == outside != offered
    assert len(inside) == 16


@given(st.text(max_size=50))
def test_whatever_is_offered_an_id_never_breaks_a_line_or_a_field(offered):
    assert sane_trace(offered) in ("", offered)
    assert all(c.isascii() and (c.isalnum() or c in "_.-") for c in sane_trace(offered))


def test_traces_nest_and_come_back():
    with tracing("outer-1"):
        with tracing("inner-1") as inner:
            assert trace() == inner == "inner-1"
        assert trace() == "outer-1"
    assert trace() == ""


def test_what_a_request_turns_out_to_be_about_gives_it_its_id_until_it_ends():
    adopt("nowhere-1")
    assert trace() == ""
    with tracing("report-1"):
        adopt("message-1")
        adopt("")
        assert trace() == "message-1"
    assert trace() == ""


def test_threads_do_not_share_a_trace():
    seen = []
    with tracing("mine-only"):
        thread = threading.Thread(target=lambda: seen.append(trace()))
        thread.start()
        thread.join()
    assert seen == [""]


def test_every_line_carries_the_trace_where_there_is_one(written):
    log = logging.getLogger("probe")
    log.info("before")
    with tracing(UUID):
        log.info("within")
    before, within = written.getvalue().splitlines()
    assert UUID not in before and "trace" not in before
    assert UUID in within


def test_a_fault_is_told_with_its_trace_and_without_the_number(written):
    log = logging.getLogger("probe")
    with tracing("fault-1"):
        try:
            raise ValueError("nobody at +491713920042")
        except ValueError:
            log.exception("calling %s failed", "0171 3920042 or 00491713920042")
    first = written.getvalue().splitlines()[0]
    assert "fault-1" in first
    assert "392004" not in written.getvalue()
    assert "…42" in written.getvalue()


def test_json_is_one_object_a_line_whatever_is_in_it():
    record = logging.makeLogRecord({"name": "probe", "msg": 'two\nlines and "quotes" and Grüße'})
    text = Structured().format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert (line["logger"], line["message"]) == ("probe", 'two\nlines and "quotes" and Grüße')
    assert line["at"].endswith("+00:00")
