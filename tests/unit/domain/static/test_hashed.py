"""Which names hold a hash: a wrong guess keeps an old picture in browsers for a year."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pushdeploy.domain.static.hashed import HASHED


@pytest.mark.parametrize(
    "path",
    [
        "/static/js/main.3f2a9c1b.js",
        "/static/js/main.3f2a9c1b.chunk.js.map",
        "/assets/index-BxQ7k2aZ.css",
        "/styles-5UKOKGHF.css",
        "/css/base.0a1b2c3d4e5f.css",
        "/logo.4a3c9f2b.svg",
        "/_astro/index.DiwrgTda.css",
        "/_next/static/chunks/117-0cd39f8f9a.js",
        "/_app/immutable/entry/start.CcTkQ9x1.js",
    ],
)
def test_builders_names_are_known(path: str) -> None:
    assert re.search(HASHED, path)


@pytest.mark.parametrize(
    "path",
    [
        "/index.html",
        "/app.js",
        "/photo-holiday1.jpg",
        "/report-20240101.pdf",
        "/jquery-3.7.1.min.js",
        "/logo-version2.png",
        "/my-photograph.jpg",
        "/a-MyButton.svg",
        "/icon-Settings.js",
        "/bootstrap.bundle.min.js",
        "/page-README20.txt",
        "/x-JUNE2024.pdf",
        "/x-2024JUNE.pdf",
        "/some-component.js",
        "/photo-1st_page.jpg",
        "/3f2a9c1b/app.js",
    ],
)
def test_peoples_names_are_not_taken_for_them(path: str) -> None:
    assert not re.search(HASHED, path)


@given(
    st.from_regex(r"[a-z]{1,12}(-[a-z]{1,12}){0,3}(-?[0-9]{1,8})?\.(png|js|pdf)", fullmatch=True)
)
def test_words_and_numbers_are_no_hash(name: str) -> None:
    assume(not re.search(r"-[a-f]+[0-9]+[.]", name))  # a face0123 may be one
    assert not re.search(HASHED, f"/{name}")
