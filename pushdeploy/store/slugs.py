"""A slug says which image holds which tree, for as long as anything refers to it."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, delete, exists, insert, select, update

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.slug import Slug
from pushdeploy.store.database import DuplicateRow, Stored
from pushdeploy.store.reading import Reading
from pushdeploy.store.rows import slug_of, slug_values
from pushdeploy.store.schema import RELEASES, SLUGS

_FROM_THE_TREE = ("process_types", "published", "checks", "formation", "runs_as")


class Slugs(Stored):
    """A key whose image was lost and built anew has several slugs; the newest one counts.

    Releases go on naming the one that they ran.
    """

    def find(self, key: str) -> Slug | None:
        """Return the newest slug of the key, unless it is damaged: then it is to be built anew."""
        query = select(SLUGS).where(SLUGS.c.key == key).order_by(SLUGS.c.id.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
        return _undamaged(row) if row else None

    def get(self, image: ImageDigest) -> Slug:
        """Raise ``UserError`` when no slug has this image."""
        query = select(SLUGS).where(SLUGS.c.image == image).order_by(SLUGS.c.id.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise UserError(f"there is no slug with the image {image}", "releases shows the slugs")
        return slug_of(row)

    def add(self, slug: Slug) -> None:
        """Add the slug; nothing happens when the key is there with this image."""
        try:
            with self._database.changing() as connection:
                ensure_slug(connection, slug)
        except DuplicateRow:
            if self.find(slug.key) is None:
                raise

    def unused(self) -> Sequence[Slug]:
        """List the slugs that no release refers to, oldest first; one may be released soon."""
        used = exists().where(RELEASES.c.slug_id == SLUGS.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(select(SLUGS).where(~used).order_by(SLUGS.c.id)).mappings()
            return [slug_of(row) for row in rows]

    def remove(self, key: str) -> None:
        """Remove the slugs of this key without a release; ``UserError`` when all have one."""
        used = exists().where(RELEASES.c.slug_id == SLUGS.c.id)
        with self._database.changing() as connection:
            gone = connection.execute(delete(SLUGS).where(SLUGS.c.key == key, ~used)).rowcount
            kept = connection.execute(select(SLUGS.c.id).where(SLUGS.c.key == key)).first()
        if kept and not gone:
            raise UserError(f"a release refers to the slug {key}", "apps:destroy forgets them")


def ensure_slug(connection: Connection, slug: Slug) -> int:
    """Return the id of the slug's row, which is written when it is missing.

    Damaged rows of its key get back what this one says: an equal key means an equal slug.
    """
    found = connection.execute(select(SLUGS).where(SLUGS.c.key == slug.key)).mappings().all()
    if slug.process_types or slug.published:
        for row in found:
            _mend(connection, row, slug)
    for row in found:
        if row[SLUGS.c.image] == slug.image:
            return int(row[SLUGS.c.id])
    added = connection.execute(insert(SLUGS).values(**slug_values(slug)).returning(SLUGS.c.id))
    return int(added.scalar_one())


def _mend(connection: Connection, row: RowMapping, slug: Slug) -> None:
    if _undamaged(row) is None:
        facts = {name: slug_values(slug)[name] for name in _FROM_THE_TREE}
        connection.execute(update(SLUGS).where(SLUGS.c.id == row[SLUGS.c.id]).values(facts))


def _undamaged(row: RowMapping) -> Slug | None:
    reading = Reading()
    slug = slug_of(row, reading)
    return None if reading.lost else slug
