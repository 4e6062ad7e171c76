"""Pure rules of the registry: bodies, recipients, what is told by mail, how pages say things."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import jsonschema_rs
import pytest

from api_srv import clock, presenting
from api_srv.errors import TooManyAttempts
from api_srv.services import notify, recipients, secrets
from api_srv.services.attempts import Attempts
from project.core import rules
from project.core.cluster_status import STATUS

_DOMAINS = frozenset({"uni.example"})


_AT = "2026-11-20T10:00:00.000000Z"
_UUID = "3f2b1c0e-0000-4000-8000-000000000000"
_RULES = [
    (rules.text(3, least=1), ["a", "abc"], ["", "abcd", 1, None]),
    (rules.whole(1, 9), [1, 9], [0, 10, True, 1.0, "1"]),
    (rules.word("a", "b"), ["a"], ["c", ["a"], None]),
    (rules.many(rules.FLAG), [[], [True]], [[1], True, {}]),
    (rules.NAME, ["demo", "a.b-c_1"], ["", "-a", "a/b", "a" * 65, "ż", "a\n"]),
    (rules.UUID, ["3f2b1c0e-0000-4000-8000-000000000000"], ["3F2B1C0E-0000-4000-8000-000000000000", "x", ""]),
    (rules.MAIL, ["a@b.example"], ["a", "a b@c", "a@b\nBcc: c@d", "a@b,c@d", ""]),
    (rules.TIME, ["2026-11-20T10:00:00.000000Z"], ["2026-11-20", "2026-11-20T10:00:00Z", 5, ""]),
    (rules.ROW, [{}, {"JobID": "1", "NCPUS": 4, "X": None}], [{"a.b": "x"}, {"$x": 1}, {"a": []}, []]),
    (rules.SCALAR, [None, "x", 5, True], [1.5, [], {}, 2**60]),
    (rules.written("a+", "a's"), ["a", "aaa"], ["", "b", "ab", "a\n", 1]),
    (rules.optional(rules.FLAG), [None, True], [0, "", "null"]),
    (rules.NUMBER, [1, 1.5, -3], ["1", None, True, 1e300]),
    (rules.COUNTS, [{}, {"a": 1}], [{"a": "1"}, {"a": -1}, [], {"a": None}]),
    (rules.COLUMNS, [{}, {"JobID": ["1"], "State": ["R"]}], [{"JobID": "1"}, {"a.b": []}, {"JobID": [[]]}, []]),
    (rules.keyed({"x": rules.FLAG}, "", ["x"]), [{"x": True}, {"x": False, "y": 1}], [{}, {"x": 1}, []]),
    (STATUS, [{"taken_at": _AT, "nodes": [{"name": "n", "cpus": None}]}], [{}, {"taken_at": _AT, "nodes": [{}]}]),
]


@pytest.mark.parametrize(("rule", "good", "bad"), _RULES)
def test_rules(rule: rules.Rule, good: list[Any], bad: list[Any]) -> None:
    """Each rule accepts what it describes and nothing else."""
    assert [value for value in good if not rule.accepts(value)] == []
    assert [value for value in bad if rule.accepts(value)] == []


@pytest.mark.parametrize(("rule", "good", "bad"), _RULES)
def test_what_is_published_of_a_rule_is_the_rule(rule: rules.Rule, good: list[Any], bad: list[Any]) -> None:
    """Its JSON Schema says the same, but for what JSON Schema takes for a whole number and for a mail address."""
    published = jsonschema_rs.Draft202012Validator(rule.schema, validate_formats=True)
    assert [value for value in good if not published.is_valid(value)] == []
    assert [value for value in bad if published.is_valid(value) and value not in (1.0, "a@b,c@d")] == []


def test_what_is_all_wrong_is_told_with_an_end() -> None:
    """A hundred problems are enough, and the search for what was meant is not made for each of a million keys."""
    body = {f"{number}{'x' * 100_000 if number == 0 else ''}": 1 for number in range(300_000)}
    found = list(rules.problems(body, {"known": rules.FLAG}))
    assert len(found) == rules.MOST_PROBLEMS
    assert max(len(problem.key) for problem in found) <= 200


@pytest.mark.parametrize(
    ("user_mail", "expected"),
    [
        ("", "ann@example.org"),
        ("ANN@example.org", "ANN@example.org"),
        ("x@uni.example", "x@uni.example"),
        ("x@UNI.example", "x@UNI.example"),
        ("x@sub.uni.example", "ann@example.org"),
        ("victim@elsewhere.example", "ann@example.org"),
    ],
)
def test_mail_goes_to_the_account_or_an_allowed_domain(user_mail: str, expected: str) -> None:
    """Any other address falls back to the account's, and was a problem when the job was created."""
    assert recipients.recipient(user_mail, "ann@example.org", _DOMAINS) == expected
    found = list(recipients.problems({"user_mail": user_mail}, "ann@example.org", _DOMAINS))
    assert bool(found) == (bool(user_mail) and expected != user_mail)


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (None, ["PENDING", "RUNNING", "SUSPENDED", "FAILED", "ERROR", "HIBERNATING"]),
        (["queued", "errors"], ["PENDING", "ERROR", "HIBERNATING"]),
        ("ended", ["FAILED", "HIBERNATING"]),
        (["none"], []),
    ],
)
def test_notify_narrows_what_is_told(chosen: Any, told: list[str]) -> None:
    """Our own steps are never told; Slurm's words by their phase; unknown words to all who want mail."""
    words = ["CREATED", "PENDING", "RUNNING", "SUSPENDED", "FAILED", "POSTPROCESSING", "DONE", "ERROR", "HIBERNATING"]
    user_input = {} if chosen is None else {"notify": chosen}
    assert [word for word in words if notify.mails_state(user_input, word)] == told


class _Counted:
    """Failed logins in memory, as UserStore keeps them."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def failures(self, key: str, _now: str) -> dict[str, Any] | None:
        """Return what is counted."""
        return (
            {"failures": self.counts[key], "expires_at": clock.later(clock.now(), 60)} if key in self.counts else None
        )

    def count_failure(self, key: str, _now: str, _expires_at: str) -> None:
        """Count one."""
        self.counts[key] = self.counts.get(key, 0) + 1


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("unknown", "unknown", True),
    ],
)
def test_guesses_from_one_place_count_together(first: str, second: str, *, together: bool) -> None:
    """Whoever has an IPv6 network has as many addresses as they like; they count as one."""
    attempts = Attempts(_Counted(), limit=3)  # type: ignore[arg-type] # two of its methods are all that is used
    for _ in range(3):
        attempts.failed("ann", first)
    with pytest.raises(TooManyAttempts) if together else nullcontext():
        attempts.refuse_guessing("ann", second)


def test_secrets_are_found_and_removed_at_any_depth() -> None:
    """Keys that name a secret count whatever their case; empty ones do no harm."""
    value = {"a": [{"Passphrase": "x"}], "private_key": "", "passphrase": None, "b": {"PRIVATE_KEY": {"c": 1}}}
    assert list(secrets.secret_paths(value)) == ["a[0].Passphrase", "b.PRIVATE_KEY"]
    assert secrets.scrubbed(value) == {"a": [{}], "b": {}}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "just now"), (59, "just now"), (61, "1 minute ago"), (7201, "2 hours ago"), (200_000, "2 days ago")],
)
def test_ages(seconds: float, words: str) -> None:
    """Ages are said in the largest unit that fits."""
    assert presenting.age(clock.later(clock.now(), -seconds)) == words


def test_tones() -> None:
    """Every state has a colour, unknown ones too."""
    words = ["CREATED", "PENDING", "RUNNING", "COMPLETED", "CANCELLED by 5", "FAILED", "ERROR", "WHATEVER"]
    assert [presenting.tone(word) for word in words] == [
        *("own", "waiting", "running", "good"),
        *("quiet", "bad", "bad", "own"),
    ]


def test_shares_fill_the_bar() -> None:
    """The parts of a bar follow each other up to 100; nonsense counts as nothing."""
    parts = presenting.shares({"allocated": 1, "idle": 3, "other": "?"})
    assert parts == [("allocated", 1, 0.0, 25.0), ("other", 0, 25.0, 0.0), ("idle", 3, 25.0, 75.0)]
    assert presenting.shares(None) == [("allocated", 0, 0.0, 0.0), ("other", 0, 0.0, 0.0), ("idle", 0, 0.0, 0.0)]
