//! P18: names and ID numbers rest sealed on the server, and no log carries them, nor a password or an admission number.
//! Never trusts the search alone: in HQ's opened bundle it has to find them.

mod common;

use common::small_exam;
use exam_e2e::{search::search, site::Sample};
use exam_sealed::{manifest::RosterEntry, package::Package};
use std::fs;

const SEATS: u16 = 3;

#[test]
fn names_and_id_numbers_are_in_no_log_and_nowhere_in_the_clear_on_the_server() -> anyhow::Result<()> {
    let mut exam = small_exam(Sample { seats: SEATS, questions: 5, seed: 31 }, None)?;
    let bundle = exam.hold(SEATS)?;
    let folder = exam.site.folder();
    let roster = Package::open(fs::File::open(folder.package_file())?)?.roster(&exam.site.age_identity()?)?;
    let personal = |person: &RosterEntry| [person.name.clone(), person.id_number.clone()];
    let personal: Vec<String> = roster.candidates.iter().flat_map(personal).collect();
    let numbers: Vec<String> = roster.candidates.iter().map(|person| person.admission_no.to_string()).collect();

    for place in [folder.server(), folder.seats()] {
        assert_eq!(search(&place, &personal)?.0, [], "personal data lies open");
    }
    // The test's own records, no logs of the product: who was acknowledged, and what HQ saw on its terminal.
    fs::remove_file(folder.ack_log())?;
    fs::remove_file(folder.command_log())?;
    let said = [personal.clone(), numbers].concat();
    for logs in [folder.server().join("logs"), folder.logs()] {
        assert_eq!(search(&logs, &said)?.0, [], "a log names a candidate");
    }

    exam.site.open_bundle(&bundle, &folder.opened())?;
    let (found, _) = search(&folder.opened(), &personal)?;
    assert!(found.len() >= personal.len(), "HQ's opened bundle names everybody");
    Ok(())
}
