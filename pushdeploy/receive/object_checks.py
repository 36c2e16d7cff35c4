"""Checks pushed objects before anything else happens with them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import CommitId, TreeId
from pushdeploy.receive.git import Git, GitFailed
from pushdeploy.receive.quarantine import Quarantine

_MODES = {b"40000", b"100644", b"100755", b"100664", b"120000", b"160000"}
"""100664 is of git's first years."""


def check_connected(
    quarantine: Quarantine,
    tips: Sequence[CommitId],
    client_shallow: set[CommitId],
    cancellation: Cancellation,
) -> None:
    """Raise ``UserError`` unless every object that the tips need is here.

    A shallow client's boundary is believed only where the push is incomplete without it: then
    its commits go with the objects into the repository's own list.
    """
    try:
        quarantine.assume_whole()
        _walk(quarantine.git, tips, cancellation)
    except GitFailed as error:
        if not client_shallow:
            raise _incomplete(quarantine, error) from error
    else:
        return
    try:
        quarantine.assume_shallow(client_shallow)
        _walk(quarantine.git, tips, cancellation)
    except GitFailed as error:
        raise _incomplete(quarantine, error) from error
    quarantine.shallow_commits = _without_parents(quarantine.git, client_shallow, cancellation)


def types_of(git: Git, objects: Sequence[CommitId]) -> list[str]:
    """Return "commit", "tag", "tree", "blob" or "missing" for each object."""
    asked = "".join(f"{name}\n" for name in objects).encode()
    answer = git.read("cat-file", "--batch-check", given=asked)
    return [line.split()[1] for line in answer.decode().splitlines()]


def commit_of(git: Git, tag: CommitId) -> CommitId | None:
    """Return the commit that a tag leads to in the end, or None where that is another object."""
    try:
        found = git.read("rev-parse", "--verify", "--quiet", f"{tag}^{{commit}}")
    except GitFailed:
        return None
    return CommitId.parse(found.decode().strip())


def check_modes(git: Git, commit: CommitId, directories: Iterable[str]) -> TreeId:
    """Return the tree of ``commit``.

    ``UserError`` where it, or one of the trees of its ``directories``, has a mode that git does not
    write.

    git itself lets them pass as a blemish and shows them as something else, so the bytes of the
    trees are looked at: setuid files and devices are nobody's honest history. The child that
    brings them says as well which tree is the commit's.
    """
    asked = "".join(f"{name}\n" for name in [f"{commit}^{{tree}}", *sorted(set(directories))])
    answer = git.read("cat-file", "--batch", given=asked.encode())
    root = TreeId(answer.partition(b" ")[0].decode())
    while answer:
        head, _, rest = answer.partition(b"\n")
        size_bytes = int(head.split()[2])
        for mode in _modes(rest[:size_bytes]):
            if mode.lstrip(b"0") not in _MODES:
                shown = mode.decode("ascii", "replace")
                raise UserError(f"the tree has an entry of mode {shown}", "git writes none such")
        answer = rest[size_bytes + 1 :]
    return root


def _modes(tree: bytes) -> Iterator[bytes]:
    """Entries are ``<mode> <name>NUL<20 bytes of id>``."""
    while tree:
        head, _, rest = tree.partition(b"\0")
        yield head.partition(b" ")[0]
        tree = rest[20:]


def _walk(git: Git, tips: Sequence[CommitId], cancellation: Cancellation) -> None:
    """As git's own receive-pack: from the tips down to what the refs reach already."""
    git.read(
        *("rev-list", "--objects", "--stdin", "--not", "--all", "--quiet"),
        given="".join(f"{tip}\n" for tip in tips).encode(),
        cancellation=cancellation,
    )


def _without_parents(git: Git, commits: set[CommitId], cancellation: Cancellation) -> set[CommitId]:
    """Those that are here while their past is not, or not whole."""
    ordered = sorted(commits)
    kinds = types_of(git, ordered)
    return {
        commit
        for commit, kind in zip(ordered, kinds, strict=True)
        if kind == "commit" and not _whole(git, _parents(git, commit), cancellation)
    }


def _whole(git: Git, commits: Sequence[CommitId], cancellation: Cancellation) -> bool:
    if "missing" in types_of(git, commits):
        return False
    try:
        _walk(replace(git, shallow=None), commits, cancellation)
    except GitFailed:
        return False
    return True


def _parents(git: Git, commit: CommitId) -> list[CommitId]:
    """As the commit itself says, not as a shallow file would have it."""
    head, _, _ = git.read("cat-file", "commit", commit).partition(b"\n\n")
    lines = head.decode("utf-8", "replace").splitlines()
    return [CommitId.parse(line[7:]) for line in lines if line.startswith("parent ")]


def _incomplete(quarantine: Quarantine, error: GitFailed) -> UserError:
    """Clients leave out what lies behind a ref of ours, also where we never got it."""
    hint = "push again"
    if (quarantine.repository.directory / "shallow").exists():
        hint = "the branch came from a shallow clone: push newer commits, or use releases:rollback"
    return UserError(f"the push lacks objects that it needs: {error.message}", hint)
