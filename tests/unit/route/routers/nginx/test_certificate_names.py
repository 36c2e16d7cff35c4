"""Each host has a file for its certificate, however long it is."""

from pushdeploy.domain.names import HostName
from pushdeploy.route.routers.nginx.prefix import certificate_name


def test_a_host_of_any_length_has_the_name_of_a_file_of_its_own() -> None:
    labels = ".".join(["a" * 60] * 4)
    hosts = [
        HostName.parse(host) for host in ("a.org", "*.a.org", labels, f"*.{labels}", labels[1:])
    ]
    names = [certificate_name(host) for host in hosts]
    assert len(set(names)) == len(hosts)
    assert names[:2] == ["a.org", "_.a.org"]
    assert all(len(f"{name}.pem.new") <= 255 for name in names)
