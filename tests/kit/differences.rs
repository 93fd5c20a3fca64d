//! What svbox does otherwise than runit, on purpose. A test that shows such a thing names its entry here, and is
//! passed over when the suite runs against runit.

use super::against_runit;

/// Name and reason.
const KNOWN: &[(&str, &str)] = &[
    ("told", "runit polls: every 5 s in runsvdir, every 420 ms in sv"),
    ("faults", "runit sleeps, gives up or goes deaf where the system refuses something"),
    ("closed descriptors", "runit's own pipes land on descriptors 0, 1 and 2 if runsv starts without them"),
    ("control mask", "runit starts control programs with CHLD and TERM blocked"),
    ("control pid", "runit before 2.3.1 does not tell control programs the process number"),
    ("final exit", "runit still takes commands when only the logger is waited for, and has no pipe then"),
    ("killed control", "runit takes a control program that was killed for one that succeeded"),
    ("kill", "runit forgets the process on `k` before it has ended"),
    ("late log", "runit looks for `log/` only when runsv starts"),
    ("log control", "runit before 2.3.0 looks at the wrong fifo for the log service"),
    ("log lock", "runit waits for the lock of the log service, deaf to TERM"),
    ("long link", "runit takes at most 255 bytes for the target of `supervise`"),
    ("pause", "runit sleeps deaf for a second after a fast exit"),
    ("real nanoseconds", "runit writes microseconds, times 1000 plus 500"),
    ("stray holder", "runit waits for ever for a logger while a stray process holds the pipe"),
    ("adopt", "runit's runsv starts a second process beside one that a killed runsv left"),
    ("at work already", "runit's runsvdir starts a runsv that fails on the lock, again and again"),
    ("control bytes", "runit puts newlines and control bytes into the title as they are"),
    ("itself", "runit needs a runsv in PATH"),
    ("limit", "runit's runsvdir starts 1000 services, no more"),
    ("mask", "runit's runsvdir hands on the signals that were blocked when it was started"),
    ("multicall", "runit is not one program of many names"),
    ("options", "runit takes an unknown option for the directory, and looks at the first one only"),
    ("process 1", "runit's runsvdir ends at once as process 1, and takes all services with it"),
    ("retry", "runit waits for another change after a failed fork or listing"),
    ("script", "runit's runsvdir has no -s"),
    ("stamp", "Debian's runsvdir writes .forced-rescan in place"),
    ("young", "runit waits for a quiet second of the scan directory, not of a new directory in it"),
    ("numbers", "runit takes what is no number for 0"),
    ("long options", "runit has no long options"),
    ("2.3 check", "runit before 2.3.0 takes a service that is down for as it should be"),
    ("2.3 status", "runit before 2.3.0 gives the state of the log service, and prints the service's twice"),
    ("always sent", "runit before 2.3.1 looks at the status first, and may not send at all"),
    ("appears", "runit's sv fails if the supervisor is not there yet"),
    ("check script", "runit's ./check passes if it is killed or cannot be run"),
    ("written", "runit's sv does not notice that its output is lost"),
    ("trailing slash", "runit forgets the trailing slash when it waits"),
    ("large portions", "runit's svlogd reads and writes a line at a time"),
    ("same second", "runit compares whole seconds, so a service of this second counts as restarted"),
    ("-L", "runit before 2.3.1 has no -L, and its own says nothing in the log"),
    ("M", "runit has no -M, and takes -tttt for -ttt"),
    ("-f", "runit has no -f"),
    ("banner", "runit has no config line `0`"),
    ("last line", "runit drops a last line without newline if it is short"),
    ("term line", "runit drops a line that it has read when TERM comes"),
    ("replaced to the end", "runit replaces bytes in the first `len` only"),
    ("plus", "runit's `+` takes the end of the text for a match, and looks behind it"),
    ("warned", "runit is silent about bad lines of a config"),
    ("defaults", "runit takes the config that was read before for one that cannot be read"),
    ("stderr switch", "runit keeps the stderr switch of the last line after the patterns are gone"),
    ("age", "runit's timer starts anew with each svlogd"),
    ("order", "runit's names follow the clock, back too"),
    ("down to n", "runit prunes one old log a rotation, and Debian's never a `.u`"),
    ("at work beside", "runit waits for a processor before it rotates or ends, deaf to TERM"),
    ("processor killed", "runit takes a killed processor for one that succeeded"),
    ("processor pause", "runit starts a failed processor again at once"),
    ("left behind", "runit does not process the `.u` that it finds"),
    ("kept over HUP", "runit forgets the processor at HUP"),
    ("processor mask", "runit's processor is started with CHLD blocked"),
    ("processor synced", "runit does not fsync what a processor made"),
    ("input gone", "runit starts the processor for ever when its input is gone"),
    ("deaf", "runit hears no signal while it waits for room"),
    ("one full", "runit stops all directories when one is full"),
    ("where it is", "runit stays in a directory that is full"),
    ("non-blocking", "runit leaves its standard input non-blocking"),
    ("read error", "runit takes a read error for the end of input"),
    ("no input", "runit reads the first thing it opens if its standard input is closed"),
    ("broken pipe", "runit dies when the reader of its standard error is gone"),
    ("few calls", "runit looks more often than it has to"),
    ("batched", "runit writes each line by itself"),
    ("name of a refused", "runit before 2.3.1 looks at a name that is not set"),
    ("lines of accounts", "the C library takes lines that lack fields, and numbers that are cut"),
    ("own addresses", "runit sends to IPv4 only, and drops the lines of a bad `U`"),
];

/// Whether a test is to be passed over because it shows a known difference and the suite runs against runit.
#[track_caller]
pub fn only_svbox(difference: &str) -> bool {
    let (_, reason) =
        KNOWN.iter().find(|(name, _)| *name == difference).expect("a difference that is listed");
    if against_runit() {
        eprintln!("passed over against runit: {reason}");
    }
    against_runit()
}
