"""Sign records, so that a record that is rewritten together with everything that it names is detected.

A signature is a statement about the record's bytes (in-toto Attestation Framework 1.0) in an envelope
(DSSE 1.0), signed with Ed25519, ECDSA, RSA or ML-DSA by securesystemslib, which the extra ``sign``
installs. Other tools for these standards can verify it.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from art_pipeline.common.files import write_atomically
from art_pipeline.errors import LineageError
from art_pipeline.lineage.checks import Check, Status
from art_pipeline.lineage.record import RECORD, VERSION, Record

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import Key, SSlibKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = f"urn:art-pipeline:lineage:{VERSION}"
TITLE = "signature"


def make_key(file: Path) -> Path:
    """Create an Ed25519 key pair (PKCS #8 in PEM, not encrypted, readable by its owner alone).

    Args:
        file: Where to write the private key.

    Returns:
        The file of the public key: beside the private one, with ``.pub`` appended.

    Raises:
        LineageError: The file exists, or the extra ``sign`` is not installed.
    """
    _require_library()
    from cryptography.hazmat.primitives import serialization
    from securesystemslib.signer import CryptoSigner

    public = file.with_name(f"{file.name}.pub")
    signer = CryptoSigner.generate_ed25519()
    pem = serialization.load_pem_private_key(signer.private_bytes, None).public_key()
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:  # noqa: PTH123
            opened.write(signer.private_bytes)
    except FileExistsError as error:
        raise LineageError(f"The file {file} exists already. A key is never overwritten.") from error
    except OSError as error:
        raise LineageError(f"The key cannot be written: {error}") from error
    write_atomically(
        public, pem.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return public


def sign_record(record: str, key: Path, passphrase: bytes | None = None) -> str:
    """Sign a record.

    Args:
        record: Text of the record.
        key: File of the private key, PKCS #8 in PEM.
        passphrase: Passphrase of an encrypted key.

    Returns:
        The envelope as JSON; an Ed25519 key gives the same envelope for the same record.

    Raises:
        LineageError: The key cannot be used, or the extra ``sign`` is not installed.
    """
    _require_library()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    try:
        signer = CryptoSigner(load_pem_private_key(key.read_bytes(), passphrase))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise LineageError(f"The private key {key} cannot be used: {error}") from error
    envelope = Envelope(json.dumps(_statement(record), sort_keys=True).encode(), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return json.dumps(envelope.to_dict(), indent=1) + "\n"


def is_encrypted(key: Path) -> bool:
    """Return whether a private key needs a passphrase."""
    try:
        return b"ENCRYPTED" in key.read_bytes()
    except OSError:
        return False


def check_signature(signature: str | None, record: str, keys: Iterable[Path]) -> Check:
    """Check that one of the keys signed the record.

    Args:
        signature: The envelope; None where there is none.
        record: Text of the record.
        keys: Files of public keys, in PEM.

    Raises:
        LineageError: A key cannot be read, or the extra ``sign`` is not installed.
    """
    _require_library()
    from securesystemslib.exceptions import VerificationError

    if signature is None:
        return Check(TITLE, Status.MISSING, "the record is not signed", "Its author signs it: kedro lineage sign.")
    known: dict[Key, Path] = {_read_public_key(file): file for file in keys}
    try:
        envelope = _read_envelope(signature)
        accepted = envelope.verify(list(known), 1)
        statement = json.loads(envelope.payload)
    except VerificationError:
        message = f"none of {', '.join(str(file) for file in known.values())} made it"
        return Check(TITLE, Status.BROKEN, message, "Do not trust the record; ask its author.")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Check(TITLE, Status.BROKEN, f"it cannot be read: {error}", "Ask the signer.")
    if envelope.payload_type != PAYLOAD_TYPE or not _is_about(statement, record):
        message, remedy = "the record is not the signed one", "The record was changed: do not trust it. Ask the signer."
        return Check(TITLE, Status.BROKEN, message, remedy)
    return Check(TITLE, Status.PROVEN, f"by {', '.join(known[key].name for key in accepted.values())}")


def _statement(record: str) -> dict[str, Any]:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": RECORD, "digest": {"sha256": hashlib.sha256(record.encode()).hexdigest()}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"result": Record.parse(record).result},
    }


def _is_about(statement: object, record: str) -> bool:
    try:
        return statement == _statement(record)
    except LineageError:  # not a record, so that nobody signed it
        return False


def _read_public_key(file: Path) -> "SSlibKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        return SSlibKey.from_crypto(load_pem_public_key(file.read_bytes()))
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise LineageError(f"The public key {file} cannot be used: {error}") from error


def _read_envelope(signature: str) -> "Envelope":
    from securesystemslib.dsse import Envelope

    return Envelope.from_dict(json.loads(signature))


def _require_library() -> None:
    for name in ("cryptography", "securesystemslib"):
        if find_spec(name) is None:
            raise LineageError(f"Signing needs {name}: run make setup, or pip install '.[sign]'.")
