"""Where a container listens, read from the kernel's tables and told in a few words."""

import pytest

from pushdeploy.run.misplaced import Socket
from pushdeploy.run.schedulers.docker_local.listening import sockets, told

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1
   1: 0B00007F:A2C5 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1
   2: 0200140A:1F40 0100140A:C001 01 00000000:00000000 00:00000000 00000000  1000        0 3 1
   3: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4 1
"""

TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000001000000:1388 00000000000000000000000000000000:0000 0A 00000000
   1: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000
   2: 0000000000000000FFFF00000100007F:1389 00000000000000000000000000000000:0000 0A 00000000
"""


def test_only_what_listens_is_read_from_the_tables() -> None:
    assert list(sockets(TCP)) == [("127.0.0.1", 5000), ("127.0.0.11", 41669), ("0.0.0.0", 8000)]
    assert list(sockets(TCP6)) == [("::1", 5000), ("::", 80), ("127.0.0.1", 5001)]
    assert list(sockets("")) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], ""),
        ([("127.0.0.11", 41669)], ""),
        ([("0.0.0.0", 5000)], ""),
        ([("127.0.0.1", 5000), ("::", 5000)], ""),
        ([("127.0.0.1", 5000)], "127.0.0.1 only"),
        ([("::1", 5000), ("127.0.0.1", 9000)], "::1 only"),
        ([("0.0.0.0", 8000), ("127.0.0.11", 1)], "port 8000, not on 5000"),
        ([("::", 8001), ("0.0.0.0", 8000)], "port 8000, 8001, not on 5000"),
    ],
)
def test_what_is_wrong_with_them_is_told(found: list[Socket], said: str) -> None:
    assert told(found, 5000) == said
