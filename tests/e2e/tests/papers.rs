//! Mock papers and evidence through the command lines people type: marked on site only where it may be, and carried to HQ whole.
//! Never trusts one program's word about itself: points are marked again here, files are compared byte by byte.

#![allow(clippy::unwrap_used, reason = "a test may panic, and says where")]

mod common;

use common::{DEADLINE, small_exam, small_mock_exam};
use exam_content::mark;
use exam_e2e::{answers, site::Sample, stock};
use exam_protocol::{answer::Answer, ids::ItemId, key::KeyedPaper};
use std::{collections::BTreeMap, ffi::OsStr, fs};

const SEATS: u16 = 3;
const EXIT_VALIDATION: i32 = 3;
const EXIT_REFUSED: i32 = 5;

#[test]
fn the_points_of_a_mock_are_those_hq_would_give_and_it_is_never_exported() -> anyhow::Result<()> {
    let mut exam = small_mock_exam(Sample { seats: SEATS, questions: 12, seed: 23 })?;
    let mut load = exam.seats_ready(SEATS)?;
    let code = exam.site.unlock_code(&exam.sitting)?;
    exam.site.start_sitting(&exam.sitting, &code)?.expect_code(0)?;
    load.wait_synced(DEADLINE, |_| {})?;
    exam.site.act("end", &exam.sitting)?;
    load.wait_figures(DEADLINE)?;
    let told = exam.site.server(["mock", "points", "--sitting", &exam.sitting])?.expect_code(0)?.json()?;
    let rows = told["rows"].as_array().unwrap();
    assert_eq!((rows.len(), told["has_key"].as_bool()), (usize::from(SEATS), Some(true)));

    let keyed: KeyedPaper = serde_json::from_slice(&fs::read(exam.site.paper())?)?;
    let journal = answers::newest(&answers::from_lines(&exam.site.journal_answers()?)?);
    for row in rows {
        let own = journal.iter().filter(|(key, _)| row["admission_no"] == key.admission_no.as_str());
        let own: BTreeMap<ItemId, Answer> =
            own.map(|(key, text)| (key.item.clone(), serde_json::from_str(text).unwrap())).collect();
        assert!(!own.is_empty(), "every seat answered, or this proves nothing");
        let marked = mark::mark(&keyed, &own);
        assert_eq!(row["points"]["points_tenths"].as_u64(), Some(marked.points_tenths));
        assert_eq!(row["points"]["max_tenths"].as_u64(), Some(keyed.paper.points_tenths()));
    }
    let out = exam.site.folder().bundle();
    let export = [OsStr::new("export"), "--sitting".as_ref(), exam.sitting.as_ref(), "--out".as_ref(), out.as_ref()];
    exam.site.server(export)?.expect_code(EXIT_REFUSED)?;
    exam.site.stop_server()
}

#[test]
fn a_photo_attached_at_a_terminal_reaches_hq_whole_and_stock_tools_check_it() -> anyhow::Result<()> {
    let photo = [b"\xff\xd8\xff\xe0".as_slice(), "水淹的角落".as_bytes()].concat();
    let mut exam = small_exam(Sample { seats: SEATS, questions: 8, seed: 29 }, None)?;
    let mut load = exam.seats_ready(SEATS)?;
    let code = exam.site.unlock_code(&exam.sitting)?;
    exam.site.start_sitting(&exam.sitting, &code)?.expect_code(0)?;
    load.wait_synced(DEADLINE, |_| {})?;
    let file = |name: &str, bytes: &[u8]| {
        let path = exam.site.folder().root().join(name);
        fs::write(&path, bytes).map(|()| path)
    };
    let record = |file: &OsStr| {
        let words = ["incident", "record", "--sitting", &exam.sitting, "--code", "emergency", "--text", "水管爆裂"];
        exam.site.server(words.map(OsStr::new).iter().copied().chain([OsStr::new("--attach"), file]))
    };
    let refused = record(file("note.jpg", b"a note")?.as_os_str())?.expect_code(EXIT_VALIDATION)?;
    assert!(refused.stderr.contains("JPEG"), "the remedy is said: {}", refused.stderr);
    record(file("corner.jpg", &photo)?.as_os_str())?.expect_code(0)?;
    let refused = exam.site.server(["mock", "points", "--sitting", &exam.sitting])?.expect_code(EXIT_REFUSED)?;
    assert!(refused.stderr.contains("marked by HQ"), "{}", refused.stderr);
    exam.site.act("end", &exam.sitting)?;
    load.wait_figures(DEADLINE)?;
    let bundle = exam.site.export(&exam.sitting, &exam.site.folder().bundle())?;
    exam.site.stop_server()?;

    let verified = exam.site.verify_bundle(&bundle)?.expect_code(0)?.json()?;
    assert_eq!(verified["attachments"], 1);
    stock::check(exam.site.folder(), &bundle)?;
    let opened = exam.site.folder().root().join("opened");
    exam.site.open_bundle(&bundle, &opened)?;
    let mut attached = fs::read_dir(opened.join("attachments"))?;
    assert_eq!(fs::read(attached.next().unwrap()?.path())?, photo);
    let table = exam.site.folder().root().join("results.xlsx");
    exam.site.mark(&opened, &exam.site.paper(), &table)?;
    Ok(())
}
