//! How much memory statements may use.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Half of the memory of the machine, or of the container that the command runs in.
pub(super) fn default_limit() -> usize {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(memory);
    let container = system.cgroup_limits().map(|limits| limits.total_memory);
    let total = match container {
        Some(limit) if limit > 0 => limit.min(system.total_memory()),
        _ => system.total_memory(),
    };
    usize::try_from(total / 2).unwrap_or(usize::MAX)
}

/// Parses a number of bytes: `500MB`, `2GiB`, `1073741824`.
pub(super) fn parse_bytes(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let number: f64 = number
        .parse()
        .map_err(|_| "expected a number of bytes, such as 500MB or 2GiB".to_owned())?;
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        other => {
            return Err(format!(
                "{other:?} is no unit: use kB, MB, GB, KiB, MiB or GiB"
            ));
        }
    };
    let bytes = number * factor;
    // The conversion of a float saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let bytes = bytes as usize;
    match bytes {
        0 => Err("the limit has to be at least one byte".to_owned()),
        bytes => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_decimal_and_binary_units() {
        for (text, bytes) in [
            ("1073741824", 1_073_741_824),
            ("500MB", 500_000_000),
            ("1.5 GB", 1_500_000_000),
            ("2GiB", 2 * 1024 * 1024 * 1024),
            ("64kib", 65_536),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB", "1XB", "-1", "0", "1.2.3"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_default_is_half_of_what_there_is() {
        let total = System::new_all().total_memory();
        let limit = default_limit() as u64;
        assert!(limit > 0 && limit <= total / 2, "{limit} of {total}");
    }
}
