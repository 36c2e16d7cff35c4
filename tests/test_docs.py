"""A command, a setting, a hook or a template variable that docs/ does not explain is a defect."""

import itertools
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import click
import pytest
from jinja2 import Environment, FileSystemLoader, meta

from pushdeploy.build.app_json_keys import KEYS
from pushdeploy.cli import main as program
from pushdeploy.commands.face.catalogue import Catalogue
from pushdeploy.commands.face.command import Command
from pushdeploy.commands.face.command_line import parse_line
from pushdeploy.domain.settings import AppSettings, all_settings, shown_settings
from pushdeploy.domain.settings.disks import OF_A_DISK, OF_THE_APP
from pushdeploy.resources import shipped
from pushdeploy.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
COMMANDS = (DOCS / "commands.md").read_text()
SETTINGS = (DOCS / "settings.md").read_text()
CATALOGUE = Catalogue()
TEMPLATES = shipped("templates")
TEMPLATE_FILES = sorted(
    str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.*") if path.is_file()
)
PAGES = (*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")))
NAMES = {name for command in CATALOGUE.commands for name in command.names}
NOUNS = {name.partition(":")[0] for name in NAMES}


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def sections() -> Mapping[str, str]:
    """What docs/commands.md says of each command, by the usage in its heading."""
    parts = re.split(r"(?m)^#{2,3} ", COMMANDS)
    found = (part.partition("\n") for part in parts if part.startswith("`"))
    return {heading.strip("`"): text for heading, _, text in found}


def section_of(command: Command) -> str:
    found = [
        f"`{heading}`\n{text}"
        for heading, text in sections().items()
        if heading.split()[0] == command.name
    ]
    assert len(found) == 1, f"docs/commands.md has {len(found)} headings for {command.name}"
    return found[0]


def _of_all(option: click.Option) -> bool:
    """Whether the page explains it once for all commands."""
    return option.hidden or "--help" in option.opts


def table_rows(text: str) -> Mapping[str, list[str]]:
    """The cells of a Markdown table's rows, by the code in the first one."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip().strip("`"): [cell.strip() for cell in cells[1:]] for cells in rows}


@pytest.mark.parametrize("command", CATALOGUE.commands, ids=lambda command: command.name)
def test_every_command_is_documented(command: Command) -> None:
    text = section_of(command)
    assert re.search(rf'ssh (-t )?deploy "?{re.escape(str(command.name))}', text)
    for alias in command.aliases:
        assert f"`{alias}" in text, f"its other name {alias}"
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not _of_all(parameter):
            for flag in parameter.opts:
                assert re.search(rf"`({flag}\b|[^`\n]*[ |]{flag}\b)|ssh deploy.* {flag}\b", text), (
                    flag
                )


@pytest.mark.parametrize("command", CATALOGUE.commands, ids=lambda command: command.name)
def test_every_command_explains_itself_with_an_example_that_names_it(command: Command) -> None:
    assert command.help
    assert command.example.split()[0] in command.names


@pytest.mark.parametrize("command", CATALOGUE.commands, ids=lambda command: command.name)
def test_the_example_of_every_command_can_be_parsed(command: Command) -> None:
    words = shlex.split(
        command.example.partition(" && ")[0].partition(" < ")[0].partition(" > ")[0]
    )
    parser = command.make_parser(click.Context(command))
    parser.parse_args(words[1:])


def test_no_command_is_documented_that_does_not_exist() -> None:
    assert {heading.split()[0] for heading in sections()} <= NAMES


def test_every_setting_of_an_app_is_documented() -> None:
    documented, defaults = table_rows(COMMANDS), shown_settings(AppSettings())
    assert list(documented) == list(defaults)
    for setting in all_settings():
        _, in_force, default = documented[setting.name]
        assert in_force == setting.affects, setting.name
        assert defaults[setting.name] in default


def test_every_setting_of_disks_is_documented() -> None:
    text = section_of(CATALOGUE.find("disks:set"))
    for key in (*OF_THE_APP, *(f"DISK {key}" for key in OF_A_DISK)):
        assert f"| {key}=" in text, key


def test_what_becomes_of_every_key_of_app_json_is_documented() -> None:
    page = (DOCS / "app-contract.md").read_text()
    rows = table_rows(page.partition("### Keys of app.json")[2].partition("\n## ")[0])
    assert {name: cells[0] for name, cells in rows.items()} == {key.name: key.fate for key in KEYS}


def test_every_setting_of_the_server_is_documented_with_its_default() -> None:
    rows = table_rows(SETTINGS)
    documented = {name: cells[0] for name, cells in rows.items() if name.startswith("PUSHDEPLOY_")}
    assert set(documented) == {f"PUSHDEPLOY_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if field.default not in (None, ()):
            default = field.default
            shown = str(float(default)) if field.annotation is float else str(default)
            shown = shown.lower() if isinstance(default, bool) else shown
            assert documented[f"PUSHDEPLOY_{name.upper()}"] == f"`{shown}`", name


def test_every_hook_and_its_facts_are_documented() -> None:
    documented = table_rows(SETTINGS)
    for script in shipped("hooks").iterdir():
        cells = documented[script.name]
        facts = re.search(r"(?m)^# Facts: (.*?)\.", script.read_text())
        for fact in facts.group(1).split() if facts else []:
            assert f"`{fact}`" in cells[1] or fact == "PUSHDEPLOY_HOME", f"{script.name}: {fact}"


@pytest.mark.parametrize("name", TEMPLATE_FILES)
def test_every_template_and_its_variables_are_documented(name: str) -> None:
    if name.startswith("pages/"):
        assert name.replace(".txt", ".html") in SETTINGS
        assert variables_of(name) <= {"title"}
        return
    documented = table_rows(SETTINGS)[name][-1]
    assert sorted(re.findall(r"`(\w+)`", documented)) == sorted(variables_of(name))


def variables_of(name: str) -> set[str]:
    """Those of the templates that it includes as well."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    parsed = environment.parse((TEMPLATES / name).read_text())
    included = [variables_of(each) for each in meta.find_referenced_templates(parsed) if each]
    return meta.find_undeclared_variables(parsed).union(*included)


def named_commands(text: str) -> set[str]:
    """Words like ``apps:list`` whose noun is one of ours."""
    found = re.findall(r"(?<![\w:/.-])([a-z]+(?:-[a-z]+)?):([a-z]+(?:-[a-z]+)*)(?![\w:])", text)
    return {f"{noun}:{verb}" for noun, verb in found if noun in NOUNS and verb != "help"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    assert named_commands(page.read_text()) <= NAMES | PROGRAM


def typed_lines(page: Path) -> list[str]:
    """What pages tell people to type after ``ssh deploy``, as their own shell hands it on."""
    found = re.findall(r"\bssh (?:-t )?deploy ([^`\n]+)", page.read_text())
    return [handed_on(text) for text in found]


def handed_on(text: str) -> str:
    """Without a comment, and up to the next program, redirection or placeholder of the shell."""
    text = re.sub(r"\$\([^()]*\)", "printed", text).replace(" 2>", " >")
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|<>&;")
    lexer.whitespace_split, lexer.commenters = True, "#"
    return " ".join(itertools.takewhile(lambda word: word[0] not in "|<>&;", lexer))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_a_page_tells_to_type_can_be_parsed(page: Path) -> None:
    for typed in typed_lines(page):
        if typed == "COMMAND" or "run" in typed.split()[:1]:  # what stands behind is the app's own
            continue
        line = parse_line(typed)
        command = CATALOGUE.find(line.name)
        words = command.words_of(line.rest, line.app)
        context = click.Context(command, **command.context_settings)
        values, rest, _ = command.make_parser(context).parse_args(words)
        assert not rest or context.ignore_unknown_options, f"{typed}: {rest}"
        for parameter in command.params:
            if isinstance(parameter, click.Argument) and parameter.required:
                assert values[parameter.name or ""], f"{typed} lacks {parameter.name}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_flag_that_a_page_names_beside_its_command_exists(page: Path) -> None:
    for name, rest in re.findall(r"`([a-z-]+:[a-z-]+)( [^`\n]*)`", page.read_text()):
        if name in NAMES:
            known = {flag for each in CATALOGUE.find(name).params for flag in each.opts}
            flags = set(re.findall(r"(?<= )--[a-z-]+", rest))
            assert flags <= known | {"--app"}, f"{name}{rest}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_of_the_program_that_a_page_names_exists(page: Path) -> None:
    calls = r"(?m)(?:bin/|^    |`|\$ )pushdeploy ([a-z][a-z:]*)((?: --[a-z-]+)*)"
    for name, flags in re.findall(calls, page.read_text()):
        assert name in program.commands, name
        known = {flag for each in program.commands[name].params for flag in each.opts}
        assert set(flags.split()) <= known, f"pushdeploy {name}{flags}"


def test_every_command_that_a_message_names_exists() -> None:
    package = ROOT / "pushdeploy"
    foreign = package / "commands" / "face" / "foreign_commands.py"  # its own test sees to it
    for path in set(package.rglob("*.py")) - {foreign}:
        unknown = named_commands(path.read_text()) - NAMES - PROGRAM
        assert not unknown, f"{path.relative_to(ROOT)} names {unknown}"


PROGRAM = {"keys:add", "keys:list", "keys:remove", "stack:prepare"}
"""Commands of the program on the server."""


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text()):
        found = page.parent / target if target else page
        assert found.exists(), target
        assert not heading or heading in anchors(found.read_text()), f"{target}#{heading}"


def anchors(text: str) -> Set[str]:
    """The headings of a page as links name them: lower case, dashes, nothing but words."""
    headings = re.findall(r"(?m)^#+ (.+)$", text)
    return {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def test_every_page_has_one_line_in_the_index() -> None:
    index = DOCS / "README.md"
    linked = re.findall(r"(?m)^- \[[^\]]+\]\(([^)]+)\)", index.read_text())
    wanted = {os.path.relpath(page, DOCS) for page in PAGES} - {"README.md", *_TOLD_BY_README}
    assert len(linked) == len(set(linked))
    assert set(linked) ^ wanted == set(), (
        "docs/README.md has a line for each page, and for nothing else"
    )


_TOLD_BY_README = {"../README.md", "../CHANGELOG.md"}


def test_every_decision_has_a_number_of_its_own_and_says_it() -> None:
    found = sorted((DOCS / "adr").glob("*.md"))
    numbers = [int(page.name.partition("-")[0]) for page in found]
    assert numbers == list(range(1, len(found) + 1))
    for number, page in zip(numbers, found, strict=True):
        assert page.read_text().startswith(f"# {number}. ")


MAPS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "docs/architecture.md")]
_EXAMPLE = re.compile(r"(?m)^`[^`\n]+`:$")
"""A file that a reader is to make."""

_PATH = re.compile(
    r"(?<![\w./<>~:*$…-])(?:[\w.-]+/)*(?:[\w-]+\.(?:py|md|cfg|toml|lock)\b|[\w.-]+/)(?!\w)"
)


def code_lines(text: str) -> Iterator[str]:
    """What a page shows as code: indented lines, fenced blocks, and words in backticks."""
    text = re.sub(r"(?ms)^```.*?^```$", lambda block: indented(block[0]), text)
    for line in text.splitlines():
        yield from [line] if line.startswith("    ") else re.findall(r"`([^`]+)`", line)


def indented(block: str) -> str:
    return "\n".join(f"    {line}" for line in block.splitlines()[1:-1])


def is_there(path: str, beside: str) -> bool:
    """In the checkout or the package, or in the folder ``beside`` that begins the same line; a
    file's name without a folder may stand anywhere."""
    places = [top / inner for top in (ROOT, ROOT / "pushdeploy") for inner in ("", beside)]
    anywhere = "/" not in path and any(
        True for top in ("pushdeploy", "tests") for _ in (ROOT / top).rglob(path)
    )
    return anywhere or any((place / path).exists() for place in places)


def test_the_map_in_the_readme_has_every_part_of_the_package() -> None:
    found = {path.name + "/" * path.is_dir() for path in (ROOT / "pushdeploy").glob("[a-z]*")}
    shown = (ROOT / "README.md").read_text().partition("## The map")[2].partition("\n## ")[0]
    assert found - {"py.typed"} - set(shown.split()) == set()


@pytest.mark.parametrize("page", MAPS, ids=name_of)
def test_every_path_that_a_map_names_exists(page: Path) -> None:
    for line in code_lines(_EXAMPLE.sub("", page.read_text())):
        found = _PATH.findall(line)
        gone = [path for path in found if not is_there(path, found[0])]
        assert not gone, f"{line.strip()}: {gone}"
