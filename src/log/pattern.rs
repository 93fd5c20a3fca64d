//! The pattern language of svlogd: it walks from left to right and never goes back.
//!
//! A pattern has to cover the whole text. `*` skips to the first byte that is equal to the next one of the pattern,
//! and everything at the end; `+` takes one or more of the next byte; any other byte stands for itself. There is no
//! way to quote (runit's man page svlogd.8, "PATTERN MATCHING").

use memchr::memchr;

/// Whether the pattern covers the text.
///
/// Other than in runit what follows a `+x` has to match too when the text ends there, and a `+` without a byte
/// behind it matches nothing.
pub fn matches(mut pattern: &[u8], mut text: &[u8]) -> bool {
    loop {
        match (pattern, text) {
            ([], rest) => return rest.is_empty(),
            ([b'*'], _) => return true,
            ([b'*', next, ..], _) => {
                let Some((_, found)) = memchr(*next, text).and_then(|at| text.split_at_checked(at)) else {
                    return false;
                };
                (pattern, text) = (tail(pattern), found);
            }
            ([b'+', byte, rest @ ..], [first, ..]) if first == byte => {
                let end = text.iter().position(|other| other != byte).unwrap_or(text.len());
                (pattern, text) = (rest, text.get(end..).unwrap_or(&[]));
            }
            ([b'+', ..], _) | (_, []) => return false,
            ([byte, rest @ ..], [first, others @ ..]) => {
                if byte != first {
                    return false;
                }
                (pattern, text) = (rest, others);
            }
        }
    }
}

fn tail(bytes: &[u8]) -> &[u8] {
    bytes.get(1..).unwrap_or(&[])
}

/// Whether a pattern can match anything: not if it ends in a `+` that lacks its byte.
pub fn is_complete(mut pattern: &[u8]) -> bool {
    loop {
        pattern = match pattern {
            [] => return true,
            [b'+'] => return false,
            [b'+', _, rest @ ..] => rest,
            [_, rest @ ..] => rest,
        };
    }
}
