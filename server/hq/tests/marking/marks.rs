//! `mark`: two subjects, one table.

use crate::{
    bad,
    bundles::{Sat, admission_no, bundle, judged, paper},
    good,
};
use exam_content::table::{self, Cell, Format, Sheet};
use exam_protocol::{answer::Answer, code::SeatState, paper::Subject};
use std::{fs, path::Path};

const MARK: [&str; 9] =
    ["--json", "mark", "--results", "opened", "--papers", "theory.paper", "practical.paper", "--out", "results.xlsx"];

fn sat(serial: u32, name: &'static str, answers: Vec<(&'static str, Answer)>) -> Sat {
    Sat { serial, name, state: SeatState::HandedIn, answers }
}

fn absent(serial: u32) -> Sat {
    Sat { serial, name: "缺考者", state: SeatState::Absent, answers: Vec::new() }
}

/// Five candidates: passed, failed, absent in practical, void, and one whose essay waits for a hand.
fn exam(dir: &Path) {
    paper(dir, "theory", true);
    paper(dir, "practical", false);
    let essay = vec![("essay", Answer::Text("=HYPERLINK(\"x\")\u{7}说明".into()))];
    bundle(
        &dir.join("opened"),
        "theory-1",
        Subject::Theory,
        &[
            sat(1, "'=1+1", judged(9)),
            sat(2, "乙", judged(3)),
            sat(3, "丙", judged(5)),
            sat(4, "丁", judged(9)),
            sat(5, "戊", [judged(9), essay].concat()),
        ],
    );
    bundle(
        &dir.join("opened"),
        "practical-1",
        Subject::Practical,
        &[
            sat(1, "'=1+1", judged(9)),
            sat(2, "乙", judged(6)),
            absent(3),
            sat(4, "丁", judged(9)),
            sat(5, "戊", judged(9)),
        ],
    );
}

fn sheets(path: &Path) -> Vec<Sheet> {
    table::read(&fs::read(path).unwrap(), "results.xlsx", Format::Auto).unwrap().sheets
}

#[test]
fn five_candidates_get_five_different_results() {
    let dir = tempfile::tempdir().unwrap();
    exam(dir.path());
    fs::write(dir.path().join("void.csv"), format!("准考证号,科目\n{},实操\n", admission_no(4))).unwrap();
    let said = good(dir.path(), &[&MARK[..], &["--void", "void.csv"]].concat());
    assert_eq!(said["summary"], serde_json::json!({ "passed": 1, "failed": 1, "absent": 1, "void": 1, "pending": 1 }));
    assert_eq!(said["by_hand"], 1);
    // 9 of 12 in theory (the empty essay is nobody's work to mark), 9 of 10 in practical: 0.3 × 75 + 0.7 × 90.
    assert_eq!(
        (&said["candidates"][0]["total"], &said["candidates"][0]["theory"]["percent"]),
        (&85.5.into(), &75.0.into())
    );
    assert_eq!(said["candidates"][1]["total"], 49.5);

    let [results, hand, items] = &sheets(&dir.path().join("results.xlsx"))[..] else { panic!("three sheets") };
    assert_eq!(results.cell(1, 0), &Cell::Text(admission_no(1).to_string()), "26 digits stay text");
    assert_eq!(results.cell(1, 1), &Cell::Text("=1+1".into()), "a name that looks like a formula stays text");
    assert_eq!(results.cell(1, 2), &Cell::Text("11010519000101001X".into()));
    let outcomes: Vec<String> = (1..6).map(|row| results.cell(row, 7).text()).collect();
    assert_eq!(outcomes, ["合格", "不合格", "缺考", "成绩无效", "待定"]);
    assert_eq!(
        hand.cell(1, 6),
        &Cell::Text("=HYPERLINK(\"x\")说明".into()),
        "control characters are gone, the text is text"
    );
    assert_eq!((hand.cell(1, 7).text().as_str(), hand.row_count()), ("要点", 2));
    assert_eq!(items.row_count(), 1 + 11 + 10);
    assert!(items.cell(0, 12).text().starts_with("得分率"));
}

#[test]
fn the_same_bundles_give_the_same_table_and_an_older_one_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    exam(dir.path());
    good(dir.path(), &MARK);
    let again = [&MARK[..8], &["again.xlsx"]].concat();
    good(dir.path(), &again);
    assert_eq!(fs::read(dir.path().join("results.xlsx")).unwrap(), fs::read(dir.path().join("again.xlsx")).unwrap());
    bad(dir.path(), 5, &MARK);
}

#[test]
fn one_opened_bundle_can_be_marked_alone_and_stays_pending() {
    let dir = tempfile::tempdir().unwrap();
    exam(dir.path());
    let said = good(
        dir.path(),
        &["--json", "mark", "--results", "opened/practical-1", "--papers", "practical.paper", "--out", "r.xlsx"],
    );
    assert_eq!((said["summary"]["pending"].as_u64(), said["summary"]["absent"].as_u64()), (Some(4), Some(1)));
    assert_eq!(said["candidates"][0]["practical"]["percent"], 90.0);
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    exam(dir.path());
    let without = ["mark", "--results", "opened", "--papers", "theory.paper", "--out", "results.xlsx"];
    assert!(bad(dir.path(), 4, &without).contains("paper practical: give that paper"));
    bad(dir.path(), 4, &["mark", "--results", ".", "--papers", "theory.paper", "--out", "results.xlsx"]);

    bundle(&dir.path().join("opened").join("again"), "x", Subject::Theory, &[]);
    fs::rename(dir.path().join("opened/again/x"), dir.path().join("opened/x")).unwrap();
    let manifest = fs::read_to_string(dir.path().join("opened/x/manifest.json")).unwrap();
    fs::write(dir.path().join("opened/x/manifest.json"), manifest.replace("\"x\"", "\"theory-1\"")).unwrap();
    fs::remove_file(dir.path().join("opened/x/SHA256SUMS")).unwrap();
    assert!(bad(dir.path(), 3, &MARK).contains("both of sitting theory-1"));
    fs::remove_dir_all(dir.path().join("opened/x")).unwrap();

    let record = dir.path().join(format!("opened/theory-1/answers/{}.json", admission_no(2)));
    let changed = fs::read_to_string(&record).unwrap().replace("false", "true");
    fs::write(&record, changed).unwrap();
    let said = bad(dir.path(), 6, &MARK);
    assert!(said.contains("was changed after it was opened") && said.contains("theory-1"), "{said}");
    assert!(!dir.path().join("results.xlsx").exists());
}

#[test]
fn a_candidate_moved_to_another_sitting_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    exam(dir.path());
    bundle(&dir.path().join("opened"), "practical-2", Subject::Practical, &[sat(3, "丙", judged(9))]);
    let said = good(dir.path(), &MARK);
    assert_eq!(
        said["candidates"][2]["practical"]["percent"], 90.0,
        "the sitting that was sat outweighs the one missed"
    );
    bundle(&dir.path().join("opened"), "practical-3", Subject::Practical, &[sat(1, "'=1+1", judged(2))]);
    assert!(bad(dir.path(), 3, &[&MARK[..8], &["r2.xlsx"]].concat()).contains("keep the one that counts"));
}
