"""No secret in the repository, in the process list, in a log or in what a crash leaves behind."""

import math
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNGUARDED = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]"
    r"|\b(?:AKIA|ghp_|gho_|glpat-|xox[bap]-|sk-)[A-Za-z0-9]{12,}"
    r"|\beyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\."
)
LONG = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
HEX = re.compile(r"[0-9a-f]{32,}")
KINDS = ("[a-z]", "[A-Z]", "[0-9]")
LOCKS = {"requirements.txt", "requirements-dev.txt", "bench/requirements.txt"}
"""Digests of packages."""
KNOWN = {
    "0123456789abcdeffedcba9876543210": "GB/T 32907, appendix A: the key of its example",
    "681edf34d206965e86b3e94f536e4246": "GB/T 32907, appendix A: its ciphertext",
    "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0": "GB/T 32905: SM3 of abc",
    "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732": "GB/T 32905: SM3, second",
    "4bf92f3577b34da6a3ce929d0e0e4736": "W3C Trace Context: the example's trace id",
}
SECRET = "geheim7Qx2Lw9Zt4Vb6Nm1Kd8"


def entropy(text: str) -> float:
    """Bits a character."""
    counted = Counter(text).values()
    return -sum(one / len(text) * math.log2(one / len(text)) for one in counted)


def keylike(text: str) -> Iterator[str]:
    """What looks as if it had been drawn by chance."""
    for found in LONG.findall(text):
        drawn = all(re.search(kind, found) for kind in KINDS) and entropy(found) > 4.2
        if drawn or (HEX.fullmatch(found) and entropy(found) > 3):
            yield found


def test_the_repository_holds_no_key_and_no_token() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("no repository")
    names = [name for name in listed.stdout.split("\0") if name]
    assert len(names) > 300
    found = {}
    for name in names:
        if name in LOCKS or not (ROOT / name).is_file():
            continue
        text = (ROOT / name).read_text(errors="replace")
        unknown = [one for one in keylike(text) if one not in KNOWN]
        if unknown or UNGUARDED.search(text):
            found[name] = unknown
    assert found == {}


def test_what_looks_like_a_key_is_seen() -> None:
    for drawn in (os.urandom(32).hex(), "q7Xk2LwP9ZtVb6Nm" + "1KdR8sYc3HfJ5gTa"):
        assert list(keylike(f'KEY = "{drawn}"')) == [drawn]
    assert list(keylike("test_what_looks_like_a_key_is_seen_by_the_name_of_a_test")) == []


# --- crashes -------------------------------------------------------------------------------------

KEY = "0011223344556677" + "8899aabbccddeeff"
WHOLE = {
    "MINZHENG_FIELD_KEYS": f"1:{KEY}",
    "MINZHENG_PSEUDONYM_KEY": KEY * 2,
    "MINZHENG_NAME_INDEX_KEY": KEY[::-1] * 2,
    "MINZHENG_AUDIT_KEYS": f"1:{KEY * 2}",
    "MINZHENG_BUS_URL": f"postgresql://bus:{SECRET}@127.0.0.1:9/bus",
    "MINZHENG_JWKS_URL": "http://127.0.0.1:9/jwks.json",
}
CRASHES = {
    "unreachable": ("work", {"DATABASE_URL": f"postgresql://a:{SECRET}@127.0.0.1:9/relief"}),
    "no address": ("work", {"DATABASE_URL": f"postgresql://a:{SECRET}@host:{SECRET}/relief"}),
    "no address, serving": ("serve", {"DATABASE_URL": f"postgresql://{SECRET}:{SECRET}@[::/x"}),
    "no migration": ("migrate", {"OWNER_DATABASE_URL": f"postgresql://a:{SECRET}@h:{SECRET}/x"}),
    "no field key": ("serve", {"MINZHENG_FIELD_KEYS": f"1:{SECRET}"}),
    "no audit key": ("work", {"MINZHENG_AUDIT_KEYS": f"1:{SECRET}"}),
    "no pseudonym key": ("serve", {"MINZHENG_PSEUDONYM_KEY": SECRET}),
    "two buses": ("work", {"MINZHENG_KAFKA": "127.0.0.1:9"}),
    "no number": ("serve", {"MINZHENG_POOL_SIZE": SECRET}),
    "aborted": ("abort", {"DATABASE_URL": f"postgresql://a:{SECRET}@127.0.0.1:9/relief"}),
}
OFTEN = ("no migration",)
ABORT = "import os, faulthandler; faulthandler.enable(); from chassis.settings import Settings;"
ABORT += " told = Settings(); os.abort()"


def crashed(kind: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    command, changed = CRASHES[kind]
    started = {
        "abort": ("-c", ABORT),
        "serve": ("-m", "suite", "serve", "relief", "--port", "0"),
        "work": ("-m", "suite", "work", "relief"),
        "migrate": ("-m", "suite", "migrate", "relief"),
    }[command]
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"postgresql://a:{SECRET}@127.0.0.1:9/relief",
        "MINZHENG_STATE": str(folder),
        **WHOLE,
        **changed,
    }
    return subprocess.run(
        [sys.executable, *started],
        cwd=ROOT if command == "abort" else folder,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=False,
    )


def told_nothing(kind: str, folder: Path) -> None:
    ended = crashed(kind, folder)
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0, said
    assert said, "it says nothing at all"
    for secret in (SECRET, KEY, KEY[::-1]):
        assert secret.encode() not in said, said.decode()
    assert not list(folder.glob("core*"))


def test_no_process_leaves_its_memory_behind() -> None:
    """However its starter has it: a core holds every key."""
    started = "import resource; resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit("
    started += "resource.RLIMIT_CORE)[1:] * 2); import sys; sys.argv = ['minzheng', '--help']"
    started += "; import suite.cli\ntry:\n suite.cli.main()\nexcept SystemExit:\n pass\n"
    started += "print(resource.getrlimit(resource.RLIMIT_CORE))"
    ended = subprocess.run(
        [sys.executable, "-c", started], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "(0, 0)"


@pytest.mark.parametrize("kind", OFTEN)
def test_a_process_that_fails_tells_no_secret(kind: str, tmp_path: Path) -> None:
    told_nothing(kind, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("kind", sorted(set(CRASHES) - set(OFTEN)))
def test_no_process_that_fails_tells_a_secret(kind: str, tmp_path: Path) -> None:
    told_nothing(kind, tmp_path)
