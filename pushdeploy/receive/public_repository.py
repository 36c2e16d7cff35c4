"""Clients see a repository without the server's own refs."""

from dulwich.objects import ObjectID
from dulwich.refs import HEADREF, Ref
from dulwich.repo import Repo
from dulwich.server import Backend, BackendRepo

from pushdeploy.receive.updates import PRIVATE


class PublicRepository(Repo):
    """A public repository shows HEAD and the public refs.

    Nobody can push to HEAD: pushes do not see it.
    """

    shows_head = True

    def get_refs(self) -> dict[Ref, ObjectID]:
        found = {}
        for name in self.refs.allkeys():
            if self._shows(name):
                try:
                    found[name] = self.refs[name]
                except KeyError:
                    continue  # HEAD of an empty repository, or deleted meanwhile
        return found

    def _shows(self, name: Ref) -> bool:
        return self.shows_head if name == HEADREF else not name.startswith(PRIVATE.encode())


class OnlyRepository(Backend):
    """Dulwich looks paths up in a backend; this one has a single repository, chosen before."""

    def __init__(self, repository: PublicRepository) -> None:
        self._repository = repository

    def open_repository(self, path: str) -> BackendRepo:
        del path
        return self._repository
