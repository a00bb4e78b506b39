"""The words of mails at the desk: looked at, tried, kept, used, and ours again."""

import pytest

from linkpay.adapters.mail import SmtpMailer
from tests.flows.stage import Stage
from tests.web.owner.conftest import Team
from tests.web.owner.desk import acts, send
from tests.web.visitor import form_of, words_of

PAGE = "/owner/studio/mails/welcome/nl"
OWN = "Welkom bij de club, {{ first_name }}\n\nWat fijn dat je er bent.\n\n> Naar de les: {{ order_url }}"


def test_own_words_are_tried_kept_sent_to_members_and_reset(team: Team, stage: Stage) -> None:
    owner = team.signed_in()
    looked = send(owner, PAGE, f"{PAGE}/look", text=OWN)
    assert "Wat fijn dat je er bent." in looked.text
    assert "Anna" in owner.look(f"{PAGE}/look").text, "nothing is kept by looking"
    assert "Wat fijn" not in owner.look(f"{PAGE}/look").text
    assert send(owner, PAGE, text=OWN).status_code == 303
    stage.buy("anna@example.com")
    (letter,) = [one for one in stage.mailer.letters if one.subject.startswith("Welkom bij de club")]
    assert letter.subject == "Welkom bij de club, Anna"
    assert send(owner, PAGE, f"{PAGE}/reset").status_code == 303
    assert "Wat fijn" not in owner.look(PAGE).text
    assert acts(stage) == ["mail_text_kept", "mail_text_reset"]


def test_what_cannot_be_sent_is_said_with_its_line_and_stays_in_the_form(team: Team, stage: Stage) -> None:
    broken = OWN.replace("Wat fijn", "{{ shoe_size }}")
    for to, status in ((PAGE, 422), (f"{PAGE}/trial", 422), (f"{PAGE}/look", 422)):
        answer = send(team.signed_in(), PAGE, to, text=broken)
        assert answer.status_code == status
        assert "Line 3" in words_of(answer)
    assert "shoe_size" in send(team.signed_in(), PAGE, text=broken).text
    assert not acts(stage)


def test_a_trial_goes_to_who_pressed_and_says_that_it_is_one(team: Team, stage: Stage) -> None:
    answer = send(team.signed_in(), PAGE, f"{PAGE}/trial", text=OWN)
    assert "Sent to owner@studio.example.com" in words_of(answer)
    (letter,) = stage.mailer.letters
    assert (letter.to, letter.subject) == ("owner@studio.example.com", "[proef] Welkom bij de club, Anna")
    assert acts(stage) == ["mail_tried"]


def test_a_mail_within_the_page_can_do_nothing(team: Team) -> None:
    owner = team.signed_in()
    framed = owner.look(f"{PAGE}/look")
    assert "script-src" not in framed.headers["Content-Security-Policy"]
    assert framed.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "sandbox" in framed.headers["Content-Security-Policy"]
    assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert owner.look("/owner/studio/members").headers["X-Frame-Options"] == "DENY"
    assert form_of(owner.look(PAGE)).fields["form_token"]


def test_every_mail_has_its_page_in_both_languages(team: Team) -> None:
    owner = team.signed_in()
    words = words_of(owner.look("/owner/studio/mails"))
    assert "A payment was taken back" in words
    for language in ("nl", "en"):
        assert owner.look(f"/owner/studio/mails/payment_failed/{language}").status_code == 200
    assert owner.look("/owner/studio/mails/nothing/nl").status_code == 404


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x0b", "\x85", "\x0c", "\x1c", "\0"])
def test_signs_that_nobody_sees_stop_no_mail(team: Team, stage: Stage, sign: str) -> None:
    answer = send(team.signed_in(), PAGE, text=OWN.replace("bij de club", f"bij de{sign} club"))
    assert answer.status_code == 303
    stage.buy("anna@example.com")
    (letter,) = [one for one in stage.mailer.letters if one.subject.startswith("Welkom bij de")]
    SmtpMailer("smtp://localhost:25", "LinkPay <pay@example.com>", stage.clock).compose(letter)
    assert "Wat fijn dat je er bent." in letter.text
