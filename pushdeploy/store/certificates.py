"""Certificates and their keys are kept here; the files that nginx reads are made of them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    cast,
    delete,
    insert,
    select,
    true,
    type_coerce,
)

from pushdeploy.domain.certificate import Certificate, Pem
from pushdeploy.domain.errors import UnknownApp, UserError
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.store.database import Stored
from pushdeploy.store.reading import Reading, text
from pushdeploy.store.schema import APPS, CERTIFICATES

_FACTS = [column for column in CERTIFICATES.c if column.name not in {"chain", "key"}]


class Certificates(Stored):
    """Keys leave this table by ``pems`` alone."""

    def list(self, app: AppName | None = None) -> Sequence[Certificate]:
        """List those of one app alone, else all, the oldest first."""
        which = APPS.c.name == str(app) if app is not None else true()
        return self._find(which)

    def near(self, app: AppName, hosts: Sequence[HostName]) -> Sequence[Certificate]:
        """List those that may be for one of ``hosts`` of the app, not the thousands of others."""
        table = CERTIFICATES.c
        wild = [f"*.{host.partition('.')[2]}" for host in hosts]
        mine = [json.dumps([str(name)]) for name in (*hosts, *wild)]
        automatic = (table.kind == "acme") & table.host.is_(None)  # one name each, and thousands
        named = (
            (automatic & cast(type_coerce(table.names, Text), Text).in_(mine))
            | (~automatic & table.host.is_(None))
            | table.host.in_([*map(str, hosts), *wild])
        )
        return self._find((APPS.c.name == str(app)) | (table.app_id.is_(None) & named))

    def get(self, number: int) -> Certificate:
        """Raise ``UserError`` when there is none."""
        found = self._find(CERTIFICATES.c.id == number)
        if not found:
            raise UserError(f"there is no certificate {number}", "certs:report shows them all")
        return found[0]

    def pems(self, numbers: Sequence[int]) -> Mapping[int, Pem]:
        """Return the chains and keys of these; one that is gone is left out."""
        table = CERTIFICATES.c
        query = select(table.id, table.chain, table.key).where(table.id.in_(numbers))
        with self._database.reading() as connection:
            return {row.id: Pem(row.chain, row.key) for row in connection.execute(query)}

    def add(self, certificate: Certificate, pem: Pem) -> Certificate:
        """Keep one, in place of what was there of its kind for the same app and host: as it is
        kept, with its number and the present moment.

        ``UnknownApp`` where its app is gone.
        """
        values = {
            "kind": certificate.kind,
            "host": str(certificate.host) if certificate.host else None,
            "names": [str(name) for name in certificate.names],
            "issuer": certificate.issuer,
            "not_before": certificate.not_before,
            "not_after": certificate.not_after,
            "fingerprint": certificate.fingerprint,
            "key_type": certificate.key_type,
            "chain": pem.chain,
            "key": pem.key,
            "by": certificate.by,
            "created_at": datetime.now(UTC),
        }
        with self._database.changing() as connection:
            app_id = None
            if certificate.app is not None:
                query = select(APPS.c.id).where(APPS.c.name == str(certificate.app))
                app_id = connection.execute(query).scalar()
                if app_id is None:
                    raise UnknownApp(certificate.app)
            _in_its_place(connection, certificate, app_id)
            added = connection.execute(insert(CERTIFICATES).values(app_id=app_id, **values))
            number = int((added.inserted_primary_key or [0])[0])
        return self.get(number)

    def remove(self, *numbers: int) -> None:
        """Remove these; one that is gone already does not matter."""
        with self._database.changing() as connection:
            connection.execute(delete(CERTIFICATES).where(CERTIFICATES.c.id.in_(numbers)))

    def _find(self, which: ColumnElement[bool]) -> Sequence[Certificate]:
        query = select(*_FACTS, APPS.c.name.label("app")).join_from(
            CERTIFICATES, APPS, isouter=True
        )
        with self._database.reading() as connection:
            found = connection.execute(query.where(which).order_by(CERTIFICATES.c.id))
            return [_certificate(row) for row in found]


def _in_its_place(connection: Connection, certificate: Certificate, app_id: int | None) -> None:
    """Remove what the new one takes the place of.

    For all hosts of an app there may be several, as long as they do not name the same hosts.
    """
    table = CERTIFICATES.c
    query = select(table.id, table.names).where(
        table.kind == certificate.kind,
        table.app_id == app_id,
        table.host == (str(certificate.host) if certificate.host else None),
    )
    former = [
        row.id
        for row in connection.execute(query)
        if certificate.host is not None
        or set(names_of(row.names, Reading())) == set(certificate.names)
    ]
    connection.execute(delete(CERTIFICATES).where(table.id.in_(former)))


def names_of(stored: object, reading: Reading) -> Sequence[str]:
    """Return the hosts that a certificate names; none where they are damaged."""
    return reading.whole("names", lambda: _names(stored), ())


def _names(stored: object) -> Sequence[str]:
    if not isinstance(stored, list):
        raise TypeError("it is no list")
    return tuple(map(text, stored))


def _certificate(row: Any) -> Certificate:
    return Certificate(
        id=row.id,
        kind="acme" if row.kind == "acme" else "own",
        app=AppName(row.app) if row.app is not None else None,
        host=HostName(row.host) if row.host is not None else None,
        names=names_of(row.names, Reading()),
        issuer=row.issuer,
        not_before=row.not_before,
        not_after=row.not_after,
        fingerprint=row.fingerprint,
        key_type=row.key_type,
        by=row.by,
        created_at=row.created_at,
    )
