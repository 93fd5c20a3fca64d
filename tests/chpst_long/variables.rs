//! `--env`, `--unset`, `--clear-env`.

use super::*;

/// Runs `env` under these options with a few variables and no others; gives its lines, sorted.
#[track_caller]
fn variables(sandbox: &Sandbox, options: &[&str]) -> Vec<String> {
    let mut command = user(sandbox);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("ONE", "1").env("TWO", "2");
    let mut lines: Vec<String> =
        seen(command, &[options, &["/usr/bin/env"]].concat()).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn variables_are_set_and_taken_away_in_the_order_in_which_they_are_given() {
    if only_svbox("long options") {
        return;
    }
    for (options, left) in [
        (&["--env", "A=b"][..], &["A=b", "ONE=1", "PATH=/usr/bin:/bin", "TWO=2"][..]),
        (&["--env=A=b=c", "--unset=ONE"], &["A=b=c", "PATH=/usr/bin:/bin", "TWO=2"]),
        (&["--env", "A=", "--unset", "ONE", "--unset", "NONE"], &["A=", "PATH=/usr/bin:/bin", "TWO=2"]),
        (&["--env", "ONE=x", "--env", "ONE=y"], &["ONE=y", "PATH=/usr/bin:/bin", "TWO=2"]),
        (&["--env", "A=1", "--unset", "A", "--unset", "TWO"], &["ONE=1", "PATH=/usr/bin:/bin"]),
        (&["--unset", "ONE", "--env", "ONE=2"], &["ONE=2", "PATH=/usr/bin:/bin", "TWO=2"]),
        (&["--unset", "ON", "--env", "ON=3"], &["ON=3", "ONE=1", "PATH=/usr/bin:/bin", "TWO=2"]),
        (&["--clear-env"], &[]),
        (&["--env", "A=b", "--clear-env", "--env", "C=d"], &["A=b", "C=d"]),
        (&["--clear-env", "--env", "PATH=/none", "--env", "A B=c d"], &["A B=c d", "PATH=/none"]),
    ] {
        let sandbox = Sandbox::new();
        assert_eq!(variables(&sandbox, options), left, "{options:?}");
    }
}

#[test]
fn all_is_taken_away_first_then_come_the_directory_and_the_single_variables() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("env/ONE", "dir");
    sandbox.write("env/THREE", "dir");
    sandbox.write("env/FOUR", "dir");
    for options in [
        &["--env", "ONE=option", "--unset", "FOUR", "-e", "env", "--clear-env"][..],
        &["--clear-env", "-e", "env", "--env", "ONE=option", "--unset", "FOUR"],
    ] {
        assert_eq!(variables(&sandbox, options), ["ONE=option", "THREE=dir"], "{options:?}");
    }
}

#[test]
fn the_numbers_of_a_user_are_set_last() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("env/GID", "dir");
    for options in [
        &["-U", ":12:34", "--clear-env", "--env", "UID=x", "--unset", "GID", "-e", "env"][..],
        &["--unset", "UID", "-e", "env", "--env", "GID=y", "-U", ":12:34", "--clear-env"],
    ] {
        assert_eq!(variables(&sandbox, options), ["GID=34", "UID=12"], "{options:?}");
    }
}

#[test]
fn it_is_chpst_s_own_path_that_counts() {
    if only_svbox("long options") {
        return;
    }
    for options in [&["--clear-env"][..], &["--unset", "PATH"], &["--env", "PATH=/none"]] {
        let sandbox = Sandbox::new();
        sandbox.script("own/found", "echo found");
        let mut command = sandbox.command(reachable(&sandbox));
        command.env("PATH", sandbox.join("own")).args(options).arg("found");
        assert_eq!(
            told(&command.output().unwrap()),
            (Some(0), "found\n".into(), String::new()),
            "{options:?}"
        );
    }
}
