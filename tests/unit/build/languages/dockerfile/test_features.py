"""What only some builders know is named, with the line, before one says something obscure."""

import pytest

from pushdeploy.build.languages.dockerfile.features import frontend_is_missing, refuse_unknown
from pushdeploy.domain.container import BuildTool
from pushdeploy.domain.errors import BuildFailed

CLASSIC = BuildTool(False, (28, 2))
OLD, NEW = BuildTool(True, (20, 10)), BuildTool(True, (28, 2))
HEREDOC = "FROM a\n\nRUN <<EOF\necho one\nEOF\n"


@pytest.mark.parametrize(
    ("text", "feature", "old"),
    [
        ("FROM a\n\nRUN --mount=type=cache,target=/c true\n", "RUN with --mount", False),
        ("FROM a\n\nCOPY --chmod=755 a /a\n", "COPY with --chmod", False),
        ("FROM a\n\nCOPY --link a /a\n", "COPY with --link", True),
        ("FROM a\n\nRUN --network=none true\n", "RUN with --network", True),
        ("FROM a\n\nADD --checksum=sha256:1 http://b /b\n", "ADD with --checksum", True),
        (HEREDOC, "RUN with a heredoc", True),
        ("FROM a\n\nCOPY <<-'END' /f\n\ttext\n\tEND\n", "COPY with a heredoc", True),
        ("FROM a\n\nONBUILD RUN <<E cat\nx\nE\n", "RUN with a heredoc", True),
    ],
)
def test_what_the_builder_does_not_know_is_named(text: str, feature: str, old: bool) -> None:
    with pytest.raises(BuildFailed) as refused:
        refuse_unknown(text, CLASSIC)
    assert refused.value.message.startswith(f"line 3 of the Dockerfile: {feature}")
    assert "needs BuildKit, which is not on this server" in refused.value.message
    assert refused.value.hint.endswith("apt-get install docker-buildx on the server")
    if old:
        with pytest.raises(BuildFailed, match=r"and here is Docker 20\.10") as refused:
            refuse_unknown(text, OLD)
        assert "or newer on the server" in refused.value.hint
    else:
        refuse_unknown(text, OLD)
    refuse_unknown(text, NEW)


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nCOPY --from=0 --chown=1 a /a\nHEALTHCHECK --interval=5s CMD true\n",
        "FROM --platform=linux/amd64 a\nRUN echo --mount=x $((1 << 3)) '<<EOF'\n",
        "FROM a\nRUN python3 - <<< 'print(1)'\nCMD cat <<EOF\n",
    ],
)
def test_what_every_builder_knows_is_no_trouble(text: str) -> None:
    for tool in (CLASSIC, OLD, NEW):
        refuse_unknown(text, tool)


def test_a_frontend_of_its_own_teaches_an_old_buildkit_and_no_classic_builder() -> None:
    text = "# syntax=docker/dockerfile:1\n" + HEREDOC
    refuse_unknown(text, OLD)
    with pytest.raises(BuildFailed, match="line 4 of the Dockerfile: RUN with a heredoc"):
        refuse_unknown(text, CLASSIC)


def test_a_frontend_that_nobody_gives_is_found_in_what_the_builder_said() -> None:
    text = "# syntax=docker/dockerfile:1.4\nFROM a\n"
    said = (
        "failed to solve with frontend dockerfile.v0: failed to solve with frontend gateway.v0: rpc"
        " error: failed to do request: Head https://registry-1.docker.io/v2/docker/dockerfile/"
        "manifests/1.4: dial tcp: lookup registry-1.docker.io: no such host"
    )
    assert frontend_is_missing(text, [said]) == "docker/dockerfile:1.4"
    assert not frontend_is_missing(text, ["the command '/bin/sh -c make' returned 2: failed to"])
    assert not frontend_is_missing("FROM a\n", [said])
