"""Templates: the operator's in front, mistakes in them named, HTML escaped and nothing else."""

from pathlib import Path

import pytest

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.templating import Templates


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    place = tmp_path / "templates" / "mine"
    place.mkdir(parents=True)
    (place / "page.html").write_text("<p>{{ name }}</p>\n")
    (place / "app.conf").write_text("{% if name %}\n  name {{ name }};\n{% endif %}\nend\n")
    (place / "bad.conf").write_text("{% if %}")
    (place / "latin.conf").write_bytes(b"caf\xe9")
    return Templates(tmp_path)


def test_lines_of_statements_leave_no_trace_and_the_last_newline_stays(
    templates: Templates,
) -> None:
    assert templates.render("mine/app.conf", name="shop") == "  name shop;\nend\n"


def test_pages_are_escaped_and_configuration_is_not(templates: Templates) -> None:
    assert templates.render("mine/page.html", name="<b>") == "<p>&lt;b&gt;</p>\n"
    assert "name <b>;" in templates.render("mine/app.conf", name="<b>")


def test_template_of_the_operator_wins_over_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "templates" / "nginx" / "app.conf"
    own.parent.mkdir(parents=True)
    own.write_text("mine\n")
    assert Templates(tmp_path).render("nginx/app.conf") == "mine\n"
    assert Templates(tmp_path / "elsewhere").render("pages/502.txt")


def test_template_written_while_the_server_runs_wins_at_once_regression(tmp_path: Path) -> None:
    templates = Templates(tmp_path)
    shipped = templates.render("pages/502.txt")
    own = tmp_path / "templates" / "pages" / "502.txt"
    own.parent.mkdir(parents=True)
    own.write_text("mine\n")
    assert templates.render("pages/502.txt") == "mine\n"
    own.unlink()
    assert templates.render("pages/502.txt") == shipped


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mine/page.html", "'name' is undefined"),
        ("mine/bad.conf", "cannot be rendered"),
        ("mine/latin.conf", "utf-8"),
        ("mine/none.conf", "none.conf"),
        ("../pushdeploy.toml", "pushdeploy.toml"),
    ],
)
def test_template_that_cannot_be_rendered_is_named(
    templates: Templates, name: str, said: str
) -> None:
    with pytest.raises(PushdeployError, match=f"template {name} cannot be rendered") as caught:
        templates.render(name)
    assert said in caught.value.message
    assert "<home>/templates" in caught.value.hint
