"""An app's first deploy also sets the config that app.json asks for, and gives good advice."""

import secrets

from pushdeploy.build.advice import first_config, missing_config, sqlite_in
from pushdeploy.build.app_json import read_app_json
from pushdeploy.build.language import load_languages
from pushdeploy.build.tree import Tree
from pushdeploy.domain.config import changed_config
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.formation import quantities
from pushdeploy.domain.names import WEB
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.source import Source
from pushdeploy.store import Store

_SECRET_BYTES = 32


def configure(store: Store, source: Source, output: Output) -> None:
    """Set what app.json gives a value or generates; ``BuildFailed`` names what it requires.

    A secret is made once: from then on it is set. An app that is live is left alone.
    """
    if store.releases.current(source.app) is not None:
        return
    facts = read_app_json(Tree.of(source.reader))
    made = first_config(facts, store.config.whole(source.app), _new_secret)
    if made:
        config, _ = changed_config(store.config.get(source.app), made)
        store.config.replace(source.app, config)
        output.detail(f"set as app.json asks: {', '.join(sorted(made))}")
    if missing := missing_config(facts, store.config.whole(source.app)):
        raise BuildFailed(
            f"app.json requires {', '.join(missing)}, and nobody has set it",
            f"ssh deploy config:set {source.app} {' '.join(f'{name}=…' for name in missing)}",
        )


def advise(store: Store, source: Source, slug: Slug, output: Output) -> None:
    """Lines on what a newcomer may wonder about later: types that are not started, lost data."""
    if store.releases.current(source.app) is not None:
        return
    app = store.apps.get(source.app)
    counts = quantities(slug.process_types, app.formation, slug.formation)
    for kind, count in counts.items():
        if not count and kind not in app.formation and kind.lower() != WEB:
            output.detail(f"{kind} is not started: ssh deploy ps:scale {app.name} {kind}=1 does")
    if store.disks.of(app.name) or "DATABASE_URL" in store.config.whole(app.name):
        return
    if found := sqlite_in(Tree.of(source.reader), load_languages()):
        output.trouble(
            f"SQLite ({found}) without a disk is new with each release:"
            f" ssh deploy disks:attach {app.name} data /data"
        )


def _new_secret() -> str:
    return secrets.token_hex(_SECRET_BYTES)
