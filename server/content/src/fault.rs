//! What a reader found wrong or odd in a person's file: where it is, what it is, what to do about it.
//! Never repeats the content of a cell that may be personal: the place is enough to find it.

use crate::table::Encoding;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most faults reported for one file; what goes beyond is only counted.
pub const FAULTS_MAX: usize = 100;
/// Most warnings reported for one file; what goes beyond is only counted.
pub const WARNINGS_MAX: usize = 1_000;

/// A cell, a row or a whole sheet of a file. Rows and columns count from 1, as Excel shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// File name as the person gave it.
    pub file: String,
    /// Sheet, where the format has sheets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Row, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// Column, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

impl Place {
    /// The whole file.
    pub fn file(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }

    /// The name of the cell as Excel shows it, e.g. `C7`.
    pub fn cell(&self) -> Option<String> {
        Some(format!("{}{}", column_letters(self.column?), self.row?))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(sheet) = &self.sheet {
            write!(f, ", sheet {sheet}")?;
        }
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column {}", column_letters(column))?;
        }
        self.cell().map_or(Ok(()), |cell| write!(f, " (cell {cell})"))
    }
}

/// The letters over a column: 1 is `A`, 27 is `AA`.
pub fn column_letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// One thing found: a fault stops the import, a warning is for a person to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, " -> {}", self.remedy) }
    }
}

/// Why a file was not imported: every fault found, up to [`FAULTS_MAX`]. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub struct Faults {
    /// What must be put right.
    pub faults: Vec<Finding>,
    /// Faults beyond [`FAULTS_MAX`], counted only.
    pub more: usize,
    /// What else was noticed on the way.
    pub warnings: Vec<Finding>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        if self.more > 0 { write!(f, "\n… and {} more", self.more) } else { Ok(()) }
    }
}

/// What was read from a file, and what a person should know about how it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported<T> {
    /// What the file says.
    pub value: T,
    /// Odd things that did not stop the import.
    pub warnings: Vec<Finding>,
    /// How the bytes were read.
    pub encoding: Encoding,
    /// The sheet that was read; empty where the format has none.
    pub sheet: String,
}

/// Collects what a reader finds while it goes on reading, so that a person gets all of it at once.
#[derive(Debug, Default)]
pub struct Findings {
    faults: Vec<Finding>,
    more: usize,
    warnings: Vec<Finding>,
}

impl Findings {
    /// Notes what stops the import.
    pub fn fault(&mut self, place: Place, problem: impl Into<String>, remedy: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Finding { place, problem: problem.into(), remedy: remedy.into() });
        } else {
            self.more += 1;
        }
    }

    /// Notes what a person should look at.
    pub fn warn(&mut self, place: Place, problem: impl Into<String>, remedy: impl Into<String>) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(Finding { place, problem: problem.into(), remedy: remedy.into() });
        }
    }

    /// Whether nothing stops the import so far.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// The value with its warnings, or every fault.
    ///
    /// # Errors
    /// [`Faults`] if there was one fault or more: an import lands whole or not at all.
    pub fn finish<T>(self, value: T, encoding: Encoding, sheet: String) -> Result<Imported<T>, Faults> {
        if !self.faults.is_empty() {
            return Err(Faults { faults: self.faults, more: self.more, warnings: self.warnings });
        }
        Ok(Imported { value, warnings: self.warnings, encoding, sheet })
    }

    /// A refusal with one more fault: for what makes reading on pointless.
    pub fn refuse(mut self, place: Place, problem: impl Into<String>, remedy: impl Into<String>) -> Faults {
        self.fault(place, problem, remedy);
        Faults { faults: self.faults, more: self.more, warnings: self.warnings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_excel_shows() {
        for (column, letters) in
            [(1, "A"), (3, "C"), (26, "Z"), (27, "AA"), (52, "AZ"), (53, "BA"), (702, "ZZ"), (703, "AAA")]
        {
            assert_eq!(column_letters(column), letters);
        }
    }

    #[test]
    fn faults_beyond_the_cap_are_counted_not_kept() {
        let mut findings = Findings::default();
        for _ in 0..FAULTS_MAX + 5 {
            findings.fault(Place::file("a.csv"), "wrong", "right it");
        }
        let faults = findings.finish((), Encoding::Utf8, String::new()).unwrap_err();
        assert_eq!((faults.faults.len(), faults.more), (FAULTS_MAX, 5));
        assert!(faults.to_string().ends_with("… and 5 more"));
    }
}
