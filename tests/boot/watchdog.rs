//! The watchdog, by the kernel's own in software.

use super::*;

const MODULES: &str = "for module in watchdog softdog; do insmod /lib/$module.ko; done";

fn with_modules(guest: &Guest) {
    let modules = kernel_file("modules");
    for name in ["watchdog.ko", "softdog.ko"] {
        std::fs::create_dir_all(guest.path("lib")).unwrap();
        std::fs::copy(modules.join(name), guest.path("lib").join(name)).unwrap();
    }
    guest.script("etc/runit/local", MODULES);
    guest.write("etc/runit/watchdog", "/dev/watchdog 2\n");
}

#[test]
fn a_watchdog_is_kept_content_and_given_up_when_asked() {
    if no_guest() {
        return;
    }
    let guest = Guest::new();
    with_modules(&guest);
    // Given up, it can be had by another program, which then does not keep it content.
    guest.service(
        "script",
        "sleep 5; echo content; rm /etc/runit/watchdog; svbox init q\n\
         until exec 3>/dev/watchdog; do sleep 0.1; done 2>/dev/null; echo mine; exec sleep 1000000",
    );
    let console = guest.boot("").until_off();
    assert_in_order(
        &console,
        &["- runit: watchdog /dev/watchdog: 2 seconds.", "content", "- runit: watchdog given up.", "mine"],
    );
    assert!(console.contains("softdog: Initiating system reboot"), "{console}");
}
