//! The templates of distributions that build from sources: what their functions put where. The tools that call them are
//! played by a shell.

use super::*;

/// What there is below a directory, without directories, links with what they hold.
fn files(sandbox: &Sandbox, dir: &str) -> Vec<String> {
    let list = "cd \"$0\"; find . ! -type d | LC_ALL=C sort | while read -r file; do
        echo \"${file#.}\" $([ ! -L \"$file\" ] || readlink \"$file\"); done";
    let output = sandbox.output("sh", &["-c", list, sandbox.join(dir).to_str().unwrap()]);
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Runs functions of a template at the top of the project, with the program under test as what was built.
fn play(sandbox: &Sandbox, shell: &str, template: &str, acts: &str) {
    let target = sandbox.join("target");
    std::fs::create_dir_all(target.join("bin")).unwrap();
    std::os::unix::fs::symlink(svbox(), target.join("bin/svbox")).unwrap();
    let script = format!("set -e; . scripts/packaging/{template}\n{acts}");
    let output = Command::new(shell)
        .args(["-c", &script])
        .current_dir(project())
        .env("CARGO_TARGET_DIR", &target)
        .env("top", sandbox.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// Those of the files that are in `/usr/bin` or `/sbin`.
fn programs(files: &[String]) -> Vec<&str> {
    let is_program = |file: &&str| file.starts_with("/usr/bin/") || file.starts_with("/sbin/");
    files.iter().map(|file| file.trim_end()).filter(is_program).collect()
}

const OF_RUNIT: [&str; 7] = ["chpst", "runsv", "runsvchdir", "runsvdir", "sv", "svlogd", "utmpset"];

fn links(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("/usr/bin/{name} svbox")).collect()
}

/// Whether pages and completions belong to programs that are packed.
fn assert_no_strangers(files: &[String]) {
    for name in ["setlock", "svc", "socklog", "tryto"] {
        let of_it = format!("/{name}.");
        assert!(
            !files.iter().any(|file| file.contains(&of_it) || file.contains(&format!("/{name} "))),
            "{name}"
        );
    }
}

#[test]
fn the_version_of_each_template_is_that_of_the_program() {
    let read = |path: &str| std::fs::read_to_string(project().join("scripts/packaging").join(path)).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(read("alpine/APKBUILD").contains(&format!("\npkgver={version}\n")));
    assert!(read("void/template").contains(&format!("\nversion={version}\n")));
}

#[test]
fn alpines_packages_have_the_program_and_the_names_of_runit_apart() {
    if against_runit() {
        return;
    }
    let sandbox = Sandbox::new();
    let acts = "pkgdir=$top/all; package; subpkgdir=$top/runit; runit; subpkgdir=$top/init; init";
    play(&sandbox, "dash", "alpine/APKBUILD", acts);
    let all = files(&sandbox, "all");
    assert_eq!(programs(&all), ["/usr/bin/pid1 svbox", "/usr/bin/svbox"]);
    assert_no_strangers(&all);
    assert!(all.iter().any(|file| file.trim_end() == "/usr/share/man/man1/svbox.1"));
    assert_eq!(programs(&files(&sandbox, "runit")), links(&OF_RUNIT));
    let init = ["runit", "runit-init", "telinit"].map(|name| format!("/sbin/{name} /usr/bin/svbox"));
    assert_eq!(programs(&files(&sandbox, "init")), init);
}

#[test]
fn voids_packages_have_the_program_and_all_names_of_its_runit_apart() {
    if against_runit() {
        return;
    }
    let sandbox = Sandbox::new();
    let acts = "vlicense() { install -D -m 644 $1 $DESTDIR/usr/share/licenses/svbox/$1; }
        vmkdir() { mkdir -p $PKGDESTDIR/$1; }
        vmove() { mkdir -p $PKGDESTDIR/${1%/*}; mv $DESTDIR/$1 $PKGDESTDIR/$1; }
        DESTDIR=$top/all; do_install; PKGDESTDIR=$top/runit; svbox-runit_package; pkg_install";
    play(&sandbox, "bash", "void/template", acts);
    let all = files(&sandbox, "all");
    assert_eq!(programs(&all), ["/usr/bin/pid1 svbox", "/usr/bin/svbox"]);
    assert_no_strangers(&all);
    let runit = files(&sandbox, "runit");
    let mut names = OF_RUNIT.to_vec();
    names.extend(["runit", "runit-init"]);
    names.sort();
    assert_eq!(programs(&runit), links(&names));
    assert!(runit.contains(&"/var/service ../run/runit/runsvdir/current".to_owned()));
    assert!(runit.iter().any(|file| file.trim_end() == "/usr/share/man/man8/sv.8"));
}
