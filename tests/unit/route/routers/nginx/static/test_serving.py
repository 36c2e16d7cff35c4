"""What visitors of a static site get, from a real nginx."""

import gzip

import brotli
import pytest
import zstandard

from pushdeploy.domain.static.description import Description
from tests.unit.route.routers.nginx.static.conftest import SiteOnNginx

LONG = "<p>many words that say the same again</p>\n" * 200
FILES: dict[str, bytes | str] = {
    "index.html": f"<h1>home</h1>{LONG}",
    "about.html": f"<h1>about</h1>{LONG}",
    "docs/index.html": "docs",
    "both.html": "page",
    "both/index.html": "directory",
    "app.0a1b2c3d.js": f"// {LONG}",
    "logo.png": b"\x89PNG" * 1000,
    "small.css": "b{}",
    "café.txt": "cafe",
}
DECODERS = {
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    "zstd": zstandard.ZstdDecompressor().decompress,
}


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/", 200, None),
        ("/about", 200, None),
        ("/about.html", 200, None),
        ("/docs/", 200, None),
        ("/both", 200, None),
        ("/both/", 200, None),
        ("/caf%C3%A9.txt", 200, None),
        ("/index.html", 308, "/"),
        ("/index.html?a=1", 308, "/?a=1"),
        ("/docs/index.html", 308, "/docs/"),
        ("/docs?a=%20b", 308, "/docs/?a=%20b"),
        ("/about/", 308, "/about"),
        ("/nothing", 404, None),
        ("/nothing.js", 404, None),
        ("/myindex.html", 404, None),
    ],
)
def test_a_page_has_one_address(
    site: SiteOnNginx, path: str, status: int, location: str | None
) -> None:
    site.publish(FILES)
    answer = site.ask(path)
    assert (answer.status, answer.location) == (status, location)


def test_addresses_without_html_may_be_the_only_ones_or_none(site: SiteOnNginx) -> None:
    site.publish(FILES, Description("static.json", clean_urls=True))
    assert site.ask("/about.html?x").location == "/about?x"
    assert site.ask("/about").status == 200
    assert site.ask("/nothing.html").status == 404
    site.publish(FILES, Description("static.json", clean_urls=False))
    assert site.ask("/about").status == 404
    assert site.ask("/about.html").status == 200


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("zstd, gzip", "zstd"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.5, gzip;q=1.0", "gzip"),
        ("br;q=0.5,gzip;q=0.8", "gzip"),
        ("br ; q=0.001", "br"),
        ("identity, br;q=0.9", None),
        ("identity;q=0.9, br;q=0.4", None),
        ("BR", "br"),
        ("*", "gzip"),
        ("*;q=0", None),
        ("gzip;q=0, *", None),
        ("br;q=0.000, zstd;q=0.0, gzip;q=0", None),
        ("brotli, x-gzipped", None),
        ("deflate", None),
    ],
)
def test_text_comes_in_the_encoding_that_the_visitor_likes_best(
    site: SiteOnNginx, accepts: str, encoding: str | None
) -> None:
    site.publish(FILES)
    answer = site.ask("/app.0a1b2c3d.js", Accept_Encoding=accepts)
    assert answer.headers.get("content-encoding") == encoding
    decode = DECODERS.get(encoding or "", bytes)
    assert decode(answer.body) == str(FILES["app.0a1b2c3d.js"]).encode()
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


def test_each_encoding_has_its_own_etag_and_all_the_same_time(site: SiteOnNginx) -> None:
    site.publish(FILES)
    answers = [site.ask("/about", Accept_Encoding=name) for name in ("br", "zstd", "gzip", "")]
    assert len({answer.headers["etag"] for answer in answers}) == 4
    assert len({answer.headers["last-modified"] for answer in answers}) == 1
    for name, answer in zip(("br", "zstd", "gzip", ""), answers, strict=True):
        etag = answer.headers["etag"]
        again = site.ask("/about", Accept_Encoding=name, If_None_Match=etag)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == etag
        assert again.headers["vary"] == "Accept-Encoding"
        assert "content-encoding" not in again.headers


def test_pictures_and_small_files_are_served_as_they_are(site: SiteOnNginx) -> None:
    site.publish(FILES)
    for path in ("/logo.png", "/small.css"):
        assert "content-encoding" not in site.ask(path, Accept_Encoding="br, gzip").headers
    assert "vary" not in site.ask("/logo.png", Accept_Encoding="br").headers


def test_head_ranges_and_if_range(site: SiteOnNginx) -> None:
    site.publish(FILES)
    whole = site.ask("/logo.png")
    head = site.ask("/logo.png", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.body))
    part = site.ask("/logo.png", Range="bytes=1-3")
    assert (part.status, part.body) == (206, b"PNG")
    assert part.headers["content-range"] == "bytes 1-3/4000"
    etag = whole.headers["etag"]
    assert site.ask("/logo.png", Range="bytes=0-0", If_Range=etag).status == 206
    assert site.ask("/logo.png", Range="bytes=0-0", If_Range='"other"').status == 200
    assert site.ask("/logo.png", Range="bytes=9000-").status == 416
    packed = site.ask("/about", Accept_Encoding="br")
    part = site.ask("/about", Accept_Encoding="br", Range="bytes=0-3")
    assert (part.status, part.body) == (206, packed.body[:4])
    assert part.headers["content-encoding"] == "br"


def test_other_methods_are_told_which_there_are(site: SiteOnNginx) -> None:
    site.publish(FILES)
    answer = site.ask("/about", "POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert site.ask("/nothing", "DELETE").status in {404, 405}


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        ("/", "no-cache"),
        ("/about", "no-cache"),
        ("/app.0a1b2c3d.js", "public, max-age=31536000, immutable"),
        ("/logo.png", "public, max-age=0, must-revalidate"),
        ("/docs", "public, max-age=0, must-revalidate"),
    ],
)
def test_what_may_change_is_asked_for_again(site: SiteOnNginx, path: str, cache: str) -> None:
    site.publish(FILES)
    assert site.ask(path, Accept_Encoding="br").headers["cache-control"] == cache


def test_the_same_files_are_the_same_answers_wherever_they_come_from(site: SiteOnNginx) -> None:
    first = site.publish(FILES)
    before = site.ask("/about").headers
    site.publish({"index.html": "another"})
    assert site.publish(dict(reversed(FILES.items()))) == first
    after = site.ask("/about").headers
    assert (before["etag"], before["last-modified"]) == (after["etag"], after["last-modified"])


def test_a_missing_page_is_the_sites_own_404_and_the_nearest(site: SiteOnNginx) -> None:
    site.publish({**FILES, "404.html": f"lost {LONG}", "de/404.html": "verloren"})
    for path, word in (("/x", b"lost"), ("/a/b.js", b"lost"), ("/de/x", b"verloren")):
        answer = site.ask(path)
        assert (answer.status, answer.body.split()[0]) == (404, word)
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
    packed = site.ask("/x", Accept_Encoding="gzip")
    assert gzip.decompress(packed.body).startswith(b"lost")


def test_without_a_404_page_ours_is_shown(site: SiteOnNginx) -> None:
    site.publish(FILES)
    assert b"There is no page at this address" in site.ask("/x").body
    assert site.ask("/x", Accept="text/html").headers["content-type"].startswith("text/html")
    assert "x-pushdeploy-error" not in site.ask("/x").headers


def test_an_app_in_the_browser_gets_its_page_and_missing_files_are_missing(
    site: SiteOnNginx,
) -> None:
    site.publish({**FILES, "_redirects": "/* /index.html 200\n"})
    for path in ("/cart", "/user/12/", "/v1.2", "/a%2Fb"):
        answer = site.ask(path, Accept_Encoding="br")
        assert (answer.status, answer.headers["content-encoding"]) == (200, "br"), path
        assert answer.headers["cache-control"] == "no-cache"
    for path in ("/app.123.js", "/a/b.css", "/.env", "/.git/HEAD", "/x.webmanifest"):
        assert site.ask(path, Accept="text/html").status == 404, path
    assert site.ask("/logo.png").status == 200


def test_old_hashed_files_stay_for_those_who_have_an_old_page_open(site: SiteOnNginx) -> None:
    former = site.publish({**FILES, "old.99aabb11.css": LONG, "secret.html": "gone"})
    site.publish(FILES, former=(former,))
    answer = site.ask("/old.99aabb11.css", Accept_Encoding="br")
    assert (answer.status, answer.headers["content-encoding"]) == (200, "br")
    assert "immutable" in answer.headers["cache-control"]
    assert site.ask("/secret.html").status == 404
    assert site.ask("/secret").status == 404
