"""Secrets in what people type, by their shapes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.likely_secrets import masked, without_values

SECRET = "hunter2secret"


@pytest.mark.parametrize(
    "line",
    [
        "mysql -p{} -h db",
        "mysql -h db -p'{} and more' shop",
        "/usr/bin/mysqldump -u root -p{} shop > /data/shop.sql",
        "MYSQL_PWD={} mysql",
        "env PGPASSWORD={} psql -h db",
        "psql postgres://shop:{}@db/shop",
        "python manage.py dbshell -- --password={}",
        "./manage.py createsuperuser --password {}",
        "./manage.py token --api-key {} --days 3",
        "tool --client_secret {}",
        "tool -token {}",
        "tool --env=TOKEN={}",
        "tool --set A={}",
        "tool -eTOKEN={}",
        "tool -DA.b={}",
        "redis-cli -h cache -a {} ping",
        "REDISCLI_AUTH={} redis-cli",
        "mongosh -u shop -p {}",
        "sshpass -p {} ssh host",
        "sshpass -p{} ssh host",
        "curl -u shop:{} https://api.example.com",
        "curl -ushop:{} https://api.example.com",
        "curl --user shop:{} https://api.example.com",
        "curl --proxy-user shop:{} https://api.example.com",
        "http -a shop:{} api.example.com",
        "redis-cli -a{} ping",
        "zip -P{} all.zip data",
        "curl -H 'Authorization: Bearer {}' https://api.example.com",
        'curl -H "X-Api-Key: {}" https://api.example.com',
        "curl https://api.example.com/?page=1&access_token={}",
        "curl 'https://api.example.com/?api_key={}&page=2'",
        'curl -d \'{{"password": "{}"}}\' https://api.example.com',
        "curl -b session={} https://api.example.com",
        "git clone https://bot:{}@github.com/shop/shop",
        "git clone https://{}{}@github.com/shop/shop",
        "echo begun && mysql -p{} && echo done",
        "cat x|mysql -p{};ls",
        "sh -c 'mysql -p{}'",
        "sh -c 'curl --token=x; mysql -p{}'",
        "sh -c \"sh -c 'redis-cli -a {}'\"",
        "python -c \"connect(password='{}')\"",
        "python -c 'print(dict(secret=\"{}\"))'",
        "psql -c \"ALTER USER shop PASSWORD '{}'\"",
        "mysql -e \"CREATE USER shop IDENTIFIED BY '{}'\"",
        "stripe listen sk_live_{}",
        "gh auth login ghp_{}",
        "tool eyJhbGciOiJIUzI1NiJ9.{}.abc",
        "openssl enc -aes256 -k {}",
        "openssl rsa -passin pass:{}",
        "tool 'a quote that has no end --password {}",
    ],
)
def test_what_says_that_it_is_a_secret_is_left_out(line: str) -> None:
    shown = masked(line.format(SECRET, SECRET))
    assert SECRET not in shown
    assert "…" in shown
    assert shown.split()[0].rstrip("=…") in line


@pytest.mark.parametrize(
    "line",
    [
        "python manage.py migrate --noinput",
        "ls -la /data",
        "psql -h db -p 5432 -U shop",
        "server -p8080",
        "python manage.py changepassword ada",
        "echo done && ls | wc -l",
        "curl https://api.example.com/users?page=2",
        "rails console",
    ],
)
def test_the_rest_can_be_read(line: str) -> None:
    assert masked(line) == line


def test_words_of_a_command_lose_their_values() -> None:
    words = ["shop", "A=s3cret\nand more", "--token", "s3cret", "B=", "mysql -ps3cret"]
    assert without_values(words) == ["shop", "A=…", "--token", "…", "B=", "mysql -p…"]


@given(st.text(max_size=200))
def test_whatever_is_typed_can_be_shown(text: str) -> None:
    assert isinstance(masked(text), str)


def test_what_is_shown_is_bounded() -> None:
    assert len(masked("x " * 100_000)) < 3000
    assert len(masked("(" * 50_000)) < 3000
