//! Stamps of lines, held against date(1) where that knows better.

use proptest::prelude::*;
use std::process::Command;
use svbox::log::stamp::{Form, civil};
use svbox::log::zone::Zone;
use svbox::tai::Tai;

/// A moment by its seconds since 1970.
fn moment(unix: i64, nanoseconds: u32) -> Tai {
    Tai { seconds: 0x4000_0000_0000_000a_u64.wrapping_add(unix.cast_unsigned()), nanoseconds }
}

fn written(form: Form, unix: i64, nanoseconds: u32, zone: &Zone<'_>) -> String {
    String::from_utf8(form.write(moment(unix, nanoseconds), zone).bytes().to_vec()).unwrap()
}

/// What date(1) says of these moments in a zone.
fn date(zone: &str, format: &str, moments: &[i64]) -> Vec<String> {
    let mut date = Command::new("date");
    date.env("TZ", zone).env("LC_ALL", "C").args(["-f", "-", &format!("+{format}")]);
    let mut child =
        date.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: String = moments.iter().map(|at| format!("@{at}\n")).collect();
    std::thread::spawn(move || std::io::Write::write_all(&mut stdin, lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Moments of eighty years, the turns of years and days among them.
fn moments() -> Vec<i64> {
    let mut all: Vec<i64> = (0..4000).map(|step| step * 631_234 + 17).collect();
    for year in 0..80 {
        let turn = year * 31_556_952;
        all.extend([turn / 86_400 * 86_400 - 1, turn / 86_400 * 86_400]);
    }
    all
}

#[test]
fn the_forms_are_those_of_the_specification() {
    let utc = Zone::default();
    let at = 1_795_331_064;
    assert_eq!(written(Form::of(0), at, 149_029_999, &utc), "");
    assert_eq!(written(Form::of(1), at, 0x085c_c904, &utc), "@400000006b029402085cc904 ");
    assert_eq!(written(Form::of(2), at, 149_029_999, &utc), "2026-11-22_07:04:24.14902 ");
    assert_eq!(written(Form::of(3), at, 9_999, &utc), "2026-11-22T07:04:24.00000 ");
    assert_eq!(written(Form::of(4), at, 999_999_999, &utc), "2026-11-22_07:04:24.99999+0000 ");
    assert_eq!(written(Form::of(250), at, 0, &utc), "2026-11-22_07:04:24.00000+0000 ");
}

#[test]
fn dates_are_those_of_the_calendar() {
    let all = moments();
    for (at, expected) in all.iter().zip(date("UTC0", "%Y-%m-%d_%H:%M:%S.00000 ", &all)) {
        assert_eq!(written(Form::Date, *at, 0, &Zone::default()), expected, "{at}");
    }
}

/// Every rule here is one that date(1) understands as well.
#[test]
fn rules_are_understood_as_posix_has_them() {
    let rules = [
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT,M3.2.0,M11.1.0",
        "AEST-10AEDT,M10.1.0,M4.1.0/3",
        "<-0330>3:30<-0230>,M3.2.0,M11.1.0",
        "<+0545>-5:45",
        "NZST-12NZDT,M9.5.0,M4.1.0/3",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "ABC4DEF,J60/0,J300/0",
        "ABC4DEF,59/0,300/0",
        "UTC0",
    ];
    let all = moments();
    for rule in rules {
        let zone = Zone::from_rule(rule.as_bytes()).unwrap();
        for (at, expected) in all.iter().zip(date(rule, "%Y-%m-%d_%H:%M:%S.00000%z ", &all)) {
            assert_eq!(written(Form::Local, *at, 0, &zone), expected, "{at} in {rule}");
        }
    }
}

#[test]
fn zone_files_are_understood_as_the_c_library_has_them() {
    let names =
        ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"];
    let all = moments();
    let mut seen = 0;
    for name in names {
        let Ok(data) = std::fs::read(format!("/usr/share/zoneinfo/{name}")) else { continue };
        seen += 1;
        let zone = Zone::from_file(&data).unwrap();
        for (at, expected) in all.iter().zip(date(name, "%Y-%m-%d_%H:%M:%S.00000%z ", &all)) {
            assert_eq!(written(Form::Local, *at, 0, &zone), expected, "{at} in {name}");
        }
    }
    assert!(seen > 0, "no zone files: install tzdata");
}

#[test]
fn what_is_no_rule_is_refused() {
    for text in
        ["", "C", "CET", "CET-", "CET-1CEST,M3", "CET-1CEST,M13.1.0,M1.1.0", "CET-1x", "CET-1CEST,J1", "<abc"]
    {
        assert!(Zone::from_rule(text.as_bytes()).is_none(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_zone_or_not(data in any::<Vec<u8>>(), at in any::<i32>()) {
        let mut file = b"TZif2".to_vec();
        file.extend(&data);
        for data in [&data, &file] {
            if let Some(zone) = Zone::from_file(data) {
                let _ = zone.east(i64::from(at));
            }
            if let Some(zone) = Zone::from_rule(data) {
                let _ = zone.east(i64::from(at));
            }
        }
    }

    #[test]
    fn a_day_follows_the_other(days in -700_000_i64..3_000_000) {
        let ((year, month, day), next) = (civil(days), civil(days + 1));
        prop_assert!(next == (year, month, day + 1) || next == (year, month + 1, 1) || next == (year + 1, 1, 1));
        prop_assert!((1..=12).contains(&month) && (1..=31).contains(&day));
    }
}
