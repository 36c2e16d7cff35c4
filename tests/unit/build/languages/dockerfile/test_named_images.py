"""Every way in which a Dockerfile can name an image, and what only looks like one."""

import pytest

from pushdeploy.build.languages.dockerfile.images import named_by, named_images
from pushdeploy.build.languages.dockerfile.reading import DIALECTS, instruction_of, read

PLATFORM = {"TARGETARCH": "amd64"}
LONG = "RUN true \\\n"


def named(text: str, **arguments: str) -> list[tuple[str, str | None]]:
    return [(each.role, each.name) for each in named_images(text, arguments, PLATFORM)]


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("FROM x/y:1", "FROM"),
        ("from x/y:1", "FROM"),
        ("\ufeffFROM x/y:1", "FROM"),
        ("  FROM\tx/y:1  AS one", "FROM"),
        ("FROM --platform=linux/amd64 x/y:1", "FROM"),
        ('FROM --platform="a b" x/y:1', "FROM"),
        ("FROM \\\n  x/y:1", "FROM"),
        ("FROM \\\n# a note\n\n  x/y:1", "FROM"),
        ("FROM \\\n   # a note\n  x/y:1", "FROM"),
        ("F\\\nROM x/y:1", "FROM"),
        ("FROM x/\\\ny:1", "FROM"),
        ("# escape=`\nFROM `\n x/y:1", "FROM"),
        ("# check=skip=all\n# escape=`\nFROM `\n x/y:1", "FROM"),
        ("FROM \\  \r\n x/y:1\r\n", "FROM"),
        ("ARG A=x/y:1\nFROM $A", "FROM"),
        ('ARG A="x/y:1"\nFROM ${A}', "FROM"),
        ("ARG B=y\nARG A=x/${B}\nFROM $A:1", "FROM"),
        ("ARG B=y A=x/y:1\nFROM $A", "FROM"),
        ("FROM ${A:-x/y:1}", "FROM"),
        ("FROM ${A:-${B:-x}/y:1}", "FROM"),
        ("ARG A=1\nFROM ${A:+x/y:1}", "FROM"),
        ("FROM 'x/y:1'", "FROM"),
        ('FROM "x"/y:1', "FROM"),
        ("FROM a\nCOPY --from=x/y:1 / /", "COPY --from"),
        ("FROM a\ncopy --chown=1 --from=x/y:1 / /", "COPY --from"),
        ("FROM a\nCOPY \\\n --from=x/y:1 / /", "COPY --from"),
        ("FROM a\nCOPY --from='x/y:1' / /", "COPY --from"),
        ("FROM a\nCOPY --fr\\om=x/y:1 / /", "COPY --from"),
        ("FROM a\nADD --from=x/y:1 / /", "ADD --from"),
        ("FROM a\nRUN --mount=type=bind,from=x/y:1,target=/m cat /m/s", "RUN --mount from"),
        ("FROM a\nRUN --mount=target=/m,FROM=x/y:1 cat /m/s", "RUN --mount from"),
        ("FROM a\nRUN --mount=target=/m --mount=type=cache,from=x/y:1 true", "RUN --mount from"),
        ('FROM a\nRUN --mount=target=/m,\\"from=x/y:1\\" true', "RUN --mount from"),
        ("FROM a\nRUN --network=none --mount=from=x/y:1,target=/m true", "RUN --mount from"),
        ("FROM a\nONBUILD COPY --from=x/y:1 / /", "COPY --from"),
        ("FROM a\nONBUILD RUN --mount=from=x/y:1,target=/m true", "RUN --mount from"),
        ("# syntax=x/y:1\nFROM a", "syntax"),
        ("#!/usr/bin/env docker build\n# syntax = x/y:1\nFROM a", "syntax"),
        ("// syntax=x/y:1\nFROM a", "syntax"),
        ("# Syntax=x/y:1\nFROM a", "syntax"),
    ],
)
def test_an_image_is_found_however_it_is_written(text: str, role: str) -> None:
    assert (role, "x/y:1") in named(text)


@pytest.mark.parametrize(
    "hidden",
    [
        "RUN echo \\\u0085\nCOPY",
        "RUN echo \\\u00a0\nCOPY",
        "RUN echo \\\x0c\nCOPY",
        "RUN echo \\\x1c\nCOPY",
        "RUN echo \\\r\t\nCOPY",
        "RUN echo \\\r\r\nCOPY",
        "RUN echo \\\n\x1f\nCOPY",
        "RUN echo \\\n\x1f# no comment\nCOPY",
        "RUN cat <<E\\OF\nEOF\nCOPY",
        'RUN cat <<E"O"F\nEOF\nCOPY',
        "RUN cat <<'E'\"OF\"\nEOF\nCOPY",
        "RUN echo \x1f<<EOF\nCOPY",
    ],
)
def test_nothing_hides_a_line_that_a_builder_reads(hidden: str) -> None:
    assert ("COPY --from", "x/y:1") in named(f"FROM a\n{hidden} --from=x/y:1 / /\nE\\OF\n")


@pytest.mark.parametrize(
    "directive", ["# escape\u00a0=`", "# escape\v=`", "# check=skip=all\n# escape=`"]
)
def test_an_escape_that_not_every_builder_heeds_hides_nothing(directive: str) -> None:
    assert ("FROM", "x/y:1") in named(f"{directive}\nFROM a\nRUN echo `\nFROM x/y:1")


def test_only_a_stage_that_is_built_before_hides_an_image_of_its_name() -> None:
    for name in ("later", "own"):
        text = f"FROM a AS own\nCOPY --from={name} / /\nFROM a AS later\nCOPY --from=own / /"
        assert named(text)[1:-1] == [("COPY --from", name)]
    assert ("FROM", "0") in named("FROM a\nFROM 0")


def test_a_file_that_is_json_asks_for_a_program_that_reads_it() -> None:
    assert [role for role, _ in named('{"Syntax": "x/y:1"}')] == ["syntax"]


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch",
        "FROM a AS one\nFROM one\nCOPY --from=ONE / /\nCOPY --from=0 / /",
        "FROM a AS one\nFROM One AS two\nRUN --mount=type=bind,from=one,target=/m true",
        "FROM a\nRUN --mount=type=cache,target=/root/.cache pip install x",
        "FROM a\nRUN --mount=type=secret,id=TOKEN cat /run/secrets/TOKEN",
        "FROM a\nRUN echo --from=x/y:1 --mount=from=x/y:1",
        "FROM a\n# FROM x/y:1\nCMD FROM x/y:1",
        "FROM a\nRUN cat <<EOF >f\nFROM x/y:1\nCOPY --from=x/y:1 / /\nEOF\nUSER 1",
        "FROM a\nCOPY <<-'END' /f\nFROM x/y:1\n\tEND\nUSER 1",
        "FROM a\nRUN <<ONE cat >f && <<TWO cat\nFROM x/y:1\nONE\nFROM x/y:1\nTWO",
        f"FROM a\n{LONG * 500} && echo it is long",
    ],
)
def test_what_is_no_image_is_none(text: str) -> None:
    assert {name for _, name in named(text)} <= {"a"}


@pytest.mark.parametrize(
    "text",
    [
        "FROM ${A#x}",
        "FROM ${A/x/y}",
        "FROM ${A",
        "FROM x\\/y",
        "FROM a\nCOPY --from=$A / /",
        "FROM a\nRUN --mount=from=${A},target=/m true",
        "FROM a\nRUN --mount=target=/m,${A}=x true",
        'FROM a\nRUN --mount=\\"from=x true',
        "ARG A=${B#c}\nFROM $A",
    ],
)
def test_what_only_the_builder_knows_has_no_name(text: str) -> None:
    assert None in {name for _, name in named(text)}


@pytest.mark.parametrize(
    "line",
    [
        "RUN echo ${ <<EOF",
        "RUN echo ${x <<EOF",
        "RUN echo ${x:-<<EOF}",
        "RUN echo ${x:-a <<EOF}",
        "RUN echo ${x+'<<EOF'}",
        'RUN echo "${x%y}" <<EOF',
        "RUN echo ${x/a/b} <<EOF",
        "RUN echo ${x:?no} <<EOF",
        "RUN echo ${} <<EOF",
        "RUN echo ' <<EOF",
        'RUN echo <<EOF "',
        'RUN cat <<""',
        "RUN cat <<''",
        'RUN cat <<"E"O"F"',
        "RUN cat <<E\\OF",
        "RUN cat <<$END",
        "RUN cat <<${END}",
        "RUN echo $x<<EOF",
        "RUN echo ${x}3<<EOF",
        "COPY <<EOF ${to /f",
        "ONBUILD RUN echo ${ <<EOF",
        "RUN \\\n echo ${ <<EOF",
    ],
)
def test_a_heredoc_whose_end_only_the_builder_knows_is_told(line: str) -> None:
    assert ("<<", None) in named(f"FROM a\n{line}\nCOPY --from=x/y:1 / /\nEOF\n")


@pytest.mark.parametrize(
    "line",
    [
        "RUN cat <<EOF >${TO}/f",
        "RUN cat <<'EOF' >${TO:-/tmp}/f",
        'RUN cat <<"EOF" | sh -c "${RUN_IT}"',
        "RUN cat 3<<-EOF 'it costs ${'",
        "RUN cat \\${ <<EOF",
        "COPY <<EOF $TO/f",
        "RUN <<EOF",
    ],
)
def test_a_heredoc_that_all_builders_end_alike_is_none_of_these(line: str) -> None:
    assert named(f"FROM a\n{line}\nCOPY --from=x/y:1 / /\nEOF\n") == [("FROM", "a")]


@pytest.mark.parametrize(
    "line", ['RUN read -r x <<< "${y%%.*}"', "RUN echo ${x%y}", "RUN echo '", "ENV X=${y%z}<<EOF"]
)
def test_where_no_heredoc_can_begin_the_line_may_be_as_it_likes(line: str) -> None:
    assert named(f"FROM a\n{line}\nUSER 1") == [("FROM", "a")]


def test_a_build_argument_wins_over_the_files_default_and_only_where_it_is_declared() -> None:
    assert named("ARG A=a\nFROM $A", A="x/y:1") == [("FROM", "x/y:1")]
    assert named("FROM b\nARG A\nFROM $A", A="x/y:1") == [("FROM", "b"), ("FROM", "")]


def test_the_machine_decides_what_builders_set_themselves() -> None:
    assert named("FROM a AS base-amd64\nFROM base-$TARGETARCH") == [("FROM", "a")]


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN echo \\\\\nFROM x/y:1",
        "FROM a\nRUN echo \\\n   # is this a comment?\nFROM x/y:1",
    ],
)
def test_where_builders_differ_both_ways_of_reading_count(text: str) -> None:
    assert ("FROM", "x/y:1") in named(text)


def test_a_number_is_a_stage_only_where_there_are_as_many() -> None:
    text = "FROM a\nFROM a\nCOPY --from=0 / /\nCOPY --from=123456789012 / /"
    assert named(text) == [("FROM", "a"), ("FROM", "a"), ("COPY --from", "123456789012")]


def test_triggers_of_a_base_name_images_too() -> None:
    trigger = instruction_of(1, "COPY --from=x/y:1 /s /s")
    assert [each.name for each in named_by([trigger], stages=())] == ["x/y:1"]


def test_lines_are_told_as_a_person_counts_them() -> None:
    text = "# note\n\nFROM a\nRUN one \\\n  two\nCOPY --from=x/y:1 / /\n"
    assert [each.line for each in named_images(text, {}, {})] == [3, 6]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_file_without_anything_has_no_instructions(dialect: object) -> None:
    assert read("", dialect).instructions == []  # type: ignore[arg-type]
    assert read("\\", dialect).instructions[0].keyword == ""  # type: ignore[arg-type]
