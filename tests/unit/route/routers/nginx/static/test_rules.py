"""_redirects and _headers as nginx carries them out, and what hostile visitors make of them."""

import re
import subprocess
from urllib.parse import quote, unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pushdeploy.domain.static.deciding import Texts, decide
from pushdeploy.domain.static.description import Description
from pushdeploy.domain.static.files import SiteFiles
from pushdeploy.domain.static.loops import destination
from tests.unit.route.routers.nginx.static.conftest import SiteOnNginx

FILES: dict[str, bytes | str] = {
    "index.html": "home",
    "about.html": "about",
    "404.html": "lost",
    "x/y.html": "deep",
}

REDIRECTS = """
/old           /new                      301
/Shout         /shout                    302
/blog/*        /news/:splat              302
/w/:a/:b       https://ex.example/:b/:a?x=:a#f  307
/lang/:l/*     /:l/:splat                308
/about         /x                        301
/forced/*      /about                    303!
/show/*        /x/:splat                 200
/gone          /404.html                 410
/legal         /404.html                 451
/price$        /a"b                      301
/quo"te        /$uri;x                   301
/caf\u00e9     /th\u00e9                 301
/assets/*                                200
/app/*         /index.html               200
""".replace('/a"b', "/a%22b")


def with_rules(redirects: str = "", headers: str = "") -> dict[str, bytes | str]:
    return {**FILES, "_redirects": redirects, "_headers": headers}


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/old", 301, "/new"),
        ("/old/?a=1&b=%20", 301, "/new?a=1&b=%20"),
        ("/%6Fld", 301, "/new"),
        ("/Shout", 302, "/shout"),
        ("/shout", 404, None),
        ("/blog/a%20b/c/?x", 302, "/news/a%20b/c/?x"),
        ("/blog", 302, "/news/"),
        ("/w/1/2?q", 307, "https://ex.example/2/1?x=1#f"),
        ("/w/1/2/3", 404, None),
        ("/lang/de/a", 308, "/de/a"),
        ("/about", 200, None),
        ("/forced/about", 303, "/about"),
        ("/show/y", 200, None),
        ("/show/nothing", 404, None),
        ("/gone", 410, None),
        ("/legal", 451, None),
        ("/price$", 301, "/a%22b"),
        ("/quo%22te", 301, "/%24uri;x"),
        ("/caf%C3%A9", 301, "/th%C3%A9"),
        ("/assets/x", 404, None),
        ("/app/deep/link", 200, None),
        ("/app/x.js", 404, None),
    ],
)
def test_rules_move_show_and_refuse(
    site: SiteOnNginx, path: str, status: int, location: str | None
) -> None:
    site.publish(with_rules(REDIRECTS))
    answer = site.ask(path)
    assert (answer.status, answer.location) == (status, location)
    if status in {404, 410, 451}:
        assert answer.body == b"lost"


@pytest.mark.parametrize(
    "path",
    [
        "/blog//evil.example",
        "/blog/%2Fevil.example",
        "/blog/%5Cevil.example",
        "/blog/\\evil.example",
        "//evil.example",
        "/root//evil.example",
        "/root/%2fevil.example",
        "/root/\\evil.example",
        "/root/%5cevil.example",
        "/root/./%2e/evil.example",
        "/\\evil.example",
        "/blog/a%0d%0aX-Evil:1",
        "/blog/a%0aX-Evil:1",
        "/blog/..%2f..%2fevil",
        "/blog/%2e%2e/%2e%2e/evil",
        "/show/..%2f..%2f..%2fetc/passwd",
        "/show/%2e%2e%2f%2e%2e%2fnginx.conf",
        "/..%2fnginx.conf",
        "/../nginx.conf",
        "/%2e%2e/nginx.conf",
        "/a%00b",
        "/.%2e/nginx.conf",
        "/show/.git/config",
        "/_redirects",
        "/_headers",
        "/.env",
        "/.pushdeploy-site/",
        "/.pushdeploy-missing/404.html",
        "/index.html/",
        "/about.html/x",
        "/" + "a" * 40_000,
        "/blog/" + "a/" * 20_000,
    ],
)
def test_no_address_leads_out_of_the_site_or_into_a_header(site: SiteOnNginx, path: str) -> None:
    site.publish({**with_rules(REDIRECTS + "/root/* /:splat 302\n"), ".env": "secret"})
    answer = site.ask(path)
    assert "x-evil" not in answer.headers
    where = answer.location or "/"
    assert re.match(r"/(?![/\\])", where)
    assert "evil.example" not in where.split("/")[1]
    assert b"secret" not in answer.body
    assert b"worker_processes" not in answer.body
    assert b"root:" not in answer.body
    assert answer.status in {302, 308, 400, 404, 414}


HEADERS = """
/*
  X-All: everywhere
/docs/*
  X-All: in docs
  X-Frame-Options: DENY
/docs/open/*
  ! X-Frame-Options
  ! Cache-Control
/docs/open/here
  X-Frame-Options: SAMEORIGIN
/u/:name/*
  X-Who: :name, :splat
/odd
  X-Odd: "q" $uri \\ {a;b} 'c'
/*.svg
  X-Picture: yes
/.well-known/site
  Content-Type: application/json
/*
  Referrer-Policy: no-referrer
"""


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/", "x-all", "everywhere"),
        ("/about", "x-all", "everywhere"),
        ("/docs/a", "x-all", "everywhere, in docs"),
        ("/docs", "x-all", "everywhere, in docs"),
        ("/about", "x-frame-options", "SAMEORIGIN"),
        ("/docs/a", "x-frame-options", "DENY"),
        ("/docs/open/a", "x-frame-options", None),
        ("/docs/open/here", "x-frame-options", "SAMEORIGIN"),
        ("/docs/open/a", "cache-control", None),
        ("/about", "referrer-policy", "no-referrer"),
        ("/about", "x-content-type-options", "nosniff"),
        ("/u/bob/a/b", "x-who", "bob, a/b"),
        ("/odd", "x-odd", "\"q\" $uri \\ {a;b} 'c'"),
        ("/a/b.svg", "x-picture", "yes"),
        ("/a/b.svgz", "x-picture", None),
        ("/.well-known/site", "content-type", "application/json; charset=utf-8"),
    ],
)
def test_headers_are_joined_taken_away_and_filled(
    site: SiteOnNginx, path: str, name: str, value: str | None
) -> None:
    site.publish({**with_rules("", HEADERS), ".well-known/site": "{}", "a/b.svg": "<svg/>"})
    assert site.ask(path).headers.get(name) == value


WORDS = st.sampled_from(["a", "b", "cé", "d e", 'q"', "x$y", "about", "%"])
PATHS = st.lists(WORDS, min_size=1, max_size=3).map(lambda words: "/" + "/".join(words))
SOURCES = st.builds(
    lambda words, end: "/" + "/".join([*words, *end]),
    st.lists(st.one_of(WORDS.map(quote), st.just(":n")), max_size=2).filter(
        lambda words: words.count(":n") < 2
    ),
    st.sampled_from([[], ["*"]]),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(SOURCES, st.sampled_from(["301", "302!", "307"])), max_size=5),
    st.lists(PATHS, min_size=4, max_size=8),
)
def test_nginx_does_what_the_rules_say(
    site: SiteOnNginx, lines: list[tuple[str, str]], paths: list[str]
) -> None:
    """Any rules, any addresses: the answer is that of the first rule that applies."""
    rules = [
        f"{source} /to-{number}{'/:n' if ':n' in source else ''}"
        f"{'/:splat' if '*' in source else ''} {status}"
        for number, (source, status) in enumerate(lines)
    ]
    texts, files = Texts("\n".join(rules)), SiteFiles(frozenset(FILES))
    decided = decide(list(FILES), texts, Description())
    if decided.problems:
        return
    site.publish(with_rules(texts.redirects))
    for path in paths:
        found = decided.rules.stages.find(path, files)
        answer = site.ask(quote(path))
        if found is None:
            assert answer.location is None
        else:
            assert answer.status == found.status
            assert unquote(answer.location or "") == destination(found, path)


def test_five_thousand_rules_and_long_ones_are_a_table(site: SiteOnNginx) -> None:
    many = "".join(f"/Old/page-{number} /new/{number} 301\n" for number in range(5000))
    long = "/" + "l" * 900
    site.publish(with_rules(f"{many}{long} /short 301\n"))
    assert site.ask("/Old/page-4999").location == "/new/4999"
    assert site.ask(long).location == "/short"
    config = site.trees.root
    told = subprocess.run(
        [site.nginx._master.program, "-t", "-p", "./", "-c", "nginx.conf"],
        cwd=config,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "map_hash" not in told.stderr
