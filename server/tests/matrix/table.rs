//! Reads the two tables: messages by machine, person and phase; and the rules' acts by role. Knows nothing of the wire.

use super::site::PHASES;
use exam_protocol::{message::hello::Role, staff::StaffRole};
use std::{fs, path::PathBuf};

/// Said instead of a refusal's code.
pub(crate) const ANSWERED: &str = "✓";
const MACHINES: [Role; 4] = [Role::Guest, Role::Station, Role::Console, Role::Admin];

/// One line: a message, or one kind of it.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// The one machine role the line is about; every other line of the name is for the rest.
    pub(crate) only: Option<Role>,
    pub(crate) roles: Vec<Role>,
    /// The act a person needs, `somebody` for any person, `-` for none.
    pub(crate) takes: String,
    /// Whether asking twice is answered twice.
    pub(crate) again: bool,
    /// What is heard by who may, phase by phase.
    pub(crate) outcomes: Vec<String>,
}

pub(crate) struct Table {
    head: String,
    pub(crate) rows: Vec<Row>,
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tables/messages.txt")
}

fn role(word: &str) -> Role {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).expect("a machine's role")
}

impl Table {
    pub(crate) fn read() -> Table {
        let text = fs::read_to_string(path()).expect("tests/tables/messages.txt");
        let (head, rows): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
        let rows = rows.iter().filter(|line| !line.trim().is_empty()).map(|line| read_row(line)).collect();
        Table { head: head.join("\n"), rows }
    }

    /// The line for this speaker's machine, where it has one of its own.
    pub(crate) fn row(&self, name: &str, speaker: super::Speaker) -> Option<&Row> {
        let mut named = self.rows.iter().filter(|row| row.name == name);
        let own = self.rows.iter().find(|row| row.name == name && row.only == Some(speaker.machine()));
        own.or_else(|| named.find(|row| row.only.is_none()))
    }

    pub(crate) fn write(&self) {
        let mut text = format!("{}\n", self.head);
        for row in &self.rows {
            let only = row.only.map(|role| format!("@{}", super::code(&role))).unwrap_or_default();
            let marks = MACHINES.map(|role| if row.roles.contains(&role) { "✓" } else { "·" }).join(" ");
            let again = if row.again { "again" } else { "once" };
            let name = format!("{}{only}", row.name);
            let outcomes: String = row.outcomes.iter().map(|outcome| format!("  {outcome:<20}")).collect();
            text += format!("{name:<30}  {marks}  {:<24}  {again:<5}{outcomes}", row.takes).trim_end();
            text.push('\n');
        }
        fs::write(path(), text).unwrap();
    }
}

fn read_row(line: &str) -> Row {
    // A name may hold one blank: everything before the first mark.
    let at = line.find(['·', '✓']).unwrap_or_else(|| panic!("no marks in {line:?}"));
    let (name, rest) = line.split_at(at);
    let words: Vec<&str> = rest.split_whitespace().collect();
    assert_eq!(words.len(), MACHINES.len() + 2 + PHASES.len(), "columns of {line:?}");
    let (marks, rest) = words.split_at(MACHINES.len());
    let (name, only) = name.trim().split_once('@').map_or((name.trim(), None), |(name, only)| (name, Some(role(only))));
    let may = MACHINES.into_iter().zip(marks).filter(|(_, mark)| **mark == ANSWERED).map(|(role, _)| role);
    let again = match rest[1] {
        "again" => true,
        "once" => false,
        other => panic!("{other:?} in {line:?} is neither again nor once"),
    };
    Row {
        name: name.to_owned(),
        only,
        roles: may.collect(),
        takes: rest[0].to_owned(),
        again,
        outcomes: rest[2..].iter().map(|word| (*word).to_owned()).collect(),
    }
}

/// Act × role, as the rules' own table has it.
pub(crate) struct Authority {
    columns: Vec<String>,
    rows: Vec<(String, Vec<bool>)>,
}

impl Authority {
    pub(crate) fn read() -> Authority {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("room/tests/tables/authority.txt");
        let text = fs::read_to_string(path).unwrap();
        let mut lines = text.lines().skip(1);
        let columns = lines.next().unwrap().split_whitespace().map(str::to_owned).collect();
        let row = |line: &str| {
            let mut words = line.split_whitespace();
            let act = words.next()?.to_owned();
            Some((act, words.map(|mark| mark == ANSWERED).collect()))
        };
        Authority { columns, rows: lines.map_while(row).collect() }
    }

    pub(crate) fn knows(&self, act: &str) -> bool {
        self.rows.iter().any(|(known, _)| known == act)
    }

    pub(crate) fn may(&self, act: &str, role: StaffRole) -> bool {
        let word = super::code(&role);
        let column = self.columns.iter().position(|column| *column == word).expect("a column of authority.txt");
        let (_, marks) = self.rows.iter().find(|(known, _)| known == act).unwrap_or_else(|| panic!("no act {act}"));
        marks[column]
    }
}
