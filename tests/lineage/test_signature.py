"""A record is signed, and one that was rewritten or signed by somebody else is told."""

import base64
import json
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from art_pipeline.errors import LineageError
from art_pipeline.lineage.record import VERSION, Environment, Record, Source
from art_pipeline.lineage.signature import check_signature, is_encrypted, make_key, sign_record
from art_pipeline.lineage.verify import Status


@pytest.fixture
def text():
    return Record(
        version=VERSION,
        result="bow_svm",
        museum="sample://museum",
        source=Source(commit=None, changes=None),
        environment=Environment(lock=None, python="3.11", platform="Linux", cpu=(), packages={}),
        overrides={},
        steps={},
    ).text


@pytest.fixture
def keys(tmp_path):
    private = tmp_path / "key.pem"
    return private, make_key(private)


def test_what_was_signed_is_proven_by_its_public_key(text, keys):
    private, public = keys
    link = check_signature(sign_record(text, private), text, [public])
    assert (link.status, link.message) == (Status.PROVEN, "by key.pem.pub")


def test_the_same_record_and_key_give_the_same_signature(text, keys):
    assert sign_record(text, keys[0]) == sign_record(text, keys[0])


def test_the_private_key_is_its_owners_alone_and_never_overwritten(keys):
    private, public = keys
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    before = private.read_bytes()
    with pytest.raises(LineageError, match="never overwritten"):
        make_key(private)
    assert private.read_bytes() == before
    assert b"PRIVATE" not in public.read_bytes()


def test_a_rewritten_record_is_broken(text, keys):
    private, public = keys
    edited = text.replace('"python": "3.11"', '"python": "3.12"')
    link = check_signature(sign_record(text, private), edited, [public])
    assert link.status is Status.BROKEN
    assert "not the signed one" in link.message


def test_another_key_is_broken_and_one_of_several_will_do(text, keys, tmp_path):
    private, public = keys
    other = make_key(tmp_path / "other.pem")
    signature = sign_record(text, private)
    assert check_signature(signature, text, [other]).status is Status.BROKEN
    assert check_signature(signature, text, [other, public]).status is Status.PROVEN


def test_an_unsigned_record_is_missing_its_signature(text, keys):
    assert check_signature(None, text, [keys[1]]).status is Status.MISSING


@pytest.mark.parametrize("part", ["payload", "sig", "payloadType"])
def test_an_envelope_that_was_touched_is_broken(text, keys, part):
    private, public = keys
    envelope = json.loads(sign_record(text, private))
    holder = envelope["signatures"][0] if part == "sig" else envelope
    if part == "payloadType":
        holder[part] = "text/plain"
    else:
        content = bytearray(base64.b64decode(holder[part]))
        content[5] ^= 1
        holder[part] = base64.b64encode(content).decode()
    assert check_signature(json.dumps(envelope), text, [public]).status is Status.BROKEN


def test_of_what_is_no_record_the_signature_is_broken(text, keys):
    private, public = keys
    assert check_signature(sign_record(text, private), "[1]", [public]).status is Status.BROKEN


@pytest.mark.parametrize(
    "signature", ["", "{}", "[]", "null", "[" * 100_000, '{"payload": 1, "payloadType": "", "signatures": [1]}']
)
def test_what_is_no_envelope_is_broken(text, keys, signature):
    assert check_signature(signature, text, [keys[1]]).status is Status.BROKEN


def test_a_signature_for_another_purpose_does_not_count(text, keys):
    """Whoever signs other statements with the key does not thereby sign a record."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    private, public = keys
    signer = CryptoSigner(serialization.load_pem_private_key(private.read_bytes(), None))
    envelope = Envelope(text.encode(), "text/plain", {})
    envelope.sign(signer)
    assert check_signature(json.dumps(envelope.to_dict()), text, [public]).status is Status.BROKEN


def test_an_encrypted_key_of_another_kind(text, tmp_path):
    private, public = tmp_path / "key.pem", tmp_path / "key.pub"
    key = ec.generate_private_key(ec.SECP256R1())
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b"secret")))
    public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    assert is_encrypted(private) and not is_encrypted(public)
    assert check_signature(sign_record(text, private, b"secret"), text, [public]).status is Status.PROVEN
    for passphrase in (None, b"guess"):
        with pytest.raises(LineageError, match=r"private key .*key\.pem cannot be used"):
            sign_record(text, private, passphrase)


def test_what_is_no_key(text, keys, tmp_path):
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nothing")
    for file in (nonsense, tmp_path / "nowhere.pem"):
        with pytest.raises(LineageError, match="private key"):
            sign_record(text, file)
        with pytest.raises(LineageError, match="public key"):
            check_signature(sign_record(text, keys[0]), text, [file])


def test_without_the_library_it_tells_what_to_install(text, keys, monkeypatch):
    monkeypatch.setattr("art_pipeline.lineage.signature.find_spec", lambda _: None)
    with pytest.raises(LineageError, match=r"run make setup, or pip install '\.\[sign\]'"):
        sign_record(text, keys[0])
