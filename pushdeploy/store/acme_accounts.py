"""The server's accounts with certificate authorities, one for each directory."""

from dataclasses import asdict

from sqlalchemy import delete, insert, select

from pushdeploy.domain.acme_account import AcmeAccount
from pushdeploy.store.database import Stored
from pushdeploy.store.schema import ACME_ACCOUNTS


class AcmeAccounts(Stored):
    """Keys among them: the database is readable for the server's own user only."""

    def get(self, directory: str) -> AcmeAccount | None:
        query = select(ACME_ACCOUNTS).where(ACME_ACCOUNTS.c.directory == directory)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else AcmeAccount(**row)

    def save(self, account: AcmeAccount) -> None:
        gone = delete(ACME_ACCOUNTS).where(ACME_ACCOUNTS.c.directory == account.directory)
        with self._database.changing() as connection:
            connection.execute(gone)
            connection.execute(insert(ACME_ACCOUNTS).values(asdict(account)))

    def remove(self, directory: str) -> None:
        gone = delete(ACME_ACCOUNTS).where(ACME_ACCOUNTS.c.directory == directory)
        with self._database.changing() as connection:
            connection.execute(gone)
