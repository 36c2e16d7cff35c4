"""What of a build's output is hidden, and what a person still needs to read."""

from pushdeploy.domain.known_secrets import hideable, secret_values, without


def test_values_named_like_secrets_and_passwords_in_addresses_are_hidden() -> None:
    values = secret_values(
        {
            "SECRET_KEY": "django-insecure-1",
            "npm_token": "abcdef012",
            "UV_DEFAULT_INDEX": "https://ada:hunter2222@pypi.example/simple",
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "PIN_TOKEN": "12",
        }
    )
    said = (
        "GET https://ada:hunter2222@pypi.example/simple with abcdef012 and django-insecure-1"
        " in shop.settings 12"
    )
    assert without(said, values) == (
        "GET https://ada:****@pypi.example/simple with **** and **** in shop.settings 12"
    )


def test_a_value_of_several_lines_is_hidden_line_by_line() -> None:
    values = hideable(["-----BEGIN-----\n  c2VjcmV0\n\n-----END-----\n"])
    assert [without(line, values) for line in ("c2VjcmV0", "  c2VjcmV0", "other")] == [
        "****",
        "  ****",
        "other",
    ]


def test_a_value_within_another_leaves_nothing_of_it() -> None:
    assert without("abcdef-ghi", hideable(["abcdef", "abcdef-ghi"])) == "****"
