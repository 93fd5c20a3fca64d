//! The shortest way through everything.

use crate::kit::*;

#[test]
fn a_service_runs_and_leaves_when_told() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged();
    let mut runsv = service.supervise();
    let pid = service.until_up();
    until("its process", || sandbox.processes().contains(&pid));
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(sandbox.processes(), []);
}

#[test]
fn a_linked_service_is_started_and_one_taken_out_is_stopped() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    let scan = sandbox.scan();
    scan.link(&one);
    let _runsvdir = scan.start(&[], &[]);
    one.until_up();
    scan.link(&two);
    two.until_up();
    scan.unlink("one");
    until("the end of one", || !one.is_supervised());
    assert!(two.is_supervised());
}
