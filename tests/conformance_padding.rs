//! Row V20 of `docs/conformance.md`: RSA signatures whose power is right and whose padding is not (RFC 8017 section 8.2.2).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::KeySize,
    signature::RsaKeyPair,
};
use axum::{Router, routing::get};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use mcp_auth::{
    AccessTokenVerifier, AuthorizationServer, AuthorizationServerMetadata, BearerToken, InvalidToken, VerifyError,
};
use num_bigint::BigUint;
use serde_json::json;
use tokio::net::TcpListener;

const RESOURCE: &str = "http://localhost:3001";
/// The bytes of the modulus.
const SIZE: usize = 256;
/// `DigestInfo` of SHA-256 before the digest itself (RFC 8017 section 9.2, note 1).
const SHA256_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];

/// A private key that signs anything, which no library for honest people does.
struct Key {
    modulus: BigUint,
    public: BigUint,
    private: BigUint,
}

impl Key {
    fn generate() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        // PrivateKeyInfo (RFC 5208 section 5) around RSAPrivateKey (RFC 8017 appendix A.1.2): version, algorithm, key.
        let info = members(members(pkcs8.as_ref())[0]);
        let key = members(members(info[2])[0]);
        Self {
            modulus: BigUint::from_bytes_be(key[1]),
            public: BigUint::from_bytes_be(key[2]),
            private: BigUint::from_bytes_be(key[3]),
        }
    }

    /// The signature over a whole encoded message.
    fn power(&self, encoded: &[u8]) -> BigUint {
        BigUint::from_bytes_be(encoded).modpow(&self.private, &self.modulus)
    }

    /// Serves the key, and gives a verifier that trusts it.
    async fn verifier(&self) -> (String, AccessTokenVerifier) {
        let encode = |number: &BigUint| BASE64_URL_SAFE_NO_PAD.encode(number.to_bytes_be());
        let keys = json!({ "keys": [{ "kty": "RSA", "n": encode(&self.modulus), "e": encode(&self.public) }] });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/jwks", get(async move || keys.to_string()));
        tokio::spawn(async { axum::serve(listener, router).await });
        let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/jwks") });
        let server = AuthorizationServer::builder(&issuer)
            .metadata(AuthorizationServerMetadata::from_value(metadata).unwrap())
            .build();
        let verifier = AccessTokenVerifier::builder(RESOURCE)
            .authorization_server(server.unwrap())
            .build();
        (issuer, verifier.unwrap())
    }
}

/// The contents of the DER values that follow one another.
fn members(mut der: &[u8]) -> Vec<&[u8]> {
    let mut members = Vec::new();
    while let [_tag, first, rest @ ..] = der {
        let long = usize::from(first & 0x7f);
        let (length, rest) = match first {
            0..=0x7f => (long, rest),
            _ => (
                rest[..long]
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte)),
                &rest[long..],
            ),
        };
        members.push(&rest[..length]);
        der = &rest[length..];
    }
    members
}

/// `0x00, block type, padding, separator, what is signed`, and behind it what fills the block.
fn block(start: [u8; 2], padding: &[u8], separator: u8, signed: &[u8], fill: u8) -> Vec<u8> {
    let mut block = [&start[..], padding, &[separator], signed].concat();
    block.resize(SIZE, fill);
    block
}

/// As it should be, for what is signed.
fn right(signed: &[u8]) -> Vec<u8> {
    block([0, 1], &vec![0xff; SIZE - 3 - signed.len()], 0, signed, 0)
}

fn with(mut block: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    block[at] = byte;
    block
}

#[tokio::test]
async fn a_signature_with_any_other_padding_is_refused() {
    let key = Key::generate();
    let (issuer, verifier) = key.verifier().await;
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let claims = json!({ "iss": issuer, "sub": "alice", "aud": RESOURCE, "exp": 4_102_444_800_u64 });
    let input = format!(
        "{}.{}",
        encode(br#"{"alg":"RS256"}"#),
        encode(claims.to_string().as_bytes())
    );
    let hash = digest(&SHA256, input.as_bytes());
    let hash = hash.as_ref();
    let signed = [&SHA256_INFO[..], hash].concat();
    let good = right(&signed);
    let last = SIZE - signed.len() - 1;
    let info = |bytes: &[u8]| right(&[bytes, hash].concat());
    let changed = |at: usize, byte: u8| {
        let mut info = SHA256_INFO;
        info[at] = byte;
        right(&[&info[..], hash].concat())
    };
    let other = digest(&SHA256, b"another text");

    let wrong = [
        (
            "eight bytes of padding, and garbage behind",
            block([0, 1], &[0xff; 8], 0, &signed, 0xaa),
        ),
        ("the same, and zeros behind", block([0, 1], &[0xff; 8], 0, &signed, 0)),
        ("no padding", block([0, 1], &[], 0, &signed, 0)),
        (
            "one byte of garbage behind",
            block([0, 1], &vec![0xff; last - 3], 0, &signed, 1),
        ),
        ("padding for encryption", with(good.clone(), 1, 2)),
        ("block type 0", with(good.clone(), 1, 0)),
        ("begins with 1", with(good.clone(), 0, 1)),
        ("another first byte of padding", with(good.clone(), 2, 0xfe)),
        ("another byte of padding", with(good.clone(), 100, 0)),
        ("another last byte of padding", with(good.clone(), last - 1, 0xfe)),
        ("two separators", with(good.clone(), last - 1, 0)),
        ("no separator", with(good.clone(), last, 0xff)),
        ("the hash alone", right(hash)),
        ("half a hash", right(&[&SHA256_INFO[..], &hash[..16]].concat())),
        (
            "the hash of another text",
            right(&[&SHA256_INFO[..], other.as_ref()].concat()),
        ),
        ("a hash of zeros", right(&[&SHA256_INFO[..], &[0; 32]].concat())),
        ("SHA-384 by name", changed(14, 2)),
        ("SHA-512 by name", changed(14, 3)),
        ("another tag outside", changed(0, 0x31)),
        ("another tag around the hash", changed(17, 3)),
        ("parameters that are not null", changed(15, 4)),
        (
            "no parameters",
            info(&[&[0x30, 0x2f, 0x30, 0x0b][..], &SHA256_INFO[4..15], &[0x04, 0x20]].concat()),
        ),
        (
            "lengths in the long form",
            info(&[&[0x30, 0x81, 0x31][..], &SHA256_INFO[2..]].concat()),
        ),
        (
            "garbage in the parameters",
            info(
                &[
                    &[0x30, 0x35, 0x30, 0x11][..],
                    &SHA256_INFO[4..15],
                    &[0x04, 0x04, 1, 2, 3, 4, 0x04, 0x20],
                ]
                .concat(),
            ),
        ),
        (
            "a length without end",
            info(&[&[0x30, 0x80][..], &SHA256_INFO[2..]].concat()),
        ),
    ];

    let token = |signature: &[u8]| BearerToken::new(format!("{input}.{}", encode(signature)));
    let sized = |number: &BigUint| {
        let bytes = number.to_bytes_be();
        [vec![0; SIZE - bytes.len()], bytes].concat()
    };
    let power = key.power(&good);
    let signature = sized(&power);
    // The harness is right: what is encoded rightly passes.
    assert_eq!(verifier.verify(&token(&signature)).await.unwrap().subject(), "alice");

    let refused = async |what: &str, signature: &[u8]| match verifier.verify(&token(signature)).await {
        Err(VerifyError::Invalid(InvalidToken::Signature)) => {}
        other => panic!("{what}: {other:?}"),
    };
    for (what, encoded) in wrong {
        assert_eq!(encoded.len(), SIZE, "{what}");
        assert_ne!(encoded, good, "{what}");
        refused(what, &sized(&key.power(&encoded))).await;
    }
    let one = BigUint::from(1_u8);
    refused("zero", &[0; SIZE]).await;
    refused("one", &sized(&one)).await;
    refused("one less than the modulus", &sized(&(&key.modulus - &one))).await;
    refused("the modulus", &sized(&key.modulus)).await;
    refused("the negative", &sized(&(&key.modulus - &power))).await;
    refused("the same and the modulus", &(&power + &key.modulus).to_bytes_be()).await;
    refused("a zero in front", &[&[0], &signature[..]].concat()).await;
    refused("a zero behind", &[&signature[..], &[0]].concat()).await;
    refused("one byte less", &signature[..SIZE - 1]).await;
    refused("the encoded message itself", &good).await;
}
