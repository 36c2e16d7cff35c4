"""Finds back-ends: every module of a package that defines the name that its kind must."""

import importlib
import pkgutil
from collections.abc import Container
from types import ModuleType

from pushdeploy.domain.errors import PushdeployError, UserError


def discover(package: ModuleType, name: str, *, ignore: Container[str] = ()) -> dict[str, object]:
    """Return ``{module's last name: its object called name}``, in the order of the names.

    Modules in ``ignore`` are no back-ends. Any other one without that name is a defect of the
    installation: ``PushdeployError`` at start.
    """
    found: dict[str, object] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        if info.name in ignore:
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        if not hasattr(module, name):
            raise PushdeployError(
                f"{module.__name__} does not define {name}", f"define {name} there or move the file"
            )
        found[info.name] = getattr(module, name)
    return found


def chosen(package: ModuleType, name: str, setting: str, wanted: str) -> object:
    """Return the object ``name`` of the one back-end of ``package`` that ``setting`` names.

    ``docker-local`` is the module ``docker_local``. ``UserError`` with those that exist.
    """
    found = {module.replace("_", "-"): each for module, each in discover(package, name).items()}
    if wanted not in found:
        raise UserError(
            f"{setting}: there is no {name.lower()} {wanted!r}", f"set it to {' or '.join(found)}"
        )
    return found[wanted]
