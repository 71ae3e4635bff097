//! Which 32 bytes may be an Ed25519 public key.
//!
//! The curve has eight points whose order divides 8. With one of them as public key, signatures exist that fit every message (or every second,
//! fourth or eighth), and anybody can write them down. RFC 8032 verification does not look for them, so this does.

/// The `y` of the eight points of low order. Each further encoding of one of them is not canonical.
const LOW_ORDER: [[u8; 32]; 5] = [
    // y = 0, order 4
    [0; 32],
    // y = 1, the neutral element
    [
        0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ],
    // order 8
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    // order 8
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    // y = -1, order 2
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
];

/// Whether an encoded point is canonical (RFC 8032 section 5.1.3) and of large order.
pub(super) fn is_strong(point: &[u8; 32]) -> bool {
    let mut y = *point;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    is_reduced(&y) && !LOW_ORDER.contains(&y)
}

/// Whether a little-endian number is below the prime 2^255 - 19.
fn is_reduced(y: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = y;
    *first < 0xed || *last != 0x7f || middle.iter().any(|byte| *byte != 0xff)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

    use super::*;

    /// The attack that the list prevents: with the neutral element as key, R = the neutral element and S = 0 sign everything.
    #[test]
    fn a_key_of_low_order_would_accept_a_signature_that_anybody_can_write() {
        let neutral = LOW_ORDER[1];
        let signature = [neutral, [0; 32]].concat();
        let key = UnparsedPublicKey::new(&ED25519, &neutral);
        assert!(
            key.verify(b"any message", &signature).is_ok(),
            "the crypto library does not refuse it"
        );
        assert!(!is_strong(&neutral));
    }

    #[test]
    fn weak_and_non_canonical_points_are_refused_with_either_sign() {
        let prime_plus = |n: u8| {
            let mut y = [0xff; 32];
            (y[0], y[31]) = (0xed + n, 0x7f);
            y
        };
        for y in LOW_ORDER.into_iter().chain((0..=18).map(prime_plus)) {
            for sign in [0, 0x80] {
                let mut point = y;
                point[31] |= sign;
                assert!(!is_strong(&point), "{point:02x?}");
            }
        }
    }

    #[test]
    fn generated_keys_are_strong() {
        for _ in 0..100 {
            let pair = Ed25519KeyPair::generate().unwrap();
            assert!(is_strong(pair.public_key().as_ref().try_into().unwrap()));
        }
    }
}
