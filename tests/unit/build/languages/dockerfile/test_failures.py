"""The cause of a failed build, in the words of each builder."""

import pytest

from pushdeploy.build.languages.dockerfile.failures import failure_in

FRONTEND = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: "
NO_HOST = "dial tcp: lookup registry-1.docker.io on 10.0.0.1:53: no such host"
HUB = 'Head "https://registry-1.docker.io/v2/library/python/manifests/3.12"'


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (
            f"{FRONTEND}dockerfile parse error line 5: unknown instruction: ECHO",
            "line 5 of the Dockerfile: unknown instruction: ECHO",
        ),
        (
            (
                "ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: RUM"
                " (did you mean RUN?)"
            ),
            "line 2 of the Dockerfile: unknown instruction: RUM (did you mean RUN?)",
        ),
        (
            (
                "Error response from daemon: dockerfile parse error line 1: FROM requires either"
                " one or three arguments"
            ),
            "line 1 of the Dockerfile: FROM requires either one or three arguments",
        ),
        (
            "executor failed running [/bin/sh -c make all]: exit code: 2",
            "RUN make all ended with exit code 2",
        ),
        (
            (
                'ERROR: failed to solve: process "/bin/sh -c npm ci" did not complete successfully:'
                " exit code: 1"
            ),
            "RUN npm ci ended with exit code 1",
        ),
        (
            "The command '/bin/sh -c false' returned a non-zero code: 1",
            "RUN false ended with exit code 1",
        ),
        (
            'failed to compute cache key: "/dist" not found: not found',
            "there is no dist to COPY",
        ),
        (
            (
                "ERROR: failed to solve: failed to compute cache key: failed to calculate checksum"
                ' of ref 7f::x: "/dist/app": not found'
            ),
            "there is no dist/app to COPY",
        ),
        (
            (
                "COPY failed: file not found in build context or excluded by .dockerignore: stat"
                " dist: file does not exist"
            ),
            "there is no dist to COPY",
        ),
        (
            f"{FRONTEND}failed to do request: {HUB}: {NO_HOST}",
            "python:3.12 cannot be fetched from registry-1.docker.io: no such host",
        ),
        (
            (
                "ERROR: failed to solve: python:3.12: failed to resolve source metadata for"
                f" docker.io/library/python:3.12: failed to do request: {HUB}: {NO_HOST}"
            ),
            "python:3.12 cannot be fetched from registry-1.docker.io: no such host",
        ),
        (
            'Get "https://registry-1.docker.io/v2/": net/http: request canceled (Client.Timeout)',
            (
                "an image cannot be fetched from registry-1.docker.io: request canceled"
                " (Client.Timeout)"
            ),
        ),
        (
            (
                "ERROR: failed to solve: shop/base:1: failed to resolve source metadata for"
                " docker.io/shop/base:1: docker.io/shop/base:1: not found"
            ),
            "there is no image shop/base:1, or it is not for everybody",
        ),
        (
            f"{FRONTEND}docker.io/library/nope:9: not found",
            "there is no image docker.io/library/nope:9, or it is not for everybody",
        ),
        (
            "pull access denied for nope, repository does not exist or may require 'docker login'",
            "there is no image nope, or it is not for everybody",
        ),
    ],
)
def test_each_builder_s_words_become_one_line(said: str, what: str) -> None:
    found = failure_in(["#1 DONE 0.0s", "------", " > [2/2] a step", "------", said, ""])
    assert found is not None
    assert found.message == what


def test_what_a_step_said_last_stands_behind_its_exit_code() -> None:
    found = failure_in(
        [
            "#5 [2/2] RUN apt-get install -y nothere",
            "#5 0.4 Reading package lists...",
            "#5 0.9 E: Unable to locate package nothere",
            "#5 ERROR: executor failed running [/bin/sh -c apt-get install]: exit code: 100",
            "executor failed running [/bin/sh -c apt-get install -y nothere]: exit code: 100",
        ]
    )
    assert found is not None
    assert found.message == (
        "RUN apt-get install -y nothere ended with exit code 100:"
        " E: Unable to locate package nothere"
    )


def test_what_is_not_known_is_not_claimed() -> None:
    assert failure_in([]) is None
    assert failure_in(["Step 1/2 : FROM x", "something happened"]) is None
