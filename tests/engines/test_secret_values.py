"""What of detect-secrets' findings counts, by the form of a value: each kind of token, put together here."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from prodready.engines import secret_files, secret_values, secrets_worker

MIXED = "R4nW1LkT7vBd9sYc2mHf6jGp3aEu5oRiQ8ZxV0qKw4Tz7Md1Ns5Xb8Py2Gf6Lh9Jr3Uc0Ea4Io7Wk1Sv5Bm8"
HEX = "4f1c9a7e2b8d6035c1e7f9a2d4b80e63"


def signed(**claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return "ey" + f"JhbGciOiJIUzI1NiJ9.{body}.{MIXED[:43]}"


TOKENS = {
    "AWS Access Key": "AK" + "IA2E7QX4NV9KT3WZ6B",
    "Azure Storage Account access key": "AccountKey=" + (MIXED * 2)[:86] + "==",
    "Discord Bot Token": "bot = 'M" + MIXED[:23] + "." + MIXED[30:36] + "." + MIXED[40:67] + "'",
    "GitHub Token": "gh" + "p_" + MIXED[:36],
    "GitLab Token": "gl" + "pat-" + MIXED[:20],
    "Mailchimp Access Key": "mailchimp = '" + HEX + "-us" + "12'",
    "NPM tokens": "//registry.npmjs.org/:_auth" + "Token=np" + "m_" + MIXED[:36],
    "OpenAI Token": "s" + "k-" + MIXED[:20] + "T3Blbk" + "FJ" + MIXED[20:40],
    "PyPI Token": "py" + "pi-AgEIcHlwaS5vcmc" + MIXED[:80],
    "SendGrid API Key": "S" + "G." + MIXED[:22] + "." + MIXED[20:63],
    "Slack Token": "xo" + "xb-4829103746-5830192847-" + "r4nw1lkt7vbd9syc2mhf6jgp",
    "Square OAuth Secret": "sq0" + "csp-" + MIXED[:43],
    "Stripe Access Key": "s" + "k_live_" + MIXED[:24],
    "Telegram Bot Token": "telegram = '48291" + "03746:" + MIXED[:35] + "'",
    "Twilio API Key": "twilio = 'S" + "K" + HEX + "'",
    "JSON Web Token": signed(sub="u-8812", role="service"),
}


def told(root: Path, text: str, name: str = "app.py") -> list[tuple[object, ...]]:
    """Line and message of what is found in a file with this text, after it was found worth a look."""
    (root / name).write_text(text)
    if not secret_files.worth(text.encode()):
        return []
    found = secrets_worker.examined({"root": str(root), "files": [name], "known": {}, "left_out": []})["found"]
    return [(row[1], row[9]) for row in found.get(name, [])]


@pytest.mark.parametrize("kind", TOKENS)
def test_each_form_is_found_whatever_it_is_given_to(tmp_path: Path, kind: str) -> None:
    text = TOKENS[kind]
    line = text if " = '" in text else f"run('{text}')"
    says = secret_values.WORDS.tokens.get(kind, "a signed token (JWT)")
    assert told(tmp_path, f"\n\n{line}\n") == [(3, f"{says} stands in the file")]


def test_every_kind_of_token_is_tried() -> None:
    assert (
        secret_values.WORDS.tokens.keys() - TOKENS.keys() == {"PyPI upload token"} & secret_values.WORDS.tokens.keys()
    )


@pytest.mark.parametrize(
    "line",
    [
        "token = 'gh" + "p_" + "x" * 36 + "'",  # to be filled in
        "TWILIO_ACCOUNT = 'A" + "C" + HEX + "'",  # the name of an account
        "token = 'eyJhbGciOiJIUzI1NiJ9.e30.short'",
        f"run('{signed(id=1, exp=1659513640)}')",  # a session
        f"run('{signed(id=1, iat=1659427240, exp=1659513640)}')",
        "run('s" + "k-learn-is-a-library-with-a-long-name')",
    ],
)
def test_what_only_looks_like_one_is_not_found(tmp_path: Path, line: str) -> None:
    assert told(tmp_path, f"{line}\n") == []


def test_a_token_that_lasts_for_years_counts(tmp_path: Path) -> None:
    line = f"run('{signed(role='service', iat=1659427240, exp=1975003240)}')\n"
    assert told(tmp_path, line) == [(1, "a signed token (JWT) stands in the file")]


@pytest.mark.parametrize(("name", "confidence"), [("client.py", 3), ("test_client.py", 1)])
def test_a_token_in_a_test_has_low_confidence(tmp_path: Path, name: str, confidence: int) -> None:
    (tmp_path / name).write_text(TOKENS["GitHub Token"] + "\n")
    job = {"root": str(tmp_path), "files": [name], "known": {}, "left_out": []}
    assert secrets_worker.examined(job)["found"][name][0][8] == confidence


@pytest.mark.parametrize("name", ["PASSCODE", "db_pswd", "senha", "kennwort", "contraseña", "settings['passcode']"])
def test_names_of_passwords_that_detect_secrets_does_not_know(tmp_path: Path, name: str) -> None:
    found = told(tmp_path, f'{name} = "Gewitter!83regen"\n')
    assert [line for line, _ in found] == [1]
    assert told(tmp_path, f'{name} = "Kennwort eingeben"\n') == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("environment: {REDIS_PASSWORD: Xk92jkKla91kzQ}", True),
        ('environment: {MODE: x, "REDIS_PASSWORD": Xk92jkKla91kzQ, B: c}', True),
        ("environment: {REDIS_PASSWORD: $REDIS_PASSWORD, B: c}", False),
        ("environment: {REDIS_PASSWORD: changeme12345, B: c}", False),
    ],
)
def test_values_in_a_mapping_on_one_line(tmp_path: Path, text: str, found: bool) -> None:
    assert bool(told(tmp_path, text + "\n", "compose.yml")) == found


@pytest.mark.parametrize("unit", ["a", "aB", "a1", "a-", "A_1"])
def test_long_words_are_judged_at_once(tmp_path: Path, unit: str) -> None:
    assert told(tmp_path, f'password = "{unit * 400}!"\n') == []


def test_lines_that_may_hold_a_secret_are_found_in_any_text() -> None:
    lines = ["İ = 1", "x = 2", 'İ_API_KEY = "a"', "", "password: b", "y"]
    assert list(secret_files.lines_worth(lines)) == [3, 5]


def test_long_rows_are_looked_at_once() -> None:
    """A file of 2 MB in base64, and one of nothing but names."""
    for unit in ("YmFzZTY0-", "secret_", "api_key"):
        assert not secret_files.worth((unit * (2_000_000 // len(unit))).encode())
