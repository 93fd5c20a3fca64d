#!/bin/sh
# Checks the program for another kind of machine, which was built before: cross_check.sh TARGET. It is what a part of the
# suite tests, in which everything else is this machine's: the programs that are supervised, shells and tools.
set -eu
. scripts/lib.sh
target=$1
program=$whole/cross/$target/bin/svbox
# As many at once as in `make test`.
export RUST_TEST_THREADS="${RUST_TEST_THREADS:-$(($(nproc) + 1))}" SVBOX_PROGRAM="$program"

# The machine, as QEMU has it.
case $target in
    armv7-*) machine=arm ;;
    powerpc64le-*) machine=ppc64le ;;
    riscv64gc-*) machine=riscv64 ;;
    *) machine=${target%%-*} ;;
esac

runs_here() {
    "$program" --version >/dev/null 2>&1
}

# emulated COMMAND: runs it where the program runs.
emulated() {
    if runs_here; then "$@"; else SVBOX_EMULATED=yes scripts/emulated.sh "$machine" "$@"; fi
}

# Tests that show QEMU and not the program, or the user namespace in which it runs.
known() {
    # QEMU opens descriptors that are closed, and has some of its own.
    echo chpst::descriptors::closed_descriptors_become_null_if_asked_for
    echo chpst::descriptors::without_options_closed_descriptors_stay_closed
    echo multicall::nor_do_they_where_there_is_no_null
    echo chpst::locks::the_program_has_the_lock_as_its_lowest_free_descriptor
    echo runsv::environment::missing_standard_descriptors
    echo policy::ready::the_descriptor_is_blocking_and_the_only_one_more
    echo svlogd::flaws::a_closed_standard_input_is_an_empty_one
    # It turns the order of the environment round.
    echo runsv::environment::a_strange_environment_is_passed_on_as_it_is
    echo runsv::environment::the_environment_is_that_of_runsv_byte_for_byte
    # It changes what is done with signals.
    echo chpst::exec::signals_are_left_as_they_were
    echo runsv::environment::ignored_signals_stay_ignored_except_term_and_chld
    echo svlogd::signals::other_signals_kill_svlogd
    # It keeps limits of memory to itself, and needs memory and processes of its own.
    echo chpst::limits::a_program_that_needs_more_memory_than_that_dies
    echo chpst::limits::each_letter_sets_a_soft_limit
    echo chpst::limits::m_is_data_stack_locked_memory_and_address_space
    echo chpst::limits::the_later_of_m_and_d_is_for_data
    echo chpst::limits::the_other_letters_of_softlimit_do_too
    echo chpst::personalities::softlimit
    echo chpst::personalities::for_softlimit_an_equals_sign_is_the_hard_limit
    echo runsv::environment::a_lack_of_processes_is_warned_of_and_sat_out
    # It knows nothing of namespaces of processes.
    echo chpst::follow::each_end_is_told_of_if_asked_for
    echo chpst::follow::following_ends_when_nothing_is_left
    echo chpst::follow::the_exit_code_of_followed_programs_is_that_of_the_last
    echo chpst::follow::the_followed_program_is_the_second_process_of_its_namespace
    # It is slow: what the program has read it has not written yet, and a file is seen before there is anything in it.
    echo svlogd::reopened::a_directory_that_comes_back_ends_the_line_that_it_has_missed
    echo runsv::environment::children_that_runsv_did_not_start_are_collected
    # To it vfork is fork: a supervisor goes on before a program runs, and when it is killed then its child has the lock.
    echo runsv::environment::run_is_called_by_its_path_without_arguments
    echo policy::needs::start::in_one_process_all_that_have_waited_are_started_before_one_is_shown
    echo crash::a_supervisor_may_be_killed_at_each_write_of_its_status
    echo crash::a_supervisor_with_a_log_may_be_killed_at_each_write_of_a_status
    # In a user namespace the nice value cannot be lowered.
    echo chpst::nice::there_is_a_highest_and_a_lowest_value
    echo chpst::order::the_nice_value_is_lowered_before_the_rights_are_gone
    # runit's programs, with which these compare, are not emulated.
    echo chpst::differential::the_same_becomes_of
    echo svlogd::differential::processors_have_the_same_world
    # On mips signals have other numbers, which these count with.
    case $machine in mips*)
        echo runsv::commands::each_letter_sends_its_signal
        echo runsv::control_scripts::a_program_that_fails_does_not_keep_the_signal_back
        echo runsv::finish::finish_is_told_the_signal
        echo policy::restart::deaths_are_written_down_and_ends_that_were_asked_for_are_none
        ;;
    esac
}

say "checking $target"
cargo test --quiet --test suite --no-run
# These make system calls fail by their names, of which they know this machine's.
# And clients are programs of this machine; of them vsv has a name like one of those below.
skipped="--skip faults:: --skip clients::vsv::"
if ! runs_here; then
    for name in $(known); do skipped="$skipped --skip $name"; done
fi
# shellcheck disable=SC2086
emulated cargo test --quiet --test suite -- multicall:: chpst:: sv:: svlogd:: daemontools:: policy:: crash:: $skipped
