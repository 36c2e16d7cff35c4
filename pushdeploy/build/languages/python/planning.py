"""uv installs an app's dependencies into a layer of their own; Django collects its static files."""

from collections.abc import Sequence
from dataclasses import replace

from pushdeploy.build.language import Circumstances
from pushdeploy.build.languages.python.choice import PythonChoice, choose_python, may_try
from pushdeploy.build.languages.python.django import collectstatic
from pushdeploy.build.languages.python.managers import (
    DEPENDENCY_FILES,
    Dependencies,
    dependencies_of,
)
from pushdeploy.build.languages.python.requirements import hidden_variables
from pushdeploy.build.languages.python.tools import PYTHONS, STACK, VENV
from pushdeploy.build.languages.python.uv_failures import explained
from pushdeploy.build.languages.python.versions import available, release_of
from pushdeploy.build.languages.python.wishes import RUNTIME_FILE, VERSION_FILE, wish_of
from pushdeploy.build.plan import BuildCommand, Failure, Finish, Install, LayeredPlan
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed

SETUPTOOLS = "setuptools<81"
"""The last versions that bring pkg_resources."""

_WITHOUT = "echo 'going on without setuptools, which no package index here has'"

_POST_COMPILE = "bin/post_compile"
_POST_RESULT = "/tmp/pushdeploy-post-compile"  # noqa: S108 - inside a container that lives seconds

_DIRECTORIES = ("/opt",)
"""The virtual environment, and a Python that uv has fetched."""

_ENVIRONMENT = {
    "VIRTUAL_ENV": VENV,
    "UV_PROJECT_ENVIRONMENT": VENV,
    "UV_PYTHON_INSTALL_DIR": "/opt/python",
    "UV_LINK_MODE": "copy",
    "UV_COMPILE_BYTECODE": "1",
    "UV_NO_PROGRESS": "1",
    "PYC_INVALIDATION_MODE": "UNCHECKED_HASH",
}


_SETUPTOOLS = (
    BuildCommand(
        [
            "sh",
            "-c",
            f"UV_COMPILE_BYTECODE=0 uv pip install --quiet '{SETUPTOOLS}' || {_WITHOUT}",
        ],
        shown=f"uv pip install '{SETUPTOOLS}'",
    ),
)


def detect(tree: Tree) -> str | None:
    """The dependency file, or what else shows a Python app."""
    found = tree.first((*DEPENDENCY_FILES, VERSION_FILE, RUNTIME_FILE))
    if found is None and tree.has("Procfile"):
        return next((name for name in tree.root if name.endswith(".py")), None)
    return found


def plan(tree: Tree, circumstances: Circumstances) -> LayeredPlan:
    """``BuildFailed`` for dependencies or a wish for a Python that cannot be met."""
    environment = circumstances.environment
    dependencies = dependencies_of(tree)
    if dependencies is not None:
        _refuse_hidden_variables(dependencies, circumstances)
    wish, notices = wish_of(tree, environment)
    requires = dependencies.requires_python if dependencies else ""
    python = choose_python(wish, requires, circumstances)
    steps = [collectstatic(tree, circumstances), _post_compile(tree)]
    return LayeredPlan(
        stack=python.stack,
        runtime=f"Python {python.version}",
        install=_install(dependencies, python, circumstances),
        finish=[step for step in steps if step is not None],
        paths=STACK.paths,
        environment=STACK.environment,
        example=_example(tree),
        notices=[*notices, *python.notices, *(dependencies.notices if dependencies else ())],
    )


def _install(
    dependencies: Dependencies | None, python: PythonChoice, circumstances: Circumstances
) -> Install | None:
    if dependencies is None and python.managed is None:
        return None
    commands = [_make_venv(python)]
    environment = {
        **_ENVIRONMENT,
        "UV_PYTHON": python.managed or f"python{python.version}",
        "UV_PYTHON_PREFERENCE": "only-managed" if python.managed else "only-system",
        "UV_PYTHON_DOWNLOADS": "automatic" if python.managed else "never",
    }
    if dependencies is None:
        return Install(
            f"Installing Python {python.version}", {}, commands, _DIRECTORIES, environment
        )
    return Install(
        f"Installing dependencies of {dependencies.found} with uv",
        dependencies.files,
        [
            *commands,
            *(_SETUPTOOLS if _had_setuptools(dependencies, python) else ()),
            *(_explaining(command, python, circumstances) for command in dependencies.commands),
        ],
        _DIRECTORIES,
        environment,
        dependencies.whole_tree,
    )


def _had_setuptools(dependencies: Dependencies, python: PythonChoice) -> bool:
    """Up to Python 3.12 pip's environments have it, as at Heroku: many a package imports
    pkg_resources without saying so."""
    return dependencies.with_setuptools and release_of(python.version) <= (3, 12)


def _refuse_hidden_variables(dependencies: Dependencies, circumstances: Circumstances) -> None:
    hidden = hidden_variables(dependencies.files, circumstances.environment)
    if not hidden:
        return
    name = hidden[0]
    if name in circumstances.config_names:
        why, assignments = "is a config var that builds do not see", []
    else:
        why, assignments = "is no config var", [f"{name}=…"]
    raise BuildFailed(
        f"{dependencies.found} wants ${{{name}}}, which {why}",
        circumstances.let_in(name, *assignments),
    )


def _make_venv(python: PythonChoice) -> BuildCommand:
    arguments = ["uv", "venv", "--quiet", VENV]
    if python.managed is None:
        return BuildCommand(arguments)
    cause = Failure(
        f"Python {python.managed} is on no stack of this machine and cannot be fetched from here",
        f"write one that is here into .python-version, commit and push: {available(PYTHONS)}",
    )
    return BuildCommand(arguments, explain=lambda _lines: cause)


def _explaining(
    command: BuildCommand, python: PythonChoice, circumstances: Circumstances
) -> BuildCommand:
    """Another Python is tried only where the app has not asked for this one."""

    def explain(lines: Sequence[str]) -> Failure | None:
        cause = explained(lines, python.version, command)
        if cause is None or (python.free and may_try(cause.runtime, circumstances.stacks)):
            return cause
        return replace(cause, runtime="")

    return replace(command, explain=explain)


def _post_compile(tree: Tree) -> Finish | None:
    """The app's own last word, as at Heroku: what it leaves below /app is part of the slug."""
    if not tree.has(_POST_COMPILE):
        return None
    script = f"bash {_POST_COMPILE}; code=$?; echo -n /app > {_POST_RESULT}; exit $code"
    hint = f"mend  {_POST_COMPILE} , commit and push"
    command = BuildCommand(["bash", "-c", script], shown=f"bash {_POST_COMPILE}", hint=hint)
    return Finish(f"Running {_POST_COMPILE}", command, _POST_RESULT)


def _example(tree: Tree) -> str:
    wsgi = next(iter(tree.named("wsgi.py", 2)), None)
    if wsgi:
        module = wsgi.removesuffix(".py").replace("/", ".")
        return f"web: gunicorn {module} --bind 0.0.0.0:$PORT"
    main = next((name for name in tree.root if name.endswith(".py")), "app.py")
    return f"web: python {main}"
