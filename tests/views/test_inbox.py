"""The list of conversations, as a browser without script sees it."""

from tests.views import practice


def test_the_list_shows_a_conversation_with_its_newest_text(client, account, anna):
    talk = practice.conversation(account)
    practice.write_in("Muss ich nüchtern kommen?")
    page = client.get("/inbox?view=open").get_data(as_text=True)
    assert f'href="/conversations/{talk.id}?view=open"' in page
    assert "Muss ich nüchtern kommen?" in page
    assert "data-unread" in page


def test_a_thread_shows_both_sides(client, account, anna):
    talk = practice.conversation(account)
    practice.write_in("Muss ich nüchtern kommen?")
    practice.write_out(talk, "Nein, frühstücken Sie ruhig.", anna)
    page = client.get(f"/conversations/{talk.id}").get_data(as_text=True)
    assert "Muss ich nüchtern kommen?" in page
    assert "Nein, frühstücken Sie ruhig." in page
