"""Other people's tools for artifacts and signatures, one command each."""

import base64
import json
import sys

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT = "application/vnd.in-toto+json"


def oras_pull(reference, folder):
    """Pulls an artifact; prints the file with its layer."""
    from oras.client import OrasClient

    client = OrasClient(insecure=True, tls_verify=False)
    container = client.get_container(reference)
    manifest = client.get_manifest(
        container, allowed_media_type=["application/vnd.oci.image.manifest.v1+json"]
    )
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/wasm", layer
    path = f"{folder}.wasm"
    print(client.download_blob(container, layer["digest"], path))


def dsse_sign(digest, key_file):
    """Signs a digest as cosign's bundles do; prints the bundle."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    with open(key_file, "rb") as file:
        signer = CryptoSigner(load_pem_private_key(file.read(), None))
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": digest}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    }
    envelope = Envelope(json.dumps(statement).encode(), STATEMENT, {})
    envelope.sign(signer)
    signatures = [
        {"sig": base64.b64encode(bytes.fromhex(signature.signature)).decode(), "keyid": ""}
        for signature in envelope.signatures.values()
    ]
    print(
        json.dumps(
            {
                "mediaType": BUNDLE,
                "verificationMaterial": {"publicKey": {"hint": "whatever"}, "tlogEntries": []},
                "dsseEnvelope": {
                    "payload": base64.b64encode(envelope.payload).decode(),
                    "payloadType": envelope.payload_type,
                    "signatures": signatures,
                },
            }
        )
    )


def dsse_verify(bundle_file, key_file):
    """Verifies a bundle; prints its statement."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import Signature, SSlibKey

    with open(key_file, "rb") as file:
        key = SSlibKey.from_crypto(load_pem_public_key(file.read()))
    with open(bundle_file, encoding="utf-8") as file:
        bundle = json.load(file)
    assert bundle["mediaType"] == BUNDLE, bundle
    envelope = bundle["dsseEnvelope"]
    (signature,) = envelope["signatures"]
    signature = Signature(key.keyid, base64.b64decode(signature["sig"]).hex())
    payload = base64.b64decode(envelope["payload"])
    envelope = Envelope(payload, envelope["payloadType"], {key.keyid: signature})
    assert envelope.verify([key], 1)
    print(payload.decode())


COMMANDS = {"oras-pull": oras_pull, "dsse-sign": dsse_sign, "dsse-verify": dsse_verify}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
