//! -u and -U: users and groups.

use super::*;

/// The ids of a program under these options, where only the accounts of the test are known.
#[track_caller]
fn ids(sandbox: &Sandbox, user: &str) -> Ids {
    Ids::of(&printed(known(sandbox, &[&["chpst", "-u", user], &STATUS[..]].concat())))
}

#[track_caller]
fn refused(sandbox: &Sandbox, option: &str, user: &str) -> Told {
    known(sandbox, &["chpst", option, user, "echo", "ran"])
}

#[test]
fn a_user_has_the_ids_of_its_account_and_no_other_groups() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for (user, expected) in [
        ("one", Ids::new(11, 12, &[12])),
        ("other", Ids::new(31, 32, &[32])),
        ("last", Ids::new(41, 42, &[42])),
        ("root", Ids::new(0, 0, &[0])),
    ] {
        assert_eq!(ids(&sandbox, user), expected, "{user}");
    }
}

#[test]
fn groups_behind_a_user_take_the_place_of_its_own() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for (user, expected) in [
        ("one:more", Ids::new(11, 85, &[85])),
        ("one:many:more", Ids::new(11, 80, &[80, 85])),
        // The kernel shows them in order.
        ("one:more:root:end", Ids::new(11, 85, &[0, 82, 85])),
        ("other:more:more", Ids::new(31, 85, &[85, 85])),
        ("root:end", Ids::new(0, 82, &[82])),
    ] {
        assert_eq!(ids(&sandbox, user), expected, "{user}");
    }
}

#[test]
fn numbers_behind_a_colon_are_taken_as_they_are() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for (user, expected) in [
        (":5:6", Ids::new(5, 6, &[6])),
        (":5:6:7:8", Ids::new(5, 6, &[6, 7, 8])),
        (":0:0", Ids::new(0, 0, &[0])),
        (":05:006", Ids::new(5, 6, &[6])),
        (":5:6:6", Ids::new(5, 6, &[6, 6])),
        (":4294967294:4294967293", Ids::new(4_294_967_294, 4_294_967_293, &[4_294_967_293])),
    ] {
        assert_eq!(ids(&sandbox, user), expected, "{user}");
    }
}

#[test]
fn numbers_need_no_account_files() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("empty", "");
    let act = "mount --bind empty /etc/passwd; mount --bind empty /etc/group";
    let shown = told(&mut after(&sandbox, act, &[&["chpst", "-u", ":5:6"], &STATUS[..]].concat()));
    assert_eq!(Ids::of(&printed(shown)), Ids::new(5, 6, &[6]));
    let shown = told(&mut after(&sandbox, act, &["chpst", "-u", "one", "true"]));
    assert_eq!(shown, fatal("unknown user/group: one"));
}

#[test]
fn numbers_without_a_colon_are_names_if_there_are_such_names() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    assert_eq!(ids(&sandbox, "7"), Ids::new(70, 71, &[71]));
    assert_eq!(ids(&sandbox, "7:9"), Ids::new(70, 90, &[90]));
    assert_eq!(ids(&sandbox, "one:9"), Ids::new(11, 90, &[90]));
}

#[test]
fn numbers_without_a_colon_are_ids_if_there_are_no_such_names() {
    if only_svbox("plain ids") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for (user, expected) in [
        ("1000:1001", Ids::new(1000, 1001, &[1001])),
        ("1000:1001:1002", Ids::new(1000, 1001, &[1001, 1002])),
        // Of an account with this number.
        ("11", Ids::new(11, 12, &[12])),
        ("41", Ids::new(41, 42, &[42])),
        ("0", Ids::new(0, 0, &[0])),
    ] {
        assert_eq!(ids(&sandbox, user), expected, "{user}");
    }
    let shown = known(&sandbox, &["chpst", "-U", "1000:1001", "sh", "-c", "echo $UID $GID"]);
    assert_eq!(shown, success("1000 1001\n"));
}

#[test]
fn a_number_alone_that_no_account_has_is_refused() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for user in ["1000", "4294967295", "99999999999999999999", "4294967307"] {
        assert_eq!(refused(&sandbox, "-u", user), fatal(&format!("unknown user/group: {user}")));
        assert_eq!(refused(&sandbox, "-U", user), fatal(&format!("unknown user/group: {user}")));
    }
}

#[test]
fn what_is_not_known_is_refused_with_the_whole_argument() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for user in [
        "",
        "missing",
        "missing:many",
        "one:missing",
        "one:many:missing",
        "one:",
        "one:many:",
        "one::many",
        "One",
        "on",
        "one ",
        " one",
        "one:many ",
        "short",
        "minus",
        "wide",
        "a line without colons",
        "x",
        "-1",
        "+11",
    ] {
        for option in ["-u", "-U"] {
            let refused = refused(&sandbox, option, user);
            assert_eq!(refused, fatal(&format!("unknown user/group: {user}")), "{option}");
        }
    }
}

#[test]
fn a_colon_without_two_numbers_is_refused() {
    let sandbox = Sandbox::new();
    for user in [
        ":",
        ":5",
        ":5x:6",
        ":5:6x",
        ":x:6",
        ":5:x",
        ":5:6:x",
        ":5:-6",
        ":-5:6",
        ":+5:6",
        ":5:+6",
        ": 5:6",
        ":5: 6",
        ":5 :6",
        ":5:6 ",
        ":root:root",
        ":0x5:6",
        ":5.6",
        ":5,6",
    ] {
        for option in ["-u", "-U"] {
            let refused = fatal(&format!("invalid uid/gids: {}", &user[1..]));
            assert_eq!(chpst(&sandbox, &[option, user, "echo", "ran"]), refused, "{option}");
        }
    }
}

#[test]
fn no_number_is_not_zero_and_a_number_must_fit() {
    if only_svbox("ids") {
        return;
    }
    let sandbox = Sandbox::new();
    for user in [
        "::",
        ":::",
        ":5:",
        "::6",
        ":5:6:",
        ":5::6",
        ":4294967296:6",
        ":5:4294967296",
        ":5:6:4294967296",
        ":4294967297:4294967297",
        ":18446744073709551616:6",
        ":5:18446744073709551616",
        ":99999999999999999999999999:0",
    ] {
        for option in ["-u", "-U"] {
            let refused = fatal(&format!("invalid uid/gids: {}", &user[1..]));
            assert_eq!(chpst(&sandbox, &[option, user, "echo", "ran"]), refused, "{option}");
        }
    }
}

#[test]
fn the_number_that_means_none_is_no_id() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for user in [":4294967295:6", ":5:4294967295", ":5:6:4294967295"] {
        let (code, stdout, stderr) = chpst(&sandbox, &["-u", user, "echo", "ran"]);
        assert_eq!((code, stdout.as_str()), (Some(111), ""), "{user}");
        assert!(stderr.starts_with("chpst: fatal: "), "{stderr}");
    }
}

/// Groups behind a colon.
fn list(groups: impl Iterator<Item = String>) -> String {
    groups.map(|group| format!(":{group}")).collect()
}

#[test]
fn sixty_groups_work() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let numbers = list((1..=60).map(|number| number.to_string()));
    let expected: Vec<u32> = (1..=60).collect();
    assert_eq!(ids(&sandbox, &format!(":5{numbers}")), Ids::new(5, 1, &expected));
    let names = list((0..60).map(|_| "more".into()));
    assert_eq!(ids(&sandbox, &format!("one{names}")), Ids::new(11, 85, &[85; 60]));
}

#[test]
fn more_than_sixty_groups_work() {
    if only_svbox("many groups") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for count in [61, 100, 1000] {
        let numbers = list((1..=count).map(|number| number.to_string()));
        let expected: Vec<u32> = (1..=count).collect();
        assert_eq!(ids(&sandbox, &format!(":5{numbers}")), Ids::new(5, 1, &expected));
    }
    let names = list((0..61).map(|_| "more".into()));
    assert_eq!(ids(&sandbox, &format!("one{names}:end")).groups.len(), 62);
    let user = format!("one{names}:missing");
    assert_eq!(refused(&sandbox, "-u", &user), fatal(&format!("unknown user/group: {user}")));
}

#[test]
fn without_rights_even_the_own_ids_are_refused() {
    let sandbox = Sandbox::new();
    let (user, group) = match (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw()) {
        (0, _) => (65534, 65534),
        own => own,
    };
    for ids in [format!(":{user}:{group}"), ":0:0".into(), "root".into()] {
        let mut command = unprivileged(&sandbox, "chpst", 65534);
        let refused = fatal("unable to setgroups: permission denied");
        assert_eq!(told(command.args(["-u", &ids, "echo", "ran"])), refused, "{ids}");
    }
}

#[test]
fn each_change_that_is_refused_has_its_message() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for (missing, message) in [
        ("-setgid", "unable to setgroups: permission denied"),
        ("-setuid", "unable to setuid: permission denied"),
    ] {
        let args = ["--bounding-set", missing, "chpst", "-u", ":5:6", "echo", "ran"];
        assert_eq!(run(&sandbox, "setpriv", &args), fatal(message));
    }
}

#[test]
fn ids_in_the_environment_change_nothing_else() {
    let sandbox = Sandbox::new();
    let show = ["sh", "-c", "echo $UID $GID $(id -u)"];
    let own = rustix::process::getuid().as_raw();
    for (user, expected) in [
        (":5:6", "5 6"),
        (":5:6:7", "5 6"),
        (":05:006", "5 6"),
        (":4294967294:4294967293", "4294967294 4294967293"),
        (":2147483648:2147483647", "2147483648 2147483647"),
    ] {
        let shown = chpst(&sandbox, &[&["-U", user], &show[..]].concat());
        assert_eq!(shown, success(&format!("{expected} {own}\n")), "{user}");
    }
}

#[test]
fn ids_in_the_environment_need_no_rights() {
    let sandbox = Sandbox::new();
    let mut command = unprivileged(&sandbox, "chpst", 65534);
    let shown = told(command.args(["-U", "root", "sh", "-c", "echo $UID $GID"]));
    assert_eq!(shown, success("0 0\n"));
}

#[test]
fn ids_in_the_environment_are_those_of_the_account_and_the_first_group() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for (user, expected) in [("one", "11 12\n"), ("one:more:many", "11 85\n"), ("7:9", "70 90\n")] {
        let shown = known(&sandbox, &["chpst", "-U", user, "sh", "-c", "echo $UID $GID"]);
        assert_eq!(shown, success(expected), "{user}");
    }
}

#[test]
fn ids_in_the_environment_take_the_place_of_those_that_are_there() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("chpst");
    command.env_clear().env("PATH", "/usr/bin:/bin").env("UID", "x").env("GID", "y").env("A", "a");
    let text = printed(told(command.args(["-U", ":5:6", "env"])));
    let mut shown: Vec<_> = text.lines().collect();
    shown.sort_unstable();
    assert_eq!(shown, ["A=a", "GID=6", "PATH=/usr/bin:/bin", "UID=5"]);
}

#[test]
fn the_two_options_are_independent() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let show = "echo $UID $GID $(id -u) $(id -g) $(id -G)";
    for args in [["-u", "one", "-U", ":5:6"], ["-U", ":5:6", "-u", "one"]] {
        let shown = known(&sandbox, &[&["chpst"], &args[..], &["sh", "-c", show]].concat());
        assert_eq!(shown, success("5 6 11 12 12\n"), "{args:?}");
    }
    let mut command =
        after(&sandbox, ACCOUNTS, &["chpst", "-u", "one", "sh", "-c", "echo ${UID-none} ${GID-none}"]);
    assert_eq!(told(command.env_remove("UID").env_remove("GID")), success("none none\n"));
}

#[test]
fn root_cannot_come_back() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let status = printed(known(&sandbox, &[&["chpst", "-u", "one"], &STATUS[..]].concat()));
    for line in status.lines().filter(|line| line.starts_with("CapEff") || line.starts_with("CapPrm")) {
        assert!(line.ends_with("\t0000000000000000"), "{line}");
    }
    let (code, stdout, _) = known(&sandbox, &["chpst", "-u", "one", "chpst", "-u", ":0:0", "echo", "ran"]);
    assert_eq!((code, stdout.as_str()), (Some(111), ""));
}
