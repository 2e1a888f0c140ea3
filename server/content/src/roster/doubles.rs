//! Candidates and desks that appear twice in a roster.
//! Never says a name or a number: both rows are named, that is enough to find them.

use super::{RosterRow, Want};
use crate::{fault::Findings, header::Header, table::Sheet};
use std::collections::BTreeMap;

/// Where two rows clash, and over what.
struct Clash<'a> {
    sheet: &'a Sheet,
    header: &'a Header,
    first: u32,
    second: u32,
}

impl Clash<'_> {
    fn report(&self, want: Want, problem: &str, remedy: &str, findings: &mut Findings) {
        let row = (self.second - 1) as usize;
        let place = self
            .header
            .column(want as usize)
            .map_or_else(|| self.sheet.at_row(row), |column| self.sheet.at(row, column));
        findings.fault(place, format!("rows {} and {}: {problem}", self.first, self.second), remedy);
    }
}

/// A session as the key of what must be unique in it.
type Session<'a> = Option<&'a str>;

/// Checks that nobody is there twice in one session, that a number is one person's, and that a desk is one candidate's.
pub(super) fn check(sheet: &Sheet, header: &Header, rows: &[RosterRow], findings: &mut Findings) {
    let mut by_number: BTreeMap<&str, &RosterRow> = BTreeMap::new();
    let mut by_id: BTreeMap<&str, &RosterRow> = BTreeMap::new();
    let mut entries: BTreeMap<(&str, Session<'_>), u32> = BTreeMap::new();
    let mut desks: BTreeMap<(Session<'_>, Option<&str>, u16), u32> = BTreeMap::new();
    for row in rows {
        let clash = |first: u32| Clash { sheet, header, first, second: row.row };
        let session = row.session.as_deref();
        if let Some(first) = entries.insert((row.admission_no.as_str(), session), row.row) {
            clash(first).report(
                Want::AdmissionNo,
                "the same admission number (准考证号), a duplicate candidate",
                "delete one of the rows",
                findings,
            );
            continue;
        }
        let same_number = *by_number.entry(row.admission_no.as_str()).or_insert(row);
        if same_number.id_number != row.id_number || same_number.name != row.name {
            let problem = "one admission number (准考证号) with two names or ID numbers";
            clash(same_number.row).report(Want::AdmissionNo, problem, "correct the wrong row", findings);
            continue;
        }
        let same_id = *by_id.entry(row.id_number.as_str()).or_insert(row);
        if same_id.admission_no != row.admission_no {
            let problem = "the same ID number (证件号码) with two admission numbers, a duplicate candidate";
            clash(same_id.row).report(Want::IdNumber, problem, "delete or correct one of the rows", findings);
            continue;
        }
        if let Some(seat) = row.seat
            && let Some(first) =
                desks.insert((session, row.room.as_deref().or(row.room_code.as_deref()), seat.get()), row.row)
        {
            clash(first).report(
                Want::Seat,
                "two candidates at one desk (考位号) of the same room and session",
                "give one another desk",
                findings,
            );
        }
    }
}
