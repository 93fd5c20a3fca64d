//! The records of utmp and wtmp.

use svbox::utmp::{Field, Kind, Record, SIZE};

#[test]
fn a_record_is_laid_out_as_glibc_has_it() {
    let mut record = Record::new(Kind::User);
    record.set_text(Field::Line, b"tty1");
    record.set_text(Field::Id, b"1");
    record.set_text(Field::User, b"root");
    record.set_text(Field::Host, b"far.example");
    record.set_seconds(0x1234_5678);
    record.set_microseconds(42);
    let at =
        |from: usize, text: &[u8]| assert_eq!(&record.0[from..=from + text.len()], [text, b"\0"].concat());
    at(8, b"tty1");
    at(40, b"1");
    at(44, b"root");
    at(76, b"far.example");
    assert_eq!(record.0[..4], [7_u16.to_ne_bytes(), [0; 2]].concat());
    if cfg!(target_arch = "x86_64") {
        assert_eq!(SIZE, 384);
        assert_eq!(record.0[340..348], [0x1234_5678_u32.to_ne_bytes(), 42_u32.to_ne_bytes()].concat());
        assert_eq!(record.0[348..], [0; 36]);
    }
    if cfg!(target_arch = "aarch64") {
        assert_eq!(SIZE, 400);
        assert_eq!(record.0[344..360], [0x1234_5678_u64.to_ne_bytes(), 42_u64.to_ne_bytes()].concat());
    }
}

#[test]
fn a_text_may_fill_its_place_and_the_rest_is_left_out() {
    let mut record = Record::new(Kind::Dead);
    record.set_text(Field::User, b"next");
    record.set_text(Field::Id, b"12345");
    assert_eq!(record.text(Field::Id), b"1234");
    assert_eq!(record.text(Field::User), b"next");
    record.set_text(Field::Line, &[b'x'; 33]);
    assert_eq!(record.text(Field::Line), [b'x'; 32]);
    record.set_text(Field::Line, b"short");
    assert_eq!(record.text(Field::Line), b"short");
    assert_eq!(record.0[13..40], [0; 27]);
}

#[test]
fn a_record_is_of_one_kind() {
    for kind in [Kind::RunLevel, Kind::Boot, Kind::User, Kind::Dead] {
        let record = Record::new(kind);
        for other in [Kind::RunLevel, Kind::Boot, Kind::User, Kind::Dead] {
            assert_eq!(record.is(other), kind == other);
        }
    }
}
