"""What a site does with an address without a file, and what is told of its rules."""

import json

from pushdeploy.domain.static.deciding import Decided, Texts, decide
from pushdeploy.domain.static.description import Description
from pushdeploy.domain.static.files import SiteFiles, is_public
from pushdeploy.domain.static.redirects import MOST_RULES
from pushdeploy.domain.static.site_rules import rules_json, rules_of


def decided(
    *paths: str, redirects: str = "", headers: str = "", described: Description | None = None
) -> Decided:
    return decide(paths, Texts(redirects, headers), described or Description())


def shown(site: Decided, path: str) -> str | None:
    found = site.rules.stages.late.find(path)
    return found.to if found else None


def test_a_404_page_means_that_missing_pages_are_missing() -> None:
    site = decided("index.html", "404.html", "200.html")
    assert shown(site, "/a") is None
    assert site.rules.not_found == ["/404.html"]
    assert site.lines == ["an address without a file is not found: 404, with 404.html"]


def test_a_200_page_is_shown_for_pages_and_not_for_files() -> None:
    site = decided("index.html", "200.html")
    assert shown(site, "/a/b") == "/200.html"
    assert shown(site, "/app.123.js") is None
    assert "200.html: the site has one" in site.lines[0]


def test_a_rule_for_everything_goes_before_a_404_page() -> None:
    site = decided("index.html", "404.html", redirects="\n/* /index.html 200\n")
    assert shown(site, "/a") == "/index.html"
    assert site.rules.not_found == ["/404.html"]
    assert "_redirects line 2 says so" in site.lines[0]


def test_what_describes_the_site_may_say_so_too() -> None:
    spa = Description("static.json", spa=True)
    assert shown(decided("index.html", "404.html", described=spa), "/a") == "/index.html"
    no = Description("static.json", spa=False)
    assert shown(decided("index.html", "200.html", described=no), "/a") is None


def test_without_either_a_push_is_told_how_to_say_it() -> None:
    assert '"/* /index.html 200"' in decided("index.html").lines[0]


def test_directories_have_pages_of_their_own_for_what_is_missing() -> None:
    site = decided("404.html", "de/404.html", "de/at/404.html")
    assert site.rules.not_found == ["/de/at/404.html", "/de/404.html", "/404.html"]


def test_a_rule_for_a_file_of_the_site_is_told_unless_it_is_forced() -> None:
    site = decided("about.html", redirects="/about /x 301\n/about /y 301!\n")
    (notice,) = site.notices
    assert notice.line == 1
    assert "is a file of the site" in notice.message
    found = site.rules.stages.early.find("/about")
    assert found is not None
    assert found.to == "/y"


def test_the_first_rule_counts_also_where_one_behind_it_is_forced() -> None:
    site = decided("b.html", redirects="/a /first 301\n/b /first 301\n/* /second 302!\n")
    for path, target in (("/a", "/first"), ("/b", "/second"), ("/c", "/second")):
        found = site.rules.stages.early.find(path)
        assert found is not None
        assert found.to == target


def test_circles_are_told_with_their_way() -> None:
    text = "/a /b 301\n/b /c 302\n/c /a 301\n/x/* /x/y/:splat 301\n/ok /a.html 301\n"
    assert [each.line for each in decided("a.html", redirects=text).problems] == [4]
    problems = decided(redirects=text).problems
    assert [each.line for each in problems] == [1, 2, 3, 4]
    assert problems[0].message == "the rule leads in a circle: /a → /b → /c → /a"


def test_a_circle_that_a_file_ends_is_none() -> None:
    assert not decided("a.html", redirects="/a /b 301\n/b /a 301\n").problems


def test_a_rule_that_leads_to_itself_but_for_its_case_is_no_circle() -> None:
    assert not decided(redirects="/About /about 301\n").problems


def test_a_page_that_a_rule_shows_must_be_there() -> None:
    site = decided("index.html", redirects="/a /b.html 200\n/c /404.html 404\n/d/* /x/:splat 200\n")
    assert [each.line for each in site.problems] == [1, 2]


def test_rules_are_the_same_after_they_were_kept() -> None:
    text = "/a /b 301\n/c/* /d/:splat 302!\n/:x/y /z?q=:x 307\n/w/* /index.html 200\n"
    rules = decided("index.html", redirects=text, headers="/*\n  X: 1\n  ! Y\n").rules
    kept = json.loads(json.dumps(rules_json(rules)))
    assert rules_json(rules_of(kept)) == kept
    for path in ("/a", "/c/1/2", "/q/y", "/w/x"):
        again, before = rules_of(kept).stages, rules.stages
        files = SiteFiles(frozenset())
        found, former = again.find(path, files), before.find(path, files)
        assert found is not None
        assert former is not None
        assert (found.to, found.status) == (former.to, former.status)


def test_a_hundred_thousand_lines_are_one_problem() -> None:
    text = "".join(f"/o{number} /n{number} 301\n" for number in range(100_000))
    (found,) = decided(redirects=text).problems
    assert f"{MOST_RULES:,} are the most" in found.message


def test_of_a_repository_its_pages_are_for_visitors_alone() -> None:
    for path in (
        *(".env", "Procfile", "Procfile.dev", "Dockerfile", "web.Dockerfile", "app.json"),
        *("package.json", "package-lock.json", "yarn.lock", "uv.lock", "requirements-dev.txt"),
        *(
            "docker-compose.yml",
            "compose.prod.yaml",
            "vite.config.ts",
            "pyproject.toml",
            "Makefile",
        ),
        *(
            "node_modules/a/index.js",
            "bin/post_compile",
            "manage.py",
            "api/Mail.PHP",
            "a/b/dump.sql",
        ),
        *("keys/server.pem", "data/app.sqlite3", "index.html~", "prod.env", "deploy.sh"),
    ):
        assert not is_public(path, top=True), path
    for path in ("index.html", "css/app.css", "app.js", "data/package.json", "docs/openapi.yaml"):
        assert is_public(path, top=True), path
    for path in ("package.json", "bin/tool.sh", "Dockerfile", "example.py"):
        assert is_public(path), path


def test_what_is_hidden_or_says_how_to_serve_is_not_for_visitors() -> None:
    for path in (".env", ".git/config", "a/.b/c", "_redirects", "_headers", ".well-known/.x"):
        assert not is_public(path), path
    for path in ("index.html", ".well-known/security.txt", "a/_redirects", "a/_headers"):
        assert is_public(path), path
