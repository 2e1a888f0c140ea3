//! `paper import` and `paper show`.

use crate::{bad, good};
use std::fs;

const BANK: &str = "题型,题干,答案,A,B,C\n单选题,首页的英文是？,B,page,home,site\n多选题,哪些是渠道？,A、C,搜索,抽屉,邮件\n判断题,天是蓝的。,对\n填空题,____和____,甲；乙\n简答题,说明。,要点\n";

#[test]
fn a_gbk_bank_becomes_a_paper_that_only_its_owner_reads() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bank.csv"), encoding_rs::GBK.encode(BANK).0).unwrap();
    let said = good(
        dir.path(),
        &["--json", "paper", "import", "--in", "bank.csv", "--title", "样卷", "--points", "2.5", "--out", "p1.paper"],
    );
    assert_eq!((said["encoding"].as_str(), said["paper"]["points"].as_f64()), (Some("gb18030"), Some(12.5)));
    let shown = good(dir.path(), &["paper", "show", "p1.paper", "--json"]);
    assert_eq!((shown["id"].as_str(), shown["items"].as_u64()), (Some("p1"), Some(5)));
    assert_eq!(shown["kinds"]["multiple"]["items"], 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(dir.path().join("p1.paper")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_bank_with_one_fault_leaves_no_paper_and_a_full_report() {
    let dir = tempfile::tempdir().unwrap();
    let broken = BANK.replace("home,site\n", "home,site\n单选题,没有答案？,,甲,乙\n连线题,怪题？,A,甲,乙\n");
    fs::write(dir.path().join("bank.csv"), broken).unwrap();
    let args =
        ["paper", "import", "--in", "bank.csv", "--title", "样卷", "--out", "p1.paper", "--report", "report.json"];
    for _ in 0..2 {
        let said = bad(dir.path(), 3, &args);
        assert!(said.contains("bank.csv, row 3, column C (cell C3): the question has no answer"), "{said}");
        assert!(said.contains("(cell A4): the kind (题型)"), "{said}");
    }
    let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["bank.csv", "report.json"], "no paper and nothing half done");
    let report: serde_json::Value = serde_json::from_slice(&fs::read(dir.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(
        (report["ok"].as_bool(), report["faults"][0]["row"].as_u64(), report["faults"][0]["column"].as_u64()),
        (Some(false), Some(3), Some(3))
    );
}

#[test]
fn a_corrected_bank_is_imported_over_the_older_paper() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["--json", "paper", "import", "--in", "bank.csv", "--title", "样卷", "--out", "p1.paper"];
    for (text, items) in [(BANK.to_owned(), 5), (BANK.replace("简答题,说明。,要点\n", ""), 4)] {
        fs::write(dir.path().join("bank.csv"), text).unwrap();
        assert_eq!(good(dir.path(), &args)["paper"]["items"], items);
    }
}

#[test]
fn wrong_words_end_with_their_own_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bank.csv"), BANK).unwrap();
    fs::write(dir.path().join("no.paper"), "{}").unwrap();
    let import = |rest: &[&'static str]| [&["paper", "import", "--in"], rest].concat();
    bad(dir.path(), 4, &import(&["none.csv", "--title", "t", "--out", "p.paper"]));
    bad(dir.path(), 3, &import(&["bank.csv", "--format", "xlsx", "--title", "t", "--out", "p.paper"]));
    bad(dir.path(), 3, &import(&["bank.csv", "--title", "t", "--out", "卷.paper"]));
    bad(dir.path(), 3, &import(&["bank.csv", "--title", " ", "--out", "p.paper"]));
    bad(dir.path(), 2, &import(&["bank.csv", "--title", "t", "--points", "0", "--out", "p.paper"]));
    bad(dir.path(), 3, &["paper", "show", "no.paper"]);
    bad(dir.path(), 4, &["paper", "show", "none.paper"]);
}
