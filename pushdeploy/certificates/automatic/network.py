"""Requests to a certificate authority are signed and sent with more patience than the library's."""

from pathlib import Path
from typing import Any, cast

import requests
from acme import messages
from acme.client import ClientNetwork
from josepy.jwa import ES256
from josepy.jwk import JWK

from pushdeploy.certificates.automatic.refusals import LastAnswer

_NONCES = 20
"""A CA may refuse a nonce at any time (RFC 8555, 6.5); the library itself tries a second one."""

_ANSWER_SECONDS = 30


class Network(ClientNetwork):
    """``last`` keeps what the library drops of an answer: its status and its Retry-After."""

    def __init__(self, key: JWK, ca_bundle: Path | None, version: str) -> None:
        """``ca_bundle`` is trusted instead of what is trusted everywhere."""
        super().__init__(
            key,
            alg=ES256,
            verify_ssl=cast("bool", str(ca_bundle) if ca_bundle else True),  # as requests takes it
            user_agent=f"pushdeploy/{version}",
            timeout=_ANSWER_SECONDS,
        )
        self.last = LastAnswer()
        self.session.hooks["response"].append(self.last.note)

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Try again with new nonces for as long as it is these that the CA does not like."""
        self.last.forget()
        for _ in range(_NONCES):
            try:
                return super().post(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return super().post(*args, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> requests.Response:
        self.last.forget()
        return super().get(*args, **kwargs)
