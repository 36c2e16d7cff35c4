"""Which addresses of this host containers are let loose on."""

from pushdeploy.doctor.reach import addresses_in

SHOWN = """\
1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft forever
4: eth0    inet6 fd00::2/64 scope global nodad \\       valid_lft forever preferred_lft forever
5: docker0    inet6 fe80::42:39ff:fe89:1c71/64 scope link \\       valid_lft forever
6: vetheb12f2f    inet6 fe80::c43:5bff:fe30:4bc1/64 scope link tentative \\       valid_lft forever
7: ppp0    inet 10.9.0.1 peer 10.9.0.2/32 scope global ppp0 \\       valid_lft forever
"""


def test_loopback_and_the_ends_of_containers_lines_are_none_of_them() -> None:
    assert addresses_in(SHOWN) == ["fd00::2", "fe80::42:39ff:fe89:1c71", "10.9.0.1"]
