"""Python apps are known by their dependency files; uv installs what those name."""

import re

from pushdeploy.build.language import Files, Language, Variables
from pushdeploy.build.languages.python.planning import detect, plan
from pushdeploy.build.languages.python.sqlite import opens_sqlite
from pushdeploy.build.languages.python.tools import STACK, TOOLS
from pushdeploy.build.languages.python.wishes import RUNTIME_FILE, VERSION_FILE

LANGUAGE = Language(
    name="python",
    order=20,
    version="1",
    wants="requirements.txt, uv.lock, poetry.lock, Pipfile.lock, pyproject.toml, or *.py and a"
    " Procfile",
    detect=detect,
    plan=plan,
    files=Files(
        telling=(
            *("Procfile", "requirements.txt", "pyproject.toml"),
            *("Pipfile", "uv.lock", "poetry.lock"),
        ),
        read=(
            *("requirements.txt", "uv.lock", "poetry.lock", "pyproject.toml"),
            *("Pipfile", "Pipfile.lock", VERSION_FILE, RUNTIME_FILE),
        ),
        unread={
            "bin/pre_compile": "is not run: what it makes belongs into  bin/post_compile",
            "nltk.txt": "is not read: let  bin/post_compile  run  python -m nltk.downloader -d"
            " nltk_data … and set the config var NLTK_DATA=/app/nltk_data",
            "package.json": "is not read: nothing is built with Node beside Python; commit what it"
            " builds, or add a Dockerfile",
        },
    ),
    variables=Variables(
        seen=r"(UV|PIP|POETRY_HTTP_BASIC)_[A-Z0-9_]+|(DISABLE|DEBUG)_COLLECTSTATIC|PYTHON_VERSION",
        not_keyed=frozenset({"DISABLE_COLLECTSTATIC", "DEBUG_COLLECTSTATIC", "PYTHON_VERSION"}),
    ),
    tools=TOOLS,
    stack=STACK,
    watched={"django": re.compile(r"/site-packages/django/__init__\.py$")},
    opens_sqlite=opens_sqlite,
)
