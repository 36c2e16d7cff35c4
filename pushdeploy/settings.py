"""All settings are one frozen value: environment, then <home>/pushdeploy.toml, then defaults."""

import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from pushdeploy.domain.automatic import LETS_ENCRYPT
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.front.network import Network, parse_network
from pushdeploy.domain.names import HostName

DEFAULT_HOME = Path("/var/lib/pushdeploy")

_SHOWN = re.compile(r"^#\s*[a-z_]+ = ", re.MULTILINE)
"""A setting as a comment."""

_HOST_PORT = re.compile(r"(?P<host>[^:\[\]\s]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")
_HTTPS_URL = re.compile(r"https://[^\s/?#@]+(/[^\s#]*)?")


@dataclass(frozen=True, slots=True)
class Address:
    """An address is ``host:port``, like ``[::1]:2222`` for IPv6."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: object) -> "Address":
        if isinstance(text, Address):
            return text
        match = _HOST_PORT.fullmatch(str(text))
        if not match or int(match["port"]) > 65535:
            raise ValueError(f"{text!r} is not host:port, as in 0.0.0.0:2222")
        return cls(match["host"].strip("[]"), int(match["port"]))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_HTTPS = Address("0.0.0.0", 443)  # noqa: S104 - the server's purpose


def _domain(text: str) -> str:
    if text.startswith("*") or not HostName.fits(text):
        raise ValueError(f"{text!r} is not a domain, as in apps.example.com")
    return text


def _networks(value: object) -> Sequence[Network]:
    """A list, or a text with commas or spaces between; an address alone is a network of one."""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is no list of addresses and networks")  # noqa: TRY004 - pydantic's way
    return tuple(_network(item) for item in value)


def _network(value: object) -> Network:
    try:
        return parse_network(str(value).strip())
    except UserError as error:
        raise ValueError(f"{error.message}; {error.hint}") from error


Networks = Annotated[Sequence[Network], BeforeValidator(_networks)]


def _https_url(text: str) -> str:
    if not _HTTPS_URL.fullmatch(text):
        raise ValueError(f"{text!r} is no address that begins with https://")
    return text


HttpsUrl = Annotated[str, AfterValidator(_https_url)]
HostPort = Annotated[Address, BeforeValidator(Address.parse)]
Domain = Annotated[str, AfterValidator(_domain)]
AbsolutePath = Annotated[Path, AfterValidator(Path.absolute)]


class Settings(BaseSettings):
    """``load_settings`` reads the settings once at start; docs/settings.md explains them.

    ``pushdeploy init`` writes the descriptions into the first pushdeploy.toml.
    """

    model_config = SettingsConfigDict(
        env_prefix="PUSHDEPLOY_",
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
        enable_decoding=False,  # host:port is text, not JSON
    )

    home: AbsolutePath = Field(DEFAULT_HOME, description="The directory that holds all state.")
    ssh: HostPort = Field(
        Address("0.0.0.0", 2222),  # noqa: S104 - the server's purpose
        description="Where people connect for git and commands; [::]:2222 takes IPv6 as well.",
    )
    http: HostPort = Field(
        Address("0.0.0.0", 80),  # noqa: S104 - the server's purpose
        description="Where nginx takes requests. Behind a proxy that does TLS: 127.0.0.1:8080.",
    )
    tls: Literal["off", "own", "auto"] = Field(
        "off",
        description="Whether nginx serves https as well: own with the certificates that people"
        " bring (certs:add), auto with those that it gets by itself too, off not at all: a proxy"
        " in front may do it.",
    )
    https: HostPort | None = Field(
        None,
        description="Where nginx takes requests by https, unless tls is off; without it"
        " 0.0.0.0:443.",
        examples=["0.0.0.0:8443"],
    )
    trusted_proxies: Networks = Field(
        (),
        description="Addresses and networks of the proxies in front, such as 127.0.0.1 and"
        " 10.0.0.0/8. Only they are believed about who asks, and whether by https.",
    )
    proxy_protocol: bool = Field(
        False,
        description="Whether every connection begins with a PROXY line, as load balancers for TCP"
        " write it. One without it is refused; trusted_proxies are believed.",
    )
    log_query_strings: bool = Field(
        False,
        description="Whether router lines keep what follows the ? of an address. Tokens"
        " stand there at times.",
    )
    domain: Domain = Field(
        "localhost",
        description="The app shop answers on shop.<domain>: point *.<domain> to this machine.",
    )
    ca_bundle: Path | None = Field(
        None,
        description="A file of certificates that builds trust, where a company's proxy opens TLS.",
        examples=["/etc/ssl/certs/company.pem"],
    )
    acme_email: str | None = Field(
        None,
        description="Where a certificate authority writes to. Most of them write no more.",
        examples=["ada@example.com"],
    )
    acme_directory: HttpsUrl = Field(
        LETS_ENCRYPT,
        description="The ACME directory of the authority of automatic certificates.",
        examples=["https://acme-staging-v02.api.letsencrypt.org/directory"],
    )
    acme_eab_kid: str | None = Field(
        None,
        description="The key id of an external account binding, where the authority wants one.",
    )
    acme_eab_hmac_key: str | None = Field(
        None,
        repr=False,
        description="The key that belongs to it, in base64url as you were given it.",
    )
    acme_profile: str = Field(
        "",
        description="One of the authority's profiles, as shortlived; empty for its default.",
    )
    acme_ca_bundle: Path | None = Field(
        None,
        description="Certificates to trust about the authority itself, if it is your own.",
        examples=["/etc/ssl/certs/company.pem"],
    )
    acme_resolver: HostPort | None = Field(
        None,
        description="A name server to ask whether names lead here; else those of the machine.",
        examples=["1.1.1.1:53"],
    )
    database: str | None = Field(
        None,
        description="An SQLAlchemy URL; without it pushdeploy.sqlite3 in this directory.",
        examples=["sqlite:////srv/pushdeploy.sqlite3"],
    )
    docker_host: str | None = Field(
        None,
        description="The Docker engine; without it DOCKER_HOST, else the machine's own.",
        examples=["unix:///run/docker.sock"],
    )
    scheduler: str = Field(
        "docker-local",
        description="What runs the processes of apps: docker-local, on this machine's Docker.",
    )
    router: str = Field(
        "nginx", description="What sends requests to apps: nginx, one of pushdeploy's own."
    )
    nginx: Path | None = Field(
        None,
        description="Another nginx program than the one that is installed along.",
        examples=["/usr/sbin/nginx"],
    )
    stack: Literal["newest", "bookworm", "trixie"] = Field(
        "newest",
        description="What new apps are built on that ask for no Python: bookworm (3.11), trixie"
        " (3.13), or the newest that is prepared here. Apps that are live stay where they are.",
    )
    stack_source: Literal["auto", "pull", "bootstrap"] = Field(
        "auto",
        description="Whether a stack is pulled from a registry, bootstrapped from Debian's"
        " packages, or pulled where that works.",
    )
    hold_seconds: int = Field(
        25,
        ge=1,
        description="How long a request waits while an app with a disk changes its version, or"
        " for a web process that has ended by itself. Then the visitor is asked to come back"
        " (503).",
    )
    build_timeout_seconds: int = Field(
        1800, ge=1, description="A build that takes longer is ended, and the push is rejected."
    )
    build_memory_bytes: int = Field(
        2 * 1024**3, ge=0, description="The memory of a build, 2 GB; 0 sets no limit."
    )
    build_cpus: float = Field(
        0, ge=0, description="How many CPUs a build may use, such as 1.5; 0 sets no limit."
    )
    keep_releases: int = Field(
        20,
        ge=1,
        description="So many releases of each app can be rolled back to. Each holds an image.",
    )
    keep_snapshots: int = Field(
        10, ge=1, description="So many snapshots of each app's disks stay, however old they are."
    )
    keep_snapshot_days: int = Field(
        14, ge=0, description="Younger snapshots stay too, however many; 0 goes by number alone."
    )
    keep_audit_days: int = Field(
        365, ge=1, description="After so many days a row of the audit log is removed."
    )
    keep_audit_rows: int = Field(
        100_000, ge=1, description="Of the audit log at most so many rows stay, the newest ones."
    )
    task_memory_bytes: int = Field(
        512 * 1024**2,
        ge=0,
        description="The memory of each process of an app, 512 MB. One that takes more is killed;"
        " 0 sets no limit.",
    )
    task_cpus: float = Field(
        0, ge=0, description="How many CPUs a process may use, such as 0.5; 0 sets no limit."
    )
    task_layer_bytes: int = Field(
        2 * 1024**3,
        ge=0,
        description="What a container may write beside its disks, 2 GB. A process that has written"
        " more is started anew without it; 0 sets no limit.",
    )
    task_cpu_shares: int = Field(
        512,
        ge=2,
        le=262144,
        description="The weight of a process while CPUs are short; builds have 128, containers of"
        " others 1024.",
    )
    task_pids: int = Field(
        512,
        ge=0,
        description="How many processes and threads a container may have; 0 sets no limit.",
    )
    lan: Literal["open", "closed"] = Field(
        "open",
        description="closed keeps apps and builds from private addresses beyond this machine. A"
        " database in the same network is out of reach then.",
    )
    upkeep_seconds: int = Field(
        60,
        ge=1,
        description="How often the server looks after firewall rules, logs and what is to be"
        " removed.",
    )
    ssh_ciphers: Literal["aead", "all"] = Field(
        "aead", description="all also offers old ciphers, for clients that know no other."
    )
    login_grace_seconds: float = Field(
        20, gt=0, description="A connection that has not logged in by then is closed."
    )
    max_startups: int = Field(
        250, ge=1, description="So many connections may be logging in at once."
    )
    max_startups_per_host: int = Field(
        250, ge=1, description="So many of them from one address, as of a CI behind one router."
    )
    max_pack_bytes: int = Field(
        2 * 1024**3, ge=1024, description="The largest push, 2 GB as git packs it."
    )
    max_tree_files: int = Field(
        100_000, ge=1, description="A commit with more files than that is not deployed."
    )
    max_tree_bytes: int = Field(
        2 * 1024**3, ge=1, description="A commit whose files are larger together is not deployed."
    )
    pack_memory_bytes: int = Field(
        1024**3, ge=1, description="The memory in which git unpacks one push, 1 GB."
    )

    @field_validator("proxy_protocol")
    @classmethod
    def _needs_trusted_proxies(cls, wanted: bool, read: ValidationInfo) -> bool:
        if wanted and not read.data.get("trusted_proxies"):
            raise ValueError("needs PUSHDEPLOY_TRUSTED_PROXIES: whose PROXY lines are believed?")
        return wanted

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        home = init_settings().get("home") or os.environ.get("PUSHDEPLOY_HOME") or DEFAULT_HOME
        toml = TomlConfigSettingsSource(settings_cls, Path(home) / "pushdeploy.toml")
        return (init_settings, env_settings, toml)

    @property
    def https_address(self) -> Address | None:
        """Return where https is served, None where it is not."""
        return None if self.tls == "off" else self.https or _HTTPS

    @property
    def lan_closed(self) -> bool:
        return self.lan == "closed"

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home / 'pushdeploy.sqlite3'}"


def load_settings(**overrides: Any) -> Settings:
    """Load the settings, or raise ``UserError`` that names the setting and its fault."""
    try:
        return Settings(**overrides)
    except (ValueError, OSError) as error:
        raise UserError(
            f"the settings cannot be used: {_first(error)}", "see docs/settings.md"
        ) from error


def lost_settings(settings: Settings) -> str:
    """Tell of a settings file that sets nothing, as one that was emptied or cut; else empty.

    One that ``pushdeploy init`` wrote may have all of them as comments, and is whole then.
    """
    path = settings.home / "pushdeploy.toml"
    text = path.read_text(errors="replace") if path.is_file() else None
    if text is None or tomllib.loads(text):
        return ""
    if text.endswith("\n") and _SHOWN.search(text):
        return ""
    return (
        f"{path} has not one setting: was it emptied or cut? Without it ssh is"
        f" {settings.ssh}, http {settings.http} and the domain {settings.domain}"
    )


def _first(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"pushdeploy.toml: {error}"
    detail = error.errors()[0]
    name = "_".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"pushdeploy.toml: there is no setting {name}"
    return f"PUSHDEPLOY_{name.upper()}: {detail['msg'].removeprefix('Value error, ')}"
