//! Random ids.

use uuid::Uuid;

/// `length` random digits and lower-case letters, 12 at most.
pub(crate) fn alphanumeric(length: usize) -> String {
    const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    // The low 62 bits of a version 4 uuid are all random: enough for 11 of 36, and nearly for 12.
    let mut bits = Uuid::new_v4().as_u128() as u64 & (u64::MAX >> 2);
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        text.push(char::from(ALPHABET[(bits % 36) as usize]));
        bits /= 36;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_id_has_the_length_asked_for() {
        for length in [1, 6, 12] {
            assert_eq!(alphanumeric(length).len(), length);
        }
        assert_ne!(alphanumeric(12), alphanumeric(12));
    }
}
