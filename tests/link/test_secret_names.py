"""Which names are those of secrets, where the rest of the project decides."""

from __future__ import annotations

import pytest

from prodready import knowledge
from prodready.link.secret_names import Names

COINS = ["chain/evm/pools.py", "chain/evm/tokens.py", "chain/solana/balances.py"]


@pytest.mark.parametrize(("others", "expected"), [(0, True), (50, True), (100, False)])
def test_a_few_files_of_coins_do_not_make_a_wallet_of_a_large_project(others: int, expected: bool) -> None:
    paths = [*COINS, *(f"shop/page_{number}.py" for number in range(others))]
    assert Names(knowledge.load()).deals_in_coins(paths) is expected


@pytest.mark.parametrize(
    ("name", "expected"), [("token", True), ("pool_tokens", True), ("access_token", False), ("api_key", False)]
)
def test_what_may_be_a_coin(name: str, expected: bool) -> None:
    assert Names(knowledge.load()).may_be_coin(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("sid", True), ("session_sid", True), ("CallSid", False), ("MessageSid", False), ("verifiable_credential", False)],
)
def test_what_is_numbered_or_issued_for_all_to_see_is_no_secret(name: str, expected: bool) -> None:
    assert Names(knowledge.load()).is_secret(name) is expected
