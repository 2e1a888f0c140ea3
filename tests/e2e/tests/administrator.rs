//! What the runbook tells the administrator: the example configuration works, and a backup can be restored.
//! Never stops the exam for a backup.

mod common;

use common::{DEADLINE, founded, small_exam};
use exam_e2e::{answers, site::Sample};
use std::{fs, path::Path};

const SEATS: u16 = 3;
const EXIT_VALIDATION: i32 = 3;

fn example_configuration() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/config/exam-server.example.toml")
}

#[test]
fn the_example_configuration_starts_a_server() -> anyhow::Result<()> {
    let (mut site, _folder) = founded()?;
    let data = site.folder().server();
    site.start_server_at(&data, &["--config".as_ref(), example_configuration().as_ref()])?;
    site.server(["status"])?.expect_code(0)?;
    site.stop_server()
}

#[test]
fn a_misspelt_key_in_the_configuration_is_refused_by_name() -> anyhow::Result<()> {
    let (site, _folder) = founded()?;
    let file = site.folder().root().join("misspelt.toml");
    fs::write(&file, fs::read_to_string(example_configuration())?.replace("log_level", "log_levle"))?;
    let refused = site.server(["run".as_ref(), "--config".as_ref(), file.as_os_str()])?.expect_code(EXIT_VALIDATION)?;
    assert!(refused.stderr.contains("log_levle"), "{}", refused.stderr);
    Ok(())
}

#[test]
fn a_site_s_keys_are_never_overwritten() -> anyhow::Result<()> {
    let (site, _folder) = founded()?;
    let again = site.server(["init", "--site", "另一个考点"])?;
    assert_ne!(again.code, Some(0), "a second init must not replace the keys of the first");
    Ok(())
}

#[test]
fn a_backup_made_while_candidates_answer_serves_on_and_gets_every_version_it_lacks_from_the_seats() -> anyhow::Result<()>
{
    let mut exam = small_exam(Sample { seats: SEATS, questions: 40, seed: 41 }, None)?;
    let mut load = exam.thoughtful_seats_ready(SEATS, 60)?;
    let code = exam.site.unlock_code(&exam.sitting)?;
    exam.site.start_sitting(&exam.sitting, &code)?.expect_code(0)?;
    load.wait_acked(u64::from(SEATS), DEADLINE, |_| {})?;
    let backup = exam.site.folder().root().join("backup");
    exam.site.server(["backup".as_ref(), "--out".as_ref(), backup.as_os_str()])?.expect_code(0)?;
    exam.site.server_at(&backup, ["verify"])?.expect_code(0)?;
    let saved = answers::from_lines(&exam.site.server_at(&backup, ["journal", "answers"])?.expect_code(0)?.stdout)?;
    load.wait_acked(saved.len() as u64 + u64::from(SEATS), DEADLINE, |_| {})?;

    // The first machine burns; the copy takes over at its address, and the seats bring what it lacks.
    exam.site.kill_server()?;
    fs::remove_dir_all(exam.site.folder().server())?;
    fs::rename(&backup, exam.site.folder().server())?;
    exam.site.start_server()?;
    load.wait_synced(DEADLINE, |_| {})?;
    exam.site.act("end", &exam.sitting)?;
    load.wait_end(DEADLINE)?; // its own count takes a version acknowledged by both machines twice
    exam.site.stop_server()?;
    let acked = answers::from_lines(&fs::read_to_string(exam.site.folder().ack_log())?)?;
    let journal = answers::from_lines(&exam.site.journal_answers()?)?;
    assert!(saved.len() < acked.len(), "the backup was older than the last answers, or this proves nothing");
    let superseded = acked.len() - answers::newest(&acked).len();
    assert!(superseded > 0, "answers were changed, or only newest versions were looked for");
    let lost = answers::missing(&acked, &journal).len();
    assert_eq!(lost, 0, "a version acknowledged before the fire did not come back from its seat");
    Ok(())
}
