//! `mark`: two subjects, one table.

use crate::{
    bad,
    bundles::{Sat, admission_no, bundle, judged, paper},
    good,
};
use exam_content::table::{self, Cell, Format, Sheet};
use exam_protocol::{
    answer::Answer, code::SeatState, incident::RecordNo, message::attendance::EndWhy, paper::Subject, time::SiteMs,
};
use exam_sealed::bundle::Termination;
use std::{fs, path::Path};

const MARK: [&str; 9] =
    ["--json", "mark", "--results", "opened", "--papers", "theory.paper", "practical.paper", "--out", "results.xlsx"];

fn sat(serial: u32, name: &'static str, answers: Vec<(&'static str, Answer)>) -> Sat {
    Sat { serial, name, state: SeatState::HandedIn, answers, paper: None, terminated: None, void: None }
}

fn absent(serial: u32) -> Sat {
    Sat { state: SeatState::Absent, ..sat(serial, "缺考者", Vec::new()) }
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
    let said = bad(dir.path(), 4, &without);
    assert!(said.contains("4 candidates of sitting practical-1 sat paper practical: give that paper"), "{said}");
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
fn each_attempt_is_marked_by_the_key_of_the_paper_it_was_sat_with() {
    let dir = tempfile::tempdir().unwrap();
    paper(dir.path(), "theory", false);
    paper(dir.path(), "theory-b", false);
    // The backup's judgements are all false: the planned paper's key would give other points.
    let text = fs::read_to_string(dir.path().join("theory-b.paper")).unwrap();
    fs::write(dir.path().join("theory-b.paper"), text.replace("\"right\":true", "\"right\":false")).unwrap();
    let moved = Sat { paper: Some("theory-b"), ..sat(2, "乙", judged(2)) };
    bundle(&dir.path().join("opened"), "theory-1", Subject::Theory, &[sat(1, "甲", judged(9)), moved]);
    let mark = |papers: &[&'static str]| {
        [&["--json", "mark", "--results", "opened", "--out", "r.xlsx", "--papers"], papers].concat()
    };
    let said = bad(dir.path(), 4, &mark(&["theory.paper"]));
    assert!(said.contains("1 candidates of sitting theory-1 sat paper theory-b"), "{said}");
    assert!(!dir.path().join("r.xlsx").exists());
    let said = good(dir.path(), &mark(&["theory.paper", "theory-b.paper"]));
    let points = |n: usize| said["candidates"][n]["theory"]["points"].as_f64();
    assert_eq!((points(0), points(1)), (Some(90.0), Some(70.0)));
}

#[test]
fn a_void_result_of_the_bundle_is_listed_and_never_marked_and_an_ended_exam_says_so() {
    let dir = tempfile::tempdir().unwrap();
    paper(dir.path(), "theory", true);
    let essay = || vec![("essay", Answer::Text("说明".into()))];
    let why = |why, violation| Some(Termination { at: SiteMs(9), why, violation });
    let ended = why(EndWhy::Violation, Some(RecordNo(4)));
    let void = Sat { void: Some(RecordNo(5)), terminated: ended, ..sat(1, "甲", [judged(9), essay()].concat()) };
    let ill = Sat { terminated: why(EndWhy::Illness, None), state: SeatState::Terminated, ..sat(2, "乙", judged(9)) };
    bundle(&dir.path().join("opened"), "theory-1", Subject::Theory, &[void, ill]);
    let said =
        good(dir.path(), &["--json", "mark", "--results", "opened", "--out", "r.xlsx", "--papers", "theory.paper"]);
    assert_eq!((said["summary"]["void"].as_u64(), said["by_hand"].as_u64()), (Some(1), Some(0)));
    assert_eq!(said["candidates"][0]["theory"], serde_json::json!({ "state": "void" }));
    assert_eq!(said["candidates"][1]["theory"]["points"], 90.0, "an ended exam is marked as far as it came");
    let [results, _, items] = &sheets(&dir.path().join("r.xlsx"))[..] else { panic!("three sheets") };
    let row = |row| [results.cell(row, 4).text(), results.cell(row, 7).text(), results.cell(row, 8).text()];
    assert_eq!(row(1), ["无效", "成绩无效", "理论成绩无效（违纪记录5）；理论终止考核（违纪，违纪记录4）"]);
    assert_eq!(row(2)[2], "理论原始分 90/120；理论终止考核（身体不适）");
    assert_eq!(items.cell(1, 5).text(), "1", "a void paper is in no statistics");
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
