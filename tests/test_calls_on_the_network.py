"""Voice messages from end to end: our web server, the carrier's adapter, and telephones that ring."""

from datetime import timedelta

from sms import answering, clock, inbox_list, sending, suppression
from sms.models import Call, Conversation, Message
from tests.network import ILSE, Town, settings, town  # noqa: F401

VOICE = "00493023125100"


def words(call) -> str:
    return " ".join(h.get("text") or h.get("url") or "" for h in call["heard"])


def test_a_landline_rings_and_hears_the_message(account, town: Town):
    town.set(ILSE, answer="auto")
    message = sending.send(account, ILSE, "Ihr Termin ist am Dienstag.")
    town.work()
    done = town.becomes(message, "delivered", 30)
    call = town.phone(ILSE)["calls"][0]
    assert call["status"] == "completed"
    assert any(h["kind"] == "play" and h["seconds"] > 3 for h in call["heard"])
    (row,) = town.calls(message)
    assert row.heard
    assert done.data["announcement"].startswith("Guten Tag. Sie haben eine Sprach-SMS erhalten")
    assert done.data["audio"]["seconds"] > 2


def test_a_busy_phone_is_called_three_times_with_ten_seconds_between(account, town: Town):
    town.set(ILSE, state="busy")
    message = sending.send(account, ILSE, "Ihr Termin ist am Dienstag.")
    for attempt in (1, 2, 3):
        town.until(lambda: town.work() or len(town.phone(ILSE)["calls"]) == attempt, 20)  # noqa: B023
        town.until(lambda: all(c.ended_at for c in town.calls(message)[:attempt]), 20)  # noqa: B023
        assert len(town.phone(ILSE)["calls"]) == attempt
        town.work()
        assert len(town.phone(ILSE)["calls"]) == attempt
        clock.shift(timedelta(seconds=10))
    assert town.becomes(message, "undelivered", 20).reason == "busy"
    first, second, third = town.calls(message)
    assert second.due_at is None
    assert second.started_at >= first.ended_at + timedelta(seconds=10)
    assert third.started_at >= second.ended_at + timedelta(seconds=10)


def test_keys_pressed_on_the_phone_ask_for_a_call_back_and_opt_out(account, anna, town: Town):
    town.set(ILSE, answer="auto", digits="2")
    first = sending.send(account, ILSE, "Bitte rufen Sie zurück, wenn Sie Fragen haben.")
    town.work()
    town.becomes(first, "delivered", 30)
    assert inbox_list.rows(anna, "open").items[0].preview_kind == "callback"
    town.set(ILSE, answer="auto", digits="9")
    second = sending.send(account, ILSE, "Noch eine Nachricht.")
    town.work()
    town.becomes(second, "delivered", 30)
    assert suppression.is_suppressed(account, ILSE.replace("00", "+", 1))


def test_who_calls_back_leaves_a_message_that_can_be_played(account, town: Town):
    town.call(ILSE, VOICE)
    call = town.until(
        lambda: Call.select().where(Call.direction == "incoming", Call.detail != "").first(), 30
    )
    message = town.until(lambda: answering.fetch_recording(call) or clock.shift(timedelta(seconds=6)), 30)
    assert (message.channel, message.direction) == ("voice", "incoming")
    assert message.data["audio"]["seconds"] > 0.5
    assert Conversation.get().preview_kind == "voicemail"
    assert Message.select().where(Message.channel == "event").count() == 1


def test_a_call_whose_answer_was_cut_off_rings_once(account, town: Town):
    town.set(ILSE, state="no-answer")
    town.misbehave(calls="cut", count=1)
    message = sending.send(account, ILSE, "Nur einmal")
    town.work()
    town.until(lambda: town.phone(ILSE)["calls"], 20)
    for seconds in (61, 70, 200):
        clock.shift(timedelta(seconds=seconds))
        town.sweep()
    assert len(town.phone(ILSE)["calls"]) == 1
    assert [c.attempt for c in town.calls(message)][0] == 1
