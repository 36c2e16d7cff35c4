"""The calls that commit, import, pull, tag and remove images; none pulls unasked."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO

from pushdeploy.domain.container import ImageChange, ImageInfo
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import ImageDigest
from pushdeploy.engine.connection import Connection, Stream
from pushdeploy.engine.errors import Conflict, Missing, answering
from pushdeploy.engine.payloads import (
    IMAGE_LABEL,
    commit_config,
    image_info,
    import_changes,
    label_filter,
    split_tag,
)

_CHUNK_BYTES = 256 * 1024


class Images(Connection):
    """Calls about one image, and the list of those that this instance has made."""

    def commit(self, container: str, tag: str, change: ImageChange) -> ImageDigest:
        """The container's own environment, labels and command go along: give it none to keep."""
        repository, name = split_tag(tag)
        response = self.request(
            "POST",
            "/commit",
            f"commit {container[:12]} as {tag}",
            params={"container": container, "repo": repository, "tag": name, "pause": "false"},
            json=commit_config(change, self.instance),
        )
        return ImageDigest(response.json()["Id"])

    def image(self, reference: str) -> ImageInfo | None:
        with suppress(Missing), answering(f"inspect image {reference}"):
            return image_info(self.api.inspect_image(reference))  # type: ignore[no-untyped-call]
        return None

    def images(self, labels: Mapping[str, str]) -> Sequence[ImageInfo]:
        """The images that this instance has made, with these labels."""
        wanted = label_filter({**labels, IMAGE_LABEL: self.instance})
        with answering("list the images"):
            listed = self.api.images(filters={"label": wanted})
        ids = dict.fromkeys(str(item["Id"]) for item in listed)
        return [info for info in map(self.image, ids) if info is not None]

    def tag(self, image: str, tag: str) -> None:
        repository, name = split_tag(tag)
        with answering(f"tag {image}"):
            self.api.tag(image, repository, name, force=True)

    def remove_image(self, reference: str) -> None:
        with suppress(Missing, Conflict), answering(f"remove image {reference}"):
            self.api.remove_image(reference)

    def pull(self, reference: str) -> ImageDigest:
        repository, tag = split_tag(reference)
        doing = f"pull {reference}"
        params = {"fromImage": repository, "tag": tag}
        if "@" in reference:
            params = {"fromImage": reference}
        self._say(doing, params)
        return self._digest(reference)

    def import_image(self, tar: BinaryIO, tag: str, change: ImageChange) -> ImageDigest:
        repository, name = split_tag(tag)
        params = {
            "fromSrc": "-",
            "repo": repository,
            "tag": name,
            "changes": import_changes(change, self.instance),
        }
        self._say(f"import {tag}", params, tar)
        return self._digest(tag)

    def _say(self, doing: str, params: Mapping[str, object], tar: BinaryIO | None = None) -> None:
        """Read the answer to its end: an error comes last, after a status 200."""
        response = self.request(
            "POST",
            "/images/create",
            doing,
            params=params,
            data=None if tar is None else iter(lambda: tar.read(_CHUNK_BYTES), b""),
            stream=True,
        )
        stream = Stream(response, doing)
        said = b"".join(stream.chunks())
        stream.close()
        for line in said.splitlines():
            if line.strip() and (error := json.loads(line).get("error")):
                raise PushdeployError(f"Docker could not {doing}: {error}")

    def _digest(self, reference: str) -> ImageDigest:
        info = self.image(reference)
        if info is None:
            raise Missing(f"image {reference} is gone", "somebody removed it at this moment")
        return info.id
