"""The announcement is a promise: word for word."""

from voice.announcement import PARAGRAPH, announced, announcement


def test_german_announcement_without_a_name_is_word_for_word():
    assert (
        announcement("de") == "Guten Tag. Sie haben eine Sprach-SMS erhalten, die Ihnen nun vorgelesen wird"
    )


def test_german_announcement_with_a_name_is_word_for_word():
    assert (
        announcement("de", "ABSENDERNAME")
        == "Guten Tag. Sie haben eine Sprach-SMS von ABSENDERNAME erhalten, die Ihnen nun vorgelesen wird"
    )


def test_the_spoken_form_of_the_sender_is_used():
    assert "von Müller erhalten" in announcement("de_DE", " Müller ")


def test_english_has_its_own():
    assert announcement("en_GB") == (
        "Hello. You have received a voice text message, which will now be read to you"
    )
    assert "from Miller, which" in announcement("en", "Miller")


def test_an_empty_sender_is_no_sender():
    assert announcement("de", "  ") == announcement("de", None) == announcement("de")


def test_braces_in_a_name_are_only_characters():
    assert "von {0} erhalten" in announcement("de", "{0}")


def test_text_follows_after_a_pause():
    assert announced("de", None, "Bis bald") == announcement("de") + PARAGRAPH + "Bis bald"


def test_a_text_of_pictures_is_announced_as_such():
    assert announced("de", None, "🙂").endswith(PARAGRAPH + "Die Nachricht besteht nur aus Bildzeichen.")
