"""Which packets from containers go nowhere."""

from pushdeploy.engine.rules import Bridge, HostRules, hung, removal, restore

OURS = Bridge("pd-1", "10.208.0.0/22")
APART = Bridge("pi-1", "10.208.4.0/22", isolated=True)
DOCKERS = Bridge("docker0", exempt=["172.17.0.2", "fd00:1::2"])
RULES = HostRules("abc", [OURS, APART, DOCKERS], ["10.0.0.53", "fd00::53"])
HOST, AWAY = RULES.chain("host"), RULES.chain("away")
DOCKER_IS_THERE = "-N DOCKER-USER\n-A FORWARD -j DOCKER-USER\n-A DOCKER-USER -j RETURN\n"


def chain(text: str, name: str, interface: str) -> list[str]:
    """The rules of a chain for one interface, in their order."""
    begin = f"-A {name} -i {interface} "
    return [line.removeprefix(begin) for line in text.splitlines() if line.startswith(begin)]


def test_everything_is_one_transaction_that_replaces_what_was_there() -> None:
    lines = restore(RULES, 4, "").splitlines()
    assert (lines[0], lines[-1]) == ("*filter", "COMMIT")
    assert lines[1:3] == [f":{HOST} - [0:0]", f":{AWAY} - [0:0]"]


def test_to_the_host_pass_answers_and_questions_to_its_name_server_alone() -> None:
    assert chain(restore(RULES, 4, ""), HOST, "pd-1") == [
        "! -s 10.208.0.0/22 -j DROP",
        "-m conntrack --ctstate RELATED,ESTABLISHED --ctdir REPLY -j RETURN",
        "-d 10.0.0.53 -p udp --dport 53 -j RETURN",
        "-d 10.0.0.53 -p tcp --dport 53 -j RETURN",
        "-j DROP",
    ]


def test_from_the_isolated_bridge_pass_answers_alone() -> None:
    expected = [
        "! -s 10.208.4.0/22 -j DROP",
        "-m conntrack --ctstate RELATED,ESTABLISHED --ctdir REPLY -j RETURN",
        "-j DROP",
    ]
    text = restore(RULES, 4, "")
    assert chain(text, HOST, "pi-1") == expected
    assert chain(text, AWAY, "pi-1") == expected


def test_beyond_the_host_lie_no_other_containers_of_ours_and_no_metadata() -> None:
    rules = chain(restore(RULES, 4, ""), AWAY, "pd-1")
    assert {"-o pd-1 -j DROP", "-o pi-1 -j DROP", "-d 169.254.0.0/16 -j DROP"} <= set(rules)
    named = rules.index("-d 10.0.0.53 -p udp --dport 53 -j RETURN")
    assert named < rules.index("-d 169.254.0.0/16 -j DROP"), "clouds have name servers there"
    assert not any(rule.startswith("-d 10.0.0.0/8") for rule in rules)


def test_a_closed_lan_is_closed_but_for_its_name_server() -> None:
    closed = HostRules("abc", [OURS, DOCKERS], ["10.0.0.53"], lan_closed=True)
    for interface in ("pd-1", "docker0"):
        rules = chain(restore(closed, 4, ""), AWAY, interface)
        for place in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"):
            named = rules.index("-d 10.0.0.53 -p udp --dport 53 -j RETURN")
            assert named < rules.index(f"-d {place} -j DROP")
    assert "-d fc00::/7 -j DROP" in chain(restore(closed, 6, ""), AWAY, "docker0")


def test_our_bridges_have_no_ipv6_at_all() -> None:
    text = restore(RULES, 6, "")
    for interface in ("pd-1", "pi-1"):
        assert chain(text, HOST, interface) == chain(text, AWAY, interface) == ["-j DROP"]


def test_containers_of_others_on_dockers_bridge_go_on_as_they_are() -> None:
    for family, address in ((4, "172.17.0.2"), (6, "fd00:1::2")):
        text = restore(RULES, 6 if family == 6 else 4, "")
        for name in (HOST, AWAY):
            assert chain(text, name, "docker0")[0] == f"-s {address} -j RETURN"
        assert chain(text, HOST, "docker0")[-1] == "-j DROP"


def test_builds_on_dockers_bridge_reach_nobody_there_but_a_name_server() -> None:
    for family in (4, 6):
        rules = chain(restore(RULES, 6 if family == 6 else 4, ""), AWAY, "docker0")
        shut = rules.index("-o docker0 -j DROP")
        named = [number for number, rule in enumerate(rules) if "--dport 53" in rule]
        exempt = [number for number, rule in enumerate(rules) if rule.startswith("-s ")]
        assert named
        assert exempt
        assert max(*named, *exempt) < shut


def test_the_chains_are_hung_once_and_where_docker_leaves_them_in_front() -> None:
    first = restore(RULES, 4, DOCKER_IS_THERE)
    assert f"-I INPUT 1 -j {HOST}" in first
    assert f"-I DOCKER-USER 1 -j {AWAY}" in first
    present = f"{DOCKER_IS_THERE}-A INPUT -j {HOST}\n-A DOCKER-USER -j {AWAY}\n"
    assert "-I " not in restore(RULES, 4, present)
    assert hung(RULES, present)
    assert not hung(RULES, DOCKER_IS_THERE)


def test_a_flushed_table_does_not_lead_to_dockers_chain_any_more() -> None:
    flushed = "-N DOCKER-USER\n"
    assert f"-I FORWARD 1 -j {AWAY}" in restore(RULES, 4, flushed)
    present = f"{flushed}-A INPUT -j {HOST}\n-A DOCKER-USER -j {AWAY}\n"
    assert not hung(RULES, present)


def test_removal_takes_what_is_there_and_nothing_of_another_server() -> None:
    other = HostRules("other", [])
    present = "\n".join(
        [
            f"-N {HOST}",
            f"-N {AWAY}",
            f"-N {other.chain('host')}",
            f"-A INPUT -j {HOST}",
            f"-A INPUT -j {other.chain('host')}",
            f"-A FORWARD -j {AWAY}",
        ]
    )
    assert removal(RULES, present).splitlines() == [
        "*filter",
        f"-D INPUT -j {HOST}",
        f"-D FORWARD -j {AWAY}",
        f"-F {HOST}",
        f"-F {AWAY}",
        f"-X {HOST}",
        f"-X {AWAY}",
        "COMMIT",
    ]
    assert removal(RULES, "-P INPUT ACCEPT\n") == ""
    assert len(HOST) <= 28
