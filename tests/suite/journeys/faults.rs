//! A hub that fails on purpose, set up from the window: it strikes others, it is counted, and it ends.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use twinscope::client::HubError;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

#[test]
fn faults_are_set_strike_and_end() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let (victim, other) = (TwinId::device("victim"), TwinId::device("other"));
    second.create(&victim);
    second.create(&other);
    let mut program = Program::on(&hub);
    program.click(Role::Button, "Faults…");
    program.type_into("Faults, one a line", "503 on=device-read id=victim\nnonsense");
    program.until("what is wrong", |program| program.says("Line 2, column 1"));
    assert!(!program.can(Role::Button, "Apply"));
    program.type_into("Faults, one a line", "503 on=device-read id=victim\nskew=-3h");
    program.type_into("Seed", "42");
    program.click(Role::Button, "Apply");
    program.until("that they are in force", |program| program.says("In force: 2, seed 42"));

    // Tokens of this hour are good in three hours too, as far as the hub's wrong clock goes.
    let error = second.identity(&victim).unwrap_err();
    assert!(matches!(error, HubError::HubFailed { status: 503, .. }), "{error:?}");
    assert!(second.identity(&other).is_ok());
    program.until("the counts", |program| {
        program.said().iter().any(|said| said.strip_prefix("struck ").is_some_and(|count| count != "0"))
    });
    program.click(Role::Button, "Close");
    program.until("the badge", |program| program.has(Role::Button, "Faults on: 2"));

    program.click(Role::Button, "Faults on: 2");
    program.click(Role::Button, "Clear all");
    program.until("the end", |program| program.says("In force: none"));
    program.click(Role::Button, "Close");
    program.until("the badge to go", |program| program.has(Role::Button, "Faults…"));
    assert!(second.identity(&victim).is_ok());
}
