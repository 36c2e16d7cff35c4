"""Some packages of Python bring a module, or a program, of another name."""

import re

_NO_DJANGO = "Couldn't import Django"
"""As the manage.py begins that Django writes for a project."""

_DRIVER = re.compile(r"Error loading (?:\w+ or )?(\w+) module")

PACKAGES = {
    "bs4": "beautifulsoup4",
    "corsheaders": "django-cors-headers",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "decouple": "python-decouple",
    "dj_database_url": "dj-database-url",
    "django": "Django",
    "dotenv": "python-dotenv",
    "environ": "django-environ",
    "flask_cors": "flask-cors",
    "flask_login": "flask-login",
    "flask_migrate": "flask-migrate",
    "flask_sqlalchemy": "flask-sqlalchemy",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "multipart": "python-multipart",
    "MySQLdb": "mysqlclient",
    "PIL": "Pillow",
    "pkg_resources": "setuptools<81",
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "rest_framework": "djangorestframework",
    "sklearn": "scikit-learn",
    "storages": "django-storages",
    "yaml": "PyYAML",
}
"""Packages that are called otherwise than the module that they bring."""

PROGRAMS = {
    **{
        name: name
        for name in (
            "alembic", "celery", "daphne", "flask", "granian", "gunicorn", "honcho", "hypercorn",
            "streamlit", "supervisord", "uvicorn", "uwsgi",
        )
    },
    "django-admin": "Django",
    "fastapi": "fastapi[standard]",
    "huey_consumer": "huey",
    "rq": "rq",
    "supervisord": "supervisor",
    "uwsgi": "uWSGI",
    "waitress-serve": "waitress",
}  # fmt: skip
"""Programs that come with a package of Python's, and with which."""


def lacking_package(said: str) -> str:
    """The package that an error's own words miss, which name no module: Django itself, or the
    driver of its database; else empty.
    """
    if said.startswith(_NO_DJANGO):
        return PACKAGES["django"]
    lacking = _DRIVER.search(said)
    return PACKAGES.get(lacking[1], lacking[1]) if lacking else ""
