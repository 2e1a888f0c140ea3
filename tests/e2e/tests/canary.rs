//! P7: before the unlock code, nobody can read a question, with every file of the server and of the seats in hand.
//! Never trusts the search alone: where the sentences must be, it has to find them.

mod common;

use common::{Small, small_exam};
use exam_e2e::{
    folder::Folder,
    search::search,
    site::{Sample, Site},
};
use exam_sealed::{code::UnlockCode, package::Package, paper};
use std::{collections::BTreeSet, fs::File};

const QUESTIONS: usize = 13;
const SEATS: u16 = 2;
/// P7.
const WRONG_CODES: usize = 1_000;
/// Looks at the seats' folders before the test gives up.
const LOOKS_MAX: usize = 500;

/// Sentences nobody else would write: a stem and three options for each question, 52 in all.
fn canaries() -> Vec<Vec<String>> {
    let question = |n: usize| {
        let stem = format!("金丝雀第{n:02}号题干：变电站值班员应当先核对哪一块仪表");
        let option = |letter| format!("金丝雀第{n:02}号选项{letter}：编号{}的那一块", n * 7 + 1);
        vec![stem, option('甲'), option('乙'), option('丙')]
    };
    (1..=QUESTIONS).map(question).collect()
}

/// A question bank of the wide shape.
fn bank() -> String {
    let rows = canaries().into_iter().map(|words| format!("单选题,{},中等,A,{}\n", words[0], words[1..].join(",")));
    format!("\u{feff}题型,问题内容,难度,正确选项,A,B,C\n{}", rows.collect::<String>())
}

/// The package's paper, opened as nobody on site can before the code is spoken.
fn opened_paper(site: &Site, code: &str) -> anyhow::Result<Vec<u8>> {
    let mut package = Package::open(File::open(site.folder().package_file())?)?;
    let entry = package.manifest().papers[0].clone();
    let secret = paper::unwrap_key(&package.member(&entry.key)?, &site.age_identity()?, &UnlockCode::parse(code)?)?;
    let paper = paper::open_paper(&package.member(&entry.sealed)?, secret.expose())?;
    Ok(serde_json::to_vec(&paper)?)
}

/// Every seat has fetched its sealed paper. Each look asks the server for its status, so none is without a breath.
fn wait_for_sealed_papers(exam: &Small) -> anyhow::Result<()> {
    for _ in 0..LOOKS_MAX {
        exam.status()?;
        if exam.site.sealed_papers()? == usize::from(SEATS) {
            return Ok(());
        }
    }
    anyhow::bail!("the seats did not fetch their sealed papers")
}

/// Whoever carries away every disk of the site, and the package with it, reads no question.
fn nothing_can_be_read(folder: &Folder, sentences: &[String]) -> anyhow::Result<()> {
    for place in [folder.server(), folder.seats(), folder.package(), folder.logs()] {
        let (leaks, files) = search(&place, sentences)?;
        assert!(files > 0, "{} is empty: nothing was searched", place.display());
        assert_eq!(leaks, [], "questions can be read before the unlock code");
    }
    Ok(())
}

#[test]
fn no_file_of_server_or_seats_holds_a_question_before_the_unlock_code() -> anyhow::Result<()> {
    let sample = Sample { seats: SEATS, questions: QUESTIONS as u16, seed: 7 };
    let mut exam = small_exam(sample, Some(&bank()))?;
    let _seats = exam.seats_ready(SEATS)?;
    wait_for_sealed_papers(&exam)?;
    let sentences = canaries().concat();
    nothing_can_be_read(exam.site.folder(), &sentences)?;
    exam.site.kill_server()?;
    nothing_can_be_read(exam.site.folder(), &sentences)?;
    exam.site.start_server()?;
    nothing_can_be_read(exam.site.folder(), &sentences)?;

    // Negative control: where the sentences must be, the search finds every one of them.
    let everywhere =
        |found: Vec<exam_e2e::search::Leak>| found.into_iter().map(|leak| leak.sentence).collect::<BTreeSet<_>>().len();
    assert_eq!(
        everywhere(search(&exam.site.folder().input(), &sentences)?.0),
        sentences.len(),
        "HQ's own paper holds them all"
    );
    let control = tempfile::tempdir()?;
    std::fs::write(
        control.path().join("paper.json"),
        opened_paper(&exam.site, &exam.site.unlock_code(&exam.sitting)?)?,
    )?;
    assert_eq!(everywhere(search(control.path(), &sentences)?.0), sentences.len(), "the code opens the same paper");
    Ok(())
}

#[test]
fn the_site_s_keys_without_the_code_open_no_paper() -> anyhow::Result<()> {
    let exam = small_exam(Sample { seats: SEATS, questions: 3, seed: 8 }, None)?;
    let right = exam.site.unlock_code(&exam.sitting)?;
    let wrong = wrong_codes(&right);
    assert_eq!(wrong.len(), WRONG_CODES);
    let mut package = Package::open(File::open(exam.site.folder().package_file())?)?;
    let key = package.member(&package.manifest().papers[0].key.clone())?;
    let identity = exam.site.age_identity()?;
    let opened = |code: &String| paper::unwrap_key(&key, &identity, &UnlockCode::parse(code).unwrap()).is_ok();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let opening: usize = std::thread::scope(|scope| {
        let parts = wrong.chunks(WRONG_CODES.div_ceil(cores));
        let threads: Vec<_> =
            parts.map(|part| scope.spawn(|| part.iter().filter(|code| opened(code)).count())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(opening, 0, "a wrong code opened the paper");
    assert!(opened(&right) && opened_paper(&exam.site, &right).is_ok());
    Ok(())
}

/// Well-formed codes that are not the right one: its check symbol keeps mistyped ones away from the paper altogether.
fn wrong_codes(right: &str) -> Vec<String> {
    let others = (0..=WRONG_CODES as u16).map(|n| {
        let [high, low] = n.to_be_bytes();
        UnlockCode::from_random([high, low, 7, 31, 63, 99, low, high, 1, 2]).to_string()
    });
    others.filter(|code| code != right).take(WRONG_CODES).collect()
}
