"""Every setting in one frozen value: environment, then <home>/pushdeploy.toml, then defaults."""

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import HostName

DEFAULT_HOME = Path("/var/lib/pushdeploy")

_HOST_PORT = re.compile(r"(?P<host>[^:\[\]\s]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Address:
    """``host:port``; ``[::1]:2222`` for IPv6."""

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


def _domain(text: str) -> str:
    if text.startswith("*") or not HostName.fits(text):
        raise ValueError(f"{text!r} is not a domain, as in apps.example.com")
    return text


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(value: object) -> Sequence[Network]:
    """A list, or a text with commas or spaces between; an address alone is a network of one."""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is no list of addresses and networks")  # noqa: TRY004 - pydantic's way
    return tuple(_network(item) for item in value)


def _network(value: object) -> Network:
    text = str(value).strip()
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    try:
        wide = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither an address nor a network, as in 10.0.0.0/8"
        ) from None
    raise ValueError(f"{text} is an address within a network; the network is {wide}")


Networks = Annotated[Sequence[Network], BeforeValidator(_networks)]
HostPort = Annotated[Address, BeforeValidator(Address.parse)]
Domain = Annotated[str, AfterValidator(_domain)]
AbsolutePath = Annotated[Path, AfterValidator(Path.absolute)]


class Settings(BaseSettings):
    """Read once at start by ``load_settings``; documented in docs/settings.md."""

    model_config = SettingsConfigDict(
        env_prefix="PUSHDEPLOY_",
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
        enable_decoding=False,  # host:port is text, not JSON
    )

    home: AbsolutePath = Field(DEFAULT_HOME, description="state directory")
    ssh: HostPort = Field(Address("0.0.0.0", 2222), description="host:port of the ssh server")  # noqa: S104 - the server's purpose
    http: HostPort = Field(Address("0.0.0.0", 80), description="host:port of nginx")  # noqa: S104 - the server's purpose
    https: HostPort | None = Field(None, description="host:port for TLS, not served yet")
    trusted_proxies: Networks = Field((), description="proxies in front that are believed")
    log_query_strings: bool = Field(False, description="query strings in nginx's access log")
    domain: Domain = Field("localhost", description="apps answer on <app>.<domain>")
    ca_bundle: Path | None = Field(None, description="CA bundle for build containers")
    database: str | None = Field(None, description="SQLAlchemy URL, default SQLite in home")
    docker_host: str | None = Field(None, description="Docker engine, default as DOCKER_HOST")
    nginx: Path | None = Field(None, description="nginx program, default the one in the wheel")
    stack: Literal["newest", "bookworm", "trixie"] = Field(
        "newest", description="stack of new apps: newest that is ready, bookworm or trixie"
    )
    stack_source: Literal["auto", "pull", "bootstrap"] = Field(
        "auto", description="pull, bootstrap or auto"
    )
    hold_seconds: int = Field(25, ge=1)
    build_timeout_seconds: int = Field(1800, ge=1)
    build_memory_bytes: int = Field(2 * 1024**3, ge=0)
    build_cpus: float = Field(0, ge=0)
    keep_releases: int = Field(20, ge=1)
    keep_snapshots: int = Field(10, ge=1)
    keep_snapshot_days: int = Field(14, ge=0)
    keep_audit_days: int = Field(365, ge=1)
    keep_audit_rows: int = Field(100_000, ge=1)
    task_memory_bytes: int = Field(512 * 1024**2, ge=0)
    task_cpus: float = Field(0, ge=0)
    task_layer_bytes: int = Field(2 * 1024**3, ge=0)
    task_cpu_shares: int = Field(512, ge=2, le=262144)
    task_pids: int = Field(512, ge=0)
    lan: Literal["open", "closed"] = Field("open", description="open or closed")
    upkeep_seconds: int = Field(60, ge=1)
    ssh_ciphers: Literal["aead", "all"] = Field("aead", description="aead or all")
    login_grace_seconds: float = Field(20, gt=0)
    max_startups: int = Field(250, ge=1)
    max_startups_per_host: int = Field(250, ge=1)
    max_pack_bytes: int = Field(2 * 1024**3, ge=1024)
    max_tree_files: int = Field(100_000, ge=1)
    max_tree_bytes: int = Field(2 * 1024**3, ge=1)
    pack_memory_bytes: int = Field(1024**3, ge=1)

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
    def lan_closed(self) -> bool:
        return self.lan == "closed"

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home / 'pushdeploy.sqlite3'}"


def load_settings(**overrides: Any) -> Settings:
    """``UserError`` that names the setting and what is wrong with it."""
    try:
        return Settings(**overrides)
    except (ValueError, OSError) as error:
        raise UserError(
            f"the settings cannot be used: {_first(error)}", "see docs/settings.md"
        ) from error


def _first(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"pushdeploy.toml: {error}"
    detail = error.errors()[0]
    name = "_".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"pushdeploy.toml: there is no setting {name}"
    return f"PUSHDEPLOY_{name.upper()}: {detail['msg'].removeprefix('Value error, ')}"
