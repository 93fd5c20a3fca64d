//! What a stage finds.

use super::*;

/// Lives with all three stages doing this, `$STAGE` being the number, and gives what each printed.
#[track_caller]
fn each_stage(boot: Boot, body: &str) -> [String; 3] {
    let body = format!("exec >>/run/found.${{0##*/}}\n{body}");
    let boot = ["1", "2", "3"].iter().fold(boot, |boot, name| boot.script(name, &body));
    let mut first = boot.start_under(&[]);
    assert_eq!(first.ended(), End::Off);
    ["1", "2", "3"].map(|name| first.read(&format!("/run/found.{name}")))
}

#[test]
fn its_path_is_its_only_argument() {
    let found = each_stage(Boot::new(), "tr '\\0' '\\n' </proc/$$/cmdline");
    assert_eq!(found, ["1", "2", "3"].map(|name| format!("/bin/sh\n/etc/runit/{name}\n")));
}

#[test]
fn the_environment_is_what_process_1_was_given() {
    let given = "env -i PATH=\"$PATH\" A=b EMPTY= 'ODD NAME=x y' SVBOX_TEST_SANDBOX=\"$PWD\" runit";
    let boot = Boot::new().program(given);
    let expected = |boot: &Boot| {
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", bin_dir().display());
        format!(
            "PATH={path}\nA=b\nEMPTY=\nODD NAME=x y\nSVBOX_TEST_SANDBOX={}\n",
            boot.sandbox.path().display()
        )
    };
    let expected = expected(&boot);
    let found = each_stage(boot, "tr '\\0' '\\n' </proc/$$/environ");
    for found in found {
        assert_eq!(found, expected);
    }
}

#[test]
fn there_are_three_descriptors() {
    let same = format!("{DESCRIPTORS} | cmp - /run/given && echo same");
    let found = each_stage(Boot::new(), &same);
    assert_eq!(found, ["same\n"; 3].map(str::to_owned));
}

#[test]
fn there_are_three_descriptors_if_process_1_was_given_none() {
    if only_svbox("closed stand-ins") {
        return;
    }
    let boot = Boot::new().program("runit <&- >&- 2>&-");
    let found = each_stage(boot, &format!("{DESCRIPTORS} | cmp - /run/given && echo same"));
    assert_eq!(found, ["same\n"; 3].map(str::to_owned));
}

#[test]
fn in_a_container_the_descriptors_are_those_of_process_1() {
    let boot = Boot::new().before("echo in >/run/in").program("runit </run/in");
    let found = each_stage(boot, "readlink /proc/$$/fd/0; readlink /proc/$$/fd/2");
    for found in found {
        let lines: Vec<&str> = found.lines().collect();
        let [input, errors] = lines[..] else { panic!("{found}") };
        assert_eq!(input, "/run/in");
        assert!(errors.ends_with("/stderr.0"), "{errors}");
    }
}

#[test]
fn it_leads_a_session() {
    let found = each_stage(Boot::new(), "set -- $(sed 's/.*) //' /proc/$$/stat); echo $$ $3 $4 $5");
    for (stage, found) in found.iter().enumerate() {
        let numbers: Vec<&str> = found.split_whitespace().collect();
        let [own, group, session, terminal] = numbers[..] else { panic!("{found}") };
        if stage > 0 || !against_runit() {
            assert_eq!([group, session], [own, own], "stage {}", stage + 1);
        }
        assert_eq!(terminal, "0");
    }
}

#[test]
fn no_signal_is_blocked_or_ignored() {
    if only_svbox("stage ignored") {
        return;
    }
    let inherited = "env --ignore-signal=PIPE,USR1,HUP,CHLD --block-signal=USR2,TERM,CONT,CHLD runit";
    for program in ["runit", inherited] {
        for found in each_stage(Boot::new().program(program), "exec cat /proc/self/status") {
            assert_eq!(masks(&found), (0, 0), "{program}");
        }
    }
}

#[test]
fn only_cont_is_ignored_by_runit() {
    if !against_runit() {
        return;
    }
    for found in each_stage(Boot::new(), "exec cat /proc/self/status") {
        assert_eq!(masks(&found).1, 1 << 17);
    }
}

#[test]
fn process_1_blocks_what_it_reads_and_ignores_nothing() {
    if only_svbox("stage ignored") {
        return;
    }
    let first = Boot::new().program("env --ignore-signal=PIPE,USR1,HUP runit").start();
    in_stage_2(&first);
    // HUP, INT, PIPE, TERM where it is no machine, CHLD, CONT, PWR, 37, 38, 39, 59.
    let read = [1, 2, 13, 15, 17, 18, 30, 37, 38, 39, 59]
        .iter()
        .fold(0_u64, |mask, signal| mask | 1 << (signal - 1));
    let status = fs::read_to_string(format!("/proc/{}/status", first.pid)).unwrap();
    assert_eq!(masks(&status), (read, 0));
}

#[test]
fn no_real_time_signal_is_ignored() {
    if only_svbox("stage ignored") {
        return;
    }
    let inherited = "env --ignore-signal=RTMIN,RTMIN+1,RTMIN+4,RTMAX runit";
    for found in each_stage(Boot::new().program(inherited), "exec cat /proc/self/status") {
        assert_eq!(masks(&found), (0, 0));
    }
}
