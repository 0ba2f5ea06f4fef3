"""Keys that sign, and messages of which none stands for another."""

import itertools
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rehearsal.errors import InputError
from rehearsal.masked_sums.signed_messages import (
    AddressedRun,
    SignedKey,
    attempt_message,
    key_message,
    keys_message,
    state_message,
    task_digest,
)
from rehearsal.masked_sums.signing_keys import (
    is_signed,
    make_signing_key,
    public_text,
    read_signing_key,
)

TO = AddressedRun("FI", "run")
KEY = SignedKey(b"k" * 32, b"s" * 64)


def test_a_key_is_for_its_owner_only_and_is_never_replaced(tmp_path):
    path = tmp_path / "keys/identity.pem"
    made = public_text(make_signing_key(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public_text(make_signing_key(path)) == public_text(read_signing_key(path)) == made


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (None, 0, "expected an Ed25519 private key in PEM, found "),
        (b"no key", 0o600, "content: expected an Ed25519 private key in PEM, found something else"),
        (b"no key", 0o640, r"permissions: expected .*chmod 600\), found mode 640"),
        (
            X25519PrivateKey.generate().private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ),
            0o600,
            "content: expected an Ed25519 private key in PEM, found another key",
        ),
    ],
)
def test_a_file_that_is_no_private_key_is_one_line(tmp_path, content, mode, said):
    path = tmp_path / "identity.pem"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(InputError, match=said) as seen:
        read_signing_key(path)
    assert "\n" not in str(seen.value)


def test_a_signature_is_of_one_key_and_message(tmp_path):
    key, other = (make_signing_key(tmp_path / name) for name in ("one.pem", "other.pem"))
    public = key.public_key().public_bytes_raw()
    assert is_signed(public, key.sign(b"message"), b"message")
    assert not is_signed(public, key.sign(b"message"), b"another")
    assert not is_signed(public, other.sign(b"message"), b"message")
    assert not is_signed(public, b"", b"message")


def test_no_message_is_another_one():
    """Texts that run together when they are only joined stay apart."""
    messages = [
        key_message("ab", "c", b"", b""),
        key_message("a", "bc", b"", b""),
        key_message("a", "b", b"c", b""),
        key_message("a", "b", b"", b"c"),
        keys_message(TO, "a", {}),
        keys_message(TO, "a", {"EE": KEY}),
        keys_message(TO, "a", {"EE": KEY, "SE": KEY}),
        keys_message(AddressedRun("FI", "other"), "a", {"EE": KEY}),
        keys_message(AddressedRun("FIr", "un"), "a", {"EE": KEY}),
        attempt_message(TO, 1, 2, ["EE", "SE"]),
        attempt_message(TO, 12, 2, ["EE", "SE"]),
        attempt_message(TO, 1, 2, ["EES", "E"]),
        state_message(TO, 1, b"state"),
        state_message(TO, 2, b"state"),
        state_message(TO, 1, b"other"),
        state_message(AddressedRun("EE", "run"), 1, b"state"),
    ]
    for one, other in itertools.combinations(messages, 2):
        assert one != other
    assert attempt_message(TO, 1, 2, ["SE", "EE"]) == attempt_message(TO, 1, 2, ["EE", "SE"])


def test_a_task_is_an_algorithm_its_parameters_and_a_purpose():
    same = task_digest("sha256:a", {"a": 1, "b": 2}, "DUO:0000006")
    assert task_digest("sha256:a", {"b": 2, "a": 1}, "DUO:0000006") == same
    others = [
        task_digest("sha256:b", {"a": 1, "b": 2}, "DUO:0000006"),
        task_digest("sha256:a", {"a": 1, "b": 3}, "DUO:0000006"),
        task_digest("sha256:a", {"a": 1, "b": 2}, "DUO:0000011"),
    ]
    assert same not in others and len(set(others)) == 3
