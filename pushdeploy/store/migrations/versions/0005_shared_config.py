"""Config vars that all apps share get a table, and each app the branch that has deployed."""

import sqlalchemy as sa
from alembic import op

from pushdeploy.store.columns import FreeText

revision = "0005"
down_revision = "0004"

_HEADS = "refs/heads/"


def upgrade() -> None:
    op.create_table(
        "shared_config",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", FreeText, nullable=False),
    )
    op.add_column("releases", sa.Column("shared_config", sa.JSON))
    _keep_deploy_branches()


def _keep_deploy_branches() -> None:
    """The branch that deploys was that of the live release; now it is a setting of the app."""
    connection = op.get_bind()
    apps = sa.table("apps", sa.column("id"), sa.column("settings", sa.JSON))
    releases = sa.table(
        "releases",
        sa.column("app_id"),
        sa.column("version"),
        sa.column("ref"),
        sa.column("live_at"),
    )
    for app in connection.execute(sa.select(apps.c.id, apps.c.settings)).all():
        last = connection.execute(
            sa.select(releases.c.ref)
            .where(releases.c.app_id == app.id, releases.c.ref.startswith(_HEADS))
            .where(releases.c.live_at.is_not(None))
            .order_by(releases.c.version.desc())
            .limit(1)
        ).scalar()
        if last is not None and not app.settings.get("deploy_branch"):
            settings = {**app.settings, "deploy_branch": last.removeprefix(_HEADS)}
            connection.execute(sa.update(apps).where(apps.c.id == app.id).values(settings=settings))
