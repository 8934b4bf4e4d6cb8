"""Secrets are hidden; what must stay readable stays."""

from __future__ import annotations

import pytest

from bgconsole.domain.masking import MASK, mask, mask_all, mask_value

CANARY = "s3cr3tcanary99"


@pytest.mark.parametrize(
    "text",
    [
        f"postgres://app:{CANARY}@db:5432/app",
        f"connect to postgresql://:{CANARY}@db failed",
        f"password={CANARY}",
        f"DB_PASSWORD: {CANARY}",
        f'{{"clientSecret": "{CANARY} with words"}}',
        f"RAILS_MASTER_API_KEY='{CANARY}'",
        f"Authorization: Bearer {CANARY}",
        f"?X-Amz-Security-Token={CANARY}&x=1",
        f"arn:aws:s3:::bucket?password={CANARY}",
        f"AWS::SecretsManager::Secret with password: {CANARY}",
        f"arn:aws:ecs:eu-west-1:123456789012:task/t, secret={CANARY}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_hidden(text: str) -> None:
    assert CANARY not in mask(text)
    assert "•••" in mask(text)


@pytest.mark.parametrize("key", ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"])
def test_access_keys_are_hidden(key: str) -> None:
    assert key not in mask(f"with {key} in it")


@pytest.mark.parametrize(
    "text",
    [
        "sha256:77ab10c2d4e8cee8b9a8fde77552c1899191e20a77ab10c2d4e8cee8b9a8fde7",
        "request 11111111-0000-4000-8000-000000000001",
        "arn:aws:ecs:us-east-1:123456789012:service-deployment/c/s/UUJZEhOoLa3PXIPV-KLYy",
        "http://127.0.0.1:4566/posts",
        "PG::UndefinedColumn: posts.summary",
        "password: arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf",
        "no secret arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf there",
        "~ DatabaseUrlSecret change AWS::SecretsManager::Secret (Tags)",
        "aws ecs update-service --cluster c --service s --force-new-deployment",
        "password authentication failed for user app",
    ],
)
def test_kept(text: str) -> None:
    assert mask(text) == text


def test_a_name_hides_its_whole_value() -> None:
    assert mask_value("DATABASE_URL", "anything at all") == "•••"
    assert mask_value("SECRET_KEY_BASE", CANARY) == "•••"
    assert mask_value("RAILS_ENV", "production") == "production"
    assert mask_value("PASSWORD", "") == ""


def test_records_are_masked_at_every_depth() -> None:
    found = mask_all({"n": 1, "a": [{"token": CANARY}, f"password={CANARY}"], "ok": None})
    assert found == {"n": 1, "a": [{"token": "•••"}, "password=•••"], "ok": None}


@pytest.mark.parametrize(
    "told",
    [
        '[{"name": "API_TOKEN", "value": "geheim"}]',
        "[{'name': 'DATABASE_URL', 'value': 'geheim\\n2'}]",
        '{"ParameterKey": "DatabasePassword", "ParameterValue": "geheim"}',
        repr(repr([{"name": "API_TOKEN", "value": "geheim"}]) + '"'),
        repr('{"api_token": "geheim"}' + "'"),
    ],
)
def test_pairs_of_name_and_value_as_aws_writes_them(told: str) -> None:
    assert "geheim" not in mask(told)
    assert MASK in mask(told)


def test_pairs_without_a_secret_stay() -> None:
    told = "[{'name': 'RAILS_ENV', 'value': 'production'}, {'name': 'TOKEN', 'value': ''}]"
    assert mask(told).startswith("[{'name': 'RAILS_ENV', 'value': 'production'}")
