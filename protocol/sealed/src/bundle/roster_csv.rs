//! `roster.csv`: who was expected and what became of them, for people with a spreadsheet. UTF-8 with BOM, or Excel shows
//! nonsense. Never lets a cell begin as a formula.

use super::{AttemptRecord, Person};
use exam_protocol::{code::SeatState, ids::AdmissionNo};
use std::collections::BTreeMap;

const HEAD: &str = "\u{FEFF}准考证号,姓名,证件号码,考位,状态\r\n";

/// The table, in the order of admission numbers.
pub(super) fn table(
    records: &BTreeMap<AdmissionNo, AttemptRecord>,
    people: &BTreeMap<AdmissionNo, Person>,
) -> Option<String> {
    let mut csv = HEAD.to_owned();
    for (admission_no, record) in records {
        let person = people.get(admission_no)?;
        let (name, id_number) = (cell(&person.name), cell(&person.id_number));
        csv.push_str(&format!("{admission_no},{name},{id_number},{},{}\r\n", record.seat, standing(record)));
    }
    Some(csv)
}

/// The line and the reason, if the table does not fit the records. Names and ID numbers are vouched for by the signature.
pub(super) fn difference(csv: &str, records: &BTreeMap<AdmissionNo, AttemptRecord>) -> Option<(usize, &'static str)> {
    let Some(body) = csv.strip_prefix(HEAD) else { return Some((1, "the header is another")) };
    let mut lines = body.split_terminator("\r\n");
    for (index, (admission_no, record)) in records.iter().enumerate() {
        let Some(line) = lines.next() else { return Some((index + 2, "the line is missing")) };
        if !line.starts_with(&format!("{admission_no},")) {
            return Some((index + 2, "the candidate is another than in answers/"));
        }
        if !line.ends_with(&format!(",{},{}", record.seat, standing(record))) {
            return Some((index + 2, "seat or state is another than in answers/"));
        }
    }
    lines.next().map(|_| (records.len() + 2, "the candidate has no file in answers/"))
}

/// How the attempt ended, and whether its result counts.
fn standing(record: &AttemptRecord) -> String {
    let word = state_word(record.state);
    if record.void.is_some() { format!("{word}；成绩无效") } else { word.to_owned() }
}

/// The word for people.
fn state_word(state: SeatState) -> &'static str {
    match state {
        SeatState::Waiting => "未登录",
        SeatState::SignedIn => "待核验",
        SeatState::Admitted => "已准入",
        SeatState::Working => "答题中",
        SeatState::Stopped => "已结束",
        SeatState::HandedIn => "已交卷",
        SeatState::Absent => "缺考",
        SeatState::Away => "暂离",
        SeatState::Paused => "已暂停",
        SeatState::Terminated => "已终止",
        SeatState::Denied => "未准入",
    }
}

/// One cell: one line, quoted where needed, with an apostrophe before what a spreadsheet would compute.
fn cell(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let harmless =
        if line.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) { format!("'{line}") } else { line };
    if harmless.contains([',', '"', '\'']) { format!("\"{}\"", harmless.replace('"', "\"\"")) } else { harmless }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_as_a_formula_or_breaks_the_line() {
        for (text, written) in [
            ("张三", "张三"),
            ("=1+1", "\"'=1+1\""),
            ("@x", "\"'@x\""),
            ("-", "\"'-\""),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("a\r\nb", "a  b"),
            ("\t=1", " =1"),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }
}
