//! Tests that count descriptors, change limits or look for children need a process to themselves: they run again in
//! a copy of this binary, which runs nothing else.

use std::process::Command;

const MARK: &str = "MH_TEST_ALONE";

/// Whether this process is the test's own. If not, runs the test in one, and fails if it fails there.
pub fn alone(test: &str) -> bool {
    if std::env::var_os(MARK).is_some_and(|own| own == test) {
        return true;
    }
    let output = this_binary(test).env(MARK, test).output().unwrap();
    let shown = [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat();
    assert!(output.status.success(), "{test}, in a process of its own: {}\n{shown}", output.status);
    assert!(shown.contains("1 passed"), "there is no test of the name {test}:\n{shown}");
    false
}

/// This binary, to run one test and nothing else.
pub fn this_binary(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command
}
