//! Where files end.

use proptest::prelude::*;
use svbox::log::cut::{Limit, Portion};

/// The files that come of a text if it arrives in pieces: written as svlogd does it, with a file open at the end.
fn files(limit: Limit, pieces: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut files = vec![Vec::new()];
    for piece in pieces {
        let mut rest = piece.as_slice();
        while !rest.is_empty() {
            let file = files.last_mut().unwrap();
            match limit.portion(file.len() as u64, rest) {
                Portion::Full => files.push(Vec::new()),
                Portion::Write { bytes, ends } => {
                    assert!(bytes > 0, "no progress");
                    file.extend_from_slice(&rest[..bytes]);
                    rest = &rest[bytes..];
                    if ends {
                        files.push(Vec::new());
                    }
                }
            }
        }
    }
    files
}

/// The same, a byte at a time and by the words of the specification.
fn model(limit: Limit, text: &[u8]) -> Vec<Vec<u8>> {
    let mut files: Vec<Vec<u8>> = vec![Vec::new()];
    for &byte in text {
        if limit.size > 0 && files.last().unwrap().len() as u64 >= limit.size {
            files.push(Vec::new());
        }
        let file = files.last_mut().unwrap();
        file.push(byte);
        let near = limit.size >= limit.near && file.len() as u64 >= limit.size - limit.near;
        if limit.size > 0 && byte == b'\n' && near {
            files.push(Vec::new());
        }
    }
    files
}

#[test]
fn a_file_ends_with_the_line_that_brings_it_near_the_limit() {
    let limit = Limit { size: 20, near: 5 };
    let all = files(limit, &[b"1234567890\n1234567\nabc\n".to_vec()]);
    assert_eq!(all, [b"1234567890\n1234567\n".to_vec(), b"abc\n".to_vec()]);
}

#[test]
fn a_line_that_crosses_the_limit_is_cut_there() {
    let limit = Limit { size: 8, near: 10 };
    assert_eq!(files(limit, &[b"1234567890\n".to_vec()]), [b"12345678".to_vec(), b"90\n".to_vec()]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn however_the_text_arrives_the_files_are_the_same(
        size in 0_u64..40,
        near in 1_u64..20,
        pieces in proptest::collection::vec(
            proptest::collection::vec(prop::sample::select(b"ab\n".to_vec()), 0..50), 0..8),
    ) {
        let limit = Limit { size, near };
        prop_assert_eq!(files(limit, &pieces), model(limit, &pieces.concat()));
    }
}
