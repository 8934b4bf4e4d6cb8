"""Filter patterns, in a table: what matches, what does not, what is refused."""

from __future__ import annotations

import json

import pytest

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.logs.pattern import compile_pattern

TEXT = [
    ("ERROR", ["[ERROR 400] BAD REQUEST", "Exiting with ERRORCODE: -1"], ["error", "WARN"]),
    ("ERROR REQUEST", ["[ERROR 400] BAD REQUEST"], ["ERROR", "REQUEST"]),
    ('"ERROR 4"', ["[ERROR 400]"], ["ERROR  400", "4 ERROR"]),
    ('"ERROR" - "Exiting"', ["ERROR"], ["Exiting with ERRORCODE"]),
    ("ERROR -WARN", ["ERROR message"], ["ERROR WARN message", "WARN"]),
    ('-"a b"', ["ab"], ["a b"]),
    ("-x -y", ["z"], ["x", "y"]),
    ("?ERROR ?WARN", ["ERROR", "WARN", "both ERROR WARN"], ["INFO"]),
    ('?"a b" ?c', ["a b", "c"], ["a", "b"]),
    ("?ERROR WARN", ["ERROR WARN"], ["ERROR", "WARN"]),
    (r'"say \"hi\" \\o/"', [r'I say "hi" \o/'], ["say hi"]),
    ("%AUTHORIZED%", ["UNAUTHORIZED", "AUTHORIZED"], ["authorized"]),
    (r"%\d{3}\x28% OK", ["code 200( OK"], ["code 200 OK", "20( OK"]),
    ("%^[hc]at$%", ["hat", "cat"], ["what", "cats"]),
    ("%gr[ae]y|blue%", ["grey", "light blue"], ["red"]),
    ("-%a+b%", ["b"], ["aab"]),
    ("grün", ["ist grün"], ["grun"]),
]

RECORD = {
    "level": "error",
    "took": 512,
    "ratio": 0.5,
    "flag": True,
    "off": False,
    "nothing": None,
    "ip": "10.1.2.3",
    "code": "404",
    "user": {"id": 1, "e-mail": "a@b"},
    "list": ["GET", "PUT"],
    "deep": [[1, 2], [3]],
    "users": [{"id": 2}, {"id": 3}],
}
JSON = [
    ('{ $.level = "error" }', True),
    ("{ $.level = error }", True),
    ("{$.level=error}", True),
    ('{ $.level = "err*" }', True),
    ("{ $.level = *ror }", True),
    ("{ $.level = *rro* }", True),
    ("{ $.level = e*r }", False),
    ("{ $.level = * }", True),
    ("{ $.absent = * }", False),
    ('{ $.level != "info" }', True),
    ('{ $.level != "error" }', False),
    ('{ $.absent != "x" }', False),
    ("{ $.ip != 10.1.* }", False),
    ("{ $.took = 512 }", True),
    ("{ $.took = 5.12e2 }", True),
    ("{ $.took != 512 }", False),
    ("{ $.code = 404 }", True),
    ("{ $.took > 500 }", True),
    ("{ $.took < +500 }", False),
    ("{ $.took >= 512 && $.took <= 512 }", True),
    ("{ $.level > 1 }", False),
    ("{ $.flag > 0 }", False),
    ("{ $.ratio < 1 }", True),
    ("{ $.flag IS TRUE }", True),
    ("{ $.off IS FALSE }", True),
    ("{ $.off IS TRUE }", False),
    ("{ $.took IS TRUE }", False),
    ("{ $.nothing IS NULL }", True),
    ("{ $.absent IS NULL }", False),
    ("{ $.absent NOT EXISTS }", True),
    ("{ $.nothing NOT EXISTS }", False),
    ("{ $.user.id = 1 }", True),
    ('{ $.user.e-mail = "a@b" }', True),
    ("{ $.list[1] = PUT }", True),
    ("{ $.list[2] = PUT }", False),
    ("{ $.list[*] = PUT }", True),
    ("{ $.list = PUT }", False),
    ("{ $.list != PUT }", False),
    ("{ $.deep[0][1] = 2 }", True),
    ("{ $.users[*].id = 3 }", True),
    ("{ $.level.x = 1 }", False),
    ("{ $.level = %^err% }", True),
    (r"{ $.took = %^5\d+$% }", True),
    ("{ $.level = info || $.took > 1 }", True),
    ("{ $.level = error || $.took = 1 && $.code = 1 }", True),
    ("{ ($.level = error || $.took = 1) && $.code = 1 }", False),
]

REFUSED = [
    ("foo-bar", r"Invalid character\(s\) in term '-'"),
    ("?Status: timeout", r"Invalid character\(s\) in term ':'"),
    ("a (b)", r"Invalid character\(s\) in term '\('"),
    ("ERROR*", r"Invalid character\(s\) in term '\*'"),
    ('""', r"""Invalid character\(s\) in term '""'"""),
    ('"open', r"""Invalid character\(s\) in term '"'"""),
    ("%a b%", r"Invalid character\(s\) in term ' '"),
    ("%(a)%", r"Invalid character\(s\) in term '\('"),
    ("%wow!%", r"Invalid character\(s\) in term '!'"),
    ("%é%", r"Invalid character\(s\) in term 'é'"),
    ("%a{2,1}%", "Invalid filter pattern"),
    ("%a% %b% %c%", "at most 2 regular expressions"),
    ("-", "Invalid filter pattern"),
    ("[ip, user, ...]", "does not reproduce space-delimited filter patterns"),
    ("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"),
    ('{ $."a-b" = 1 }', r"Invalid character\(s\) in term '\$'"),
    ("{ }", "Invalid filter pattern"),
    ("{ $.a }", "Invalid filter pattern"),
    ("{ $.a = }", "Invalid filter pattern"),
    ("{ $.a = && }", "Invalid filter pattern"),
    ("{ $.a > b }", "Invalid filter pattern"),
    ("{ $.a IS GOOD }", "Invalid filter pattern"),
    ("{ $.a NOT NULL }", "Invalid filter pattern"),
    ("{ $.a = 1 $.b = 2 }", "Invalid filter pattern"),
    ("{ ($.a = 1 }", "Invalid filter pattern"),
    ("{" + "(" * 500 + "$.a = 1" + ")" * 500 + "}", "Invalid filter pattern"),
]


@pytest.mark.parametrize(("pattern", "yes", "no"), TEXT, ids=[row[0] for row in TEXT])
def test_patterns_over_text(pattern: str, yes: list[str], no: list[str]) -> None:
    matches = compile_pattern(pattern)

    assert matches is not None
    assert [message for message in yes if not matches(message)] == []
    assert [message for message in no if matches(message)] == []


@pytest.mark.parametrize(("pattern", "expected"), JSON, ids=[row[0] for row in JSON])
def test_patterns_over_json(pattern: str, expected: bool) -> None:
    matches = compile_pattern(pattern)

    assert matches is not None
    assert matches(json.dumps(RECORD)) is expected
    assert matches(" " + json.dumps(RECORD, indent=1)) is expected


@pytest.mark.parametrize("message", ["plain", "{broken", '"text"', "12", "[" * 100_000])
def test_what_is_no_json_object_matches_no_json_pattern(message: str) -> None:
    matches = compile_pattern("{ $.a NOT EXISTS }")

    assert matches is not None
    assert not matches(message)


@pytest.mark.parametrize("pattern", [None, "", "  "])
def test_no_pattern_matches_everything(pattern: str | None) -> None:
    assert compile_pattern(pattern) is None


@pytest.mark.parametrize(("pattern", "words"), REFUSED, ids=[row[0][:30] for row in REFUSED])
def test_what_aws_refuses_or_we_do_not_reproduce_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(ApiError, match=words) as refused:
        compile_pattern(pattern)

    assert refused.value.code == "InvalidParameterException"
