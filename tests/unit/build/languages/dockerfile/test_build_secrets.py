"""What BUILD_ENV lists: an argument where the Dockerfile asks for it, else a secret or nothing."""

import pytest

from pushdeploy.build.languages.dockerfile.build_secrets import listed_for
from pushdeploy.domain.container import BuildTool
from pushdeploy.domain.errors import BuildFailed

BUILDKIT, CLASSIC = BuildTool(True, (20, 10)), BuildTool(False, (20, 10))
LISTED = {"TOKEN": "s3cret", "BASE": "debian"}
TEXT = "ARG BASE\nFROM $BASE\nRUN --mount=type=secret,id=TOKEN cat /run/secrets/TOKEN\n"


def test_only_what_an_arg_declares_is_an_argument() -> None:
    found = listed_for(TEXT, LISTED, BUILDKIT)
    assert found.arguments == {"BASE": "debian"}
    assert found.secrets == LISTED
    (notice,) = found.notices
    assert "BASE is an ARG of the Dockerfile: its value stays in the image's history" in notice
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    "text",
    ["FROM a\nARG ONE TOKEN=x\n", "FROM a\narg \\\n  TOKEN\n", "FROM a\nONBUILD ARG TOKEN\n"],
)
def test_an_arg_is_one_wherever_it_stands(text: str) -> None:
    assert listed_for(text, {"TOKEN": "s3cret"}, BUILDKIT).arguments == {"TOKEN": "s3cret"}


@pytest.mark.parametrize("text", ["FROM a\n# ARG TOKEN\n", "FROM a\nRUN echo ARG TOKEN\n"])
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert listed_for(text, {"TOKEN": "s3cret"}, BUILDKIT).arguments == {}


def test_the_classic_builder_has_no_secrets_and_says_so() -> None:
    found = listed_for(TEXT, LISTED, CLASSIC)
    assert (found.arguments, found.secrets) == ({"BASE": "debian"}, {})
    assert "TOKEN of BUILD_ENV reaches no step: the classic builder has no secrets" in "".join(
        found.notices
    )


def test_what_no_line_uses_is_told() -> None:
    (notice,) = listed_for("FROM a\n", {"TOKEN": "s3cret"}, BUILDKIT).notices
    assert notice == (
        "no line of the Dockerfile uses TOKEN of BUILD_ENV:  RUN --mount=type=secret,id=TOKEN"
    )


def test_what_opens_a_repository_for_buildkit_itself_is_refused() -> None:
    with pytest.raises(BuildFailed, match="GIT_AUTH_TOKEN cannot be a secret"):
        listed_for(TEXT, {"GIT_AUTH_TOKEN": "x"}, BUILDKIT)
