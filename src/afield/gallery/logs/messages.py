"""What the simulated logs say: for each kind its programs and messages, with slots that are filled line by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of log.

    Args:
        line: how a line is laid out.
        programs: who writes it.
        messages: what is written; no message of one kind is one of another.
    """

    line: str
    programs: tuple[str, ...]
    messages: tuple[str, ...]


_SYSLOG = "{date} {clock} {host} {program}[{pid}]: {message}"

SHARED = Kind(
    _SYSLOG,
    ("syslogd", "logger"),
    (
        "last message repeated {few} times",
        "--- last message repeated {few} times ---",
        "clock moved by {few} ms, kept {few} of {few} samples",
        "rate limit reached, {number} messages dropped in {few} s",
        "device {device} changed state to {state}",
    ),
)
"""Lines that stand in two kinds of log alike: nothing in such a line says which of the two it comes from."""

KINDS: Mapping[str, Kind] = {
    "access": Kind(
        '{ip} - {user} [{day}/{month}/{year}:{clock} +0000] {message} "{agent}"',
        ("nginx",),
        (
            '"GET /{page} HTTP/1.1" 200 {number} "-"',
            '"GET /{page}?page={few}&session={hex} HTTP/2.0" 200 {number} "https://{domain}/{page}"',
            '"GET /static/{word}.{hex}.js HTTP/2.0" 304 0 "https://{domain}/"',
            '"POST /api/v{few}/{table} HTTP/1.1" 201 {number} "-"',
            '"POST /login HTTP/1.1" 302 0 "https://{domain}/login"',
            '"DELETE /api/v{few}/{table}/{number} HTTP/1.1" 204 0 "-"',
            '"GET /{page}/{number} HTTP/1.1" 404 {few} "-"',
            '"HEAD /health HTTP/1.1" 200 0 "-"',
            '"PUT /api/v{few}/{table}/{uuid} HTTP/2.0" 500 {number} "-"',
        ),
    ),
    "auth": Kind(
        _SYSLOG,
        ("sshd", "sudo", "login"),
        (
            "accepted publickey for {user} from {ip} port {number} ssh2: ED25519 SHA256:{hex}",
            "failed password for {user} from {ip} port {number} ssh2",
            "failed password for invalid user {user} from {ip} port {number} ssh2",
            "session opened for user {user}(uid={number}) by (uid=0)",
            "session closed for user {user}",
            "{user} : TTY=pts/{few} ; PWD={path} ; USER=root ; COMMAND={path}",
            "maximum authentication attempts exceeded for {user} from {ip} port {number}",
            "received disconnect from {ip} port {number}:{few}: disconnected by user",
            "password changed for {user}",
        ),
    ),
    "database": Kind(
        "{date} {clock} UTC [{pid}] {user}@{table} {message}",
        ("postgres",),
        (
            "LOG:  duration: {few}.{few} ms  statement: SELECT * FROM {table} WHERE id = {number}",
            "LOG:  duration: {few}.{few} ms  statement: UPDATE {table} SET {word} = {number} WHERE id = {number}",
            "LOG:  checkpoint complete: wrote {number} buffers ({few}.{few}%); {few} files added, {few} removed",
            'ERROR:  duplicate key value violates unique constraint "{table}_pkey" (id)=({number})',
            "ERROR:  deadlock detected, process {pid} waits for ShareLock on transaction {number}",
            'LOG:  automatic vacuum of table "{table}": index scans: {few}, pages: {number} removed',
            "FATAL:  too many connections for role {user}, limit {few}",
            "LOG:  connection received: host={ip} port={number}",
            "WARNING:  there is no transaction in progress",
        ),
    ),
    "install": Kind(
        _SYSLOG,
        ("dpkg", "packagekitd", "unattended-upgrade"),
        (
            "status unpacked {package}:amd64 {version}",
            "status half-configured {package}:amd64 {version}",
            "upgrade {package}:amd64 {version} {version}",
            "fetched {number} kB of {package} from {domain} in {few} s",
            "checksum of {package}_{version} is {hex}, as expected",
            "resolving dependencies of {package}: {few} to add, {few} to upgrade",
            "trigproc {package}:amd64 {version} <none>",
            "transaction {uuid} finished with success after {number} ms",
            "kept back {package} {version}: needs {package} (>= {version})",
        ),
    ),
    "mail": Kind(
        _SYSLOG,
        ("postfix/smtp", "postfix/qmgr", "dovecot"),
        (
            "{hex}: from=<{email}>, size={number}, nrcpt={few} (queue active)",
            "{hex}: to=<{email}>, relay={domain}[{ip}]:25, delay={few}.{few}, dsn=2.0.0, status=sent (250 OK)",
            "{hex}: to=<{email}>, relay=none, delay={number}, dsn=4.4.1, status=deferred (connection timed out)",
            "{hex}: removed",
            "imap-login: logged in: user=<{email}>, method=PLAIN, rip={ip}, mpid={pid}, TLS",
            "NOQUEUE: reject: RCPT from {domain}[{ip}]: 554 relay access denied; from=<{email}>",
            "imap({user}): expunged {few} messages of {number} in mailbox {word}",
            "statistics: max connection count {few} for (smtp:{ip})",
        ),
    ),
    "system": Kind(
        _SYSLOG,
        ("systemd", "kernel", "cron"),
        (
            "started {unit}.service in {number} ms",
            "stopping {unit}.service with result 'success'",
            "{unit}.service: main process exited, code=exited, status={few}",
            "{unit}.service: scheduled restart job, restart counter is at {few}",
            "CPU{few}: core temperature above threshold, cpu clock throttled (total events = {number})",
            "EXT4-fs ({device}): mounted filesystem {uuid} r/w with ordered data mode",
            "out of memory: killed process {pid} ({unit}) total-vm:{number}kB, anon-rss:{number}kB",
            "({user}) CMD ({path} --{word} {few})",
            "usb {few}-{few}: new high-speed USB device number {few} using xhci_hcd",
            "page fault at address 0x{hex} of {unit}, ip 0x{hex} error {few}",
        ),
    ),
    "wifi": Kind(
        _SYSLOG,
        ("wpa_supplicant", "airportd", "hostapd"),
        (
            "{interface}: associated with {mac} (SSID='{ssid}' freq={number} MHz)",
            "{interface}: CTRL-EVENT-DISCONNECTED bssid={mac} reason={few}",
            "{interface}: key negotiation completed with {mac} [PTK=CCMP GTK=CCMP]",
            "{interface}: scan found {few} access points in {number} ms, best '{ssid}' at -{few} dBm",
            "roamed from {mac} to {mac} on channel {few}, signal -{few} dBm",
            "4-way handshake with '{ssid}' failed after {few} tries, password may be wrong",
            "{interface}: link quality {few}/70, rate {few} Mbit/s, retries {number}",
            "beacon of '{ssid}' lost for {number} ms, probing {mac}",
            "regulatory domain changed to country {few}, {few} channels allowed",
        ),
    ),
}
"""Kind of log -> what it says; its file is `KIND.log`."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "agent": (
        "Mozilla/5.0 (X11; Linux x86_64)",
        "Mozilla/5.0 (iPhone)",
        "curl/8.5.0",
        "python-requests/2.32",
        "kube-probe/1.30",
    ),
    "device": ("sda1", "sdb2", "nvme0n1p2", "dm-0", "md127", "loop7"),
    "domain": ("example.com", "example.org", "mail.example.net", "shop.example.com", "mirror.example.org"),
    "host": ("alder", "birch", "cedar", "hazel", "larch", "maple", "rowan", "willow"),
    "interface": ("wlan0", "wlan1", "wlp3s0", "en0"),
    "month": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "package": (
        "libssl3",
        "openssh-server",
        "python3-minimal",
        "linux-image-generic",
        "tzdata",
        "curl",
        "vim-common",
        "libc6",
    ),
    "page": (
        "index.html",
        "products",
        "cart",
        "search",
        "account/orders",
        "blog/archive",
        "images/logo.png",
        "docs/start",
    ),
    "path": (
        "/usr/bin/apt",
        "/usr/local/bin/backup",
        "/opt/tools/rotate",
        "/home/shared",
        "/usr/sbin/logrotate",
        "/srv/jobs",
    ),
    "ssid": ("office", "office-guest", "lab 5G", "meeting-rooms", "café", "warehouse"),
    "state": ("online", "offline", "degraded", "recovering"),
    "table": ("orders", "customers", "invoices", "sessions", "products", "events", "payments"),
    "unit": ("nginx", "postgresql", "backup", "metrics-agent", "docker", "chronyd", "snapd", "bluetooth"),
    "user": ("root", "deploy", "alice", "bob", "carol", "dave", "erin", "backup", "www-data"),
    "word": ("inbox", "archive", "quantity", "verbose", "vendor", "status", "main", "price", "quiet"),
}
"""Slot -> the words it is filled with; slots of numbers and addresses are filled by the simulator."""
