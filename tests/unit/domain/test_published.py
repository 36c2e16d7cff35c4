"""Which folders a person names to be served before web."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.published import PublishedFolder, folder_of, parse_folders


def test_folders_are_read_in_the_order_of_their_paths() -> None:
    assert parse_folders(" /static=staticfiles/ , /media/=/srv/media,") == (
        "/media/=/srv/media",
        "/static/=staticfiles",
    )
    assert parse_folders("") == ()


def test_a_folder_is_one_of_the_app_or_of_the_image() -> None:
    assert folder_of("/static/=a/b")[1].path == "/app/a/b"
    at, folder = folder_of("/media/=/srv/media")
    assert (at, folder.path, folder.shown) == ("/media/", "/srv/media", "/srv/media/")


@pytest.mark.parametrize(
    "text",
    [
        *("static=x", "/=x", "//=x", "/a/", "/a/=", "/a/=.", "/a/=..", "/a/=../x", "/a/=x/../../y"),
        *("/a b/=x", "/$uri/=x", "/a;/=x", "/../=x", "/.well-known/=x", "/a/../b/=x", "/a\n/=x"),
        *("/a/=x,/a=y", ",".join(f"/a{n}/=x" for n in range(21)), '/"/=x', "/a/=\0"),
        *("/.pushdeploy/=x", "/{/=x", "/a\\/=x", "/ä/=x", "/a/=/", "/a/=/.."),
    ],
)
def test_what_is_no_path_with_a_folder_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        parse_folders(text)


@given(st.text(st.sampled_from("/=.a,; \n\"'${}\\")))
def test_whatever_is_read_is_plain_and_read_again_alike(text: str) -> None:
    try:
        found = parse_folders(text)
    except UserError:
        return
    assert parse_folders(",".join(found)) == found
    for word in found:
        at, folder = folder_of(word)
        assert at == f"/{at.strip('/')}/"
        assert not set(at) & set(";\n\"'${}\\ =,")
        assert folder.path.startswith("/")
        assert "/.." not in folder.path


def test_the_top_directory_has_a_name_for_people() -> None:
    assert str(PublishedFolder("/app", "it has index.html")) == (
        "the top directory (it has index.html)"
    )
    assert PublishedFolder("/application").shown == "/application/"
