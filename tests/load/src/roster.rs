//! Who sits at which desk. Never holds more than the load needs: no names, no ID numbers.

use anyhow::{Context, bail, ensure};
use exam_protocol::ids::{AdmissionNo, RoomId, SeatNo, SeatRef};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

/// Largest roster file.
const ROSTER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// One line of the roster.
#[derive(Clone, Debug, Deserialize)]
struct Line {
    #[serde(alias = "准考证号")]
    admission_no: AdmissionNo,
    #[serde(alias = "考场")]
    room: RoomId,
    #[serde(alias = "考位号")]
    seat: SeatNo,
}

/// A candidate at a desk.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) admission_no: AdmissionNo,
    pub(crate) desk: SeatRef,
}

/// Which part of the roster is wanted.
pub(crate) struct Wanted<'a> {
    pub(crate) room: Option<&'a RoomId>,
    pub(crate) first_seat: u16,
    pub(crate) seats: u16,
}

/// Reads the roster and picks the desks. In one room `first_seat` is a desk number, across rooms a count.
pub(crate) fn read(path: &Path, wanted: &Wanted<'_>) -> anyhow::Result<Vec<Place>> {
    let bytes = exam_link::private_file::read_limited(path, ROSTER_BYTES_MAX)
        .with_context(|| format!("the roster {} cannot be read: give one with --roster", path.display()))?;
    let csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let lines = if csv { from_csv(&bytes) } else { serde_json::from_slice(&bytes).context("not the JSON of a roster") };
    pick(lines.with_context(|| path.display().to_string())?, wanted)
}

fn from_csv(bytes: &[u8]) -> anyhow::Result<Vec<Line>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    reader.deserialize().collect::<Result<_, _>>().context("not the CSV of a roster")
}

fn pick(lines: Vec<Line>, wanted: &Wanted<'_>) -> anyhow::Result<Vec<Place>> {
    let mut desks: BTreeMap<(RoomId, SeatNo), AdmissionNo> = BTreeMap::new();
    for line in lines {
        if wanted.room.is_none_or(|room| *room == line.room) {
            // A desk may have a candidate in each of several sittings: the first one sits.
            desks.entry((line.room, line.seat)).or_insert(line.admission_no);
        }
    }
    let Some((first_room, _)) = desks.keys().next() else { bail!("the roster has nobody in the wanted room") };
    let one_room = desks.keys().all(|(room, _)| room == first_room);
    let first = wanted.first_seat;
    let all = desks.into_iter().enumerate();
    let from_first = all.filter(
        |(count, ((_, seat), _))| if one_room { seat.get() >= first } else { *count + 1 >= usize::from(first) },
    );
    let place = |(_, ((room, seat), admission_no))| Place { admission_no, desk: SeatRef { room, seat } };
    let places: Vec<Place> = from_first.take(usize::from(wanted.seats)).map(place).collect();
    ensure!(
        places.len() == usize::from(wanted.seats),
        "the roster has {} candidates from desk {first} on, {} seats are wanted",
        places.len(),
        wanted.seats
    );
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(text: &str, name: &str, wanted: &Wanted<'_>) -> anyhow::Result<Vec<String>> {
        let dir = std::env::temp_dir().join(format!("exam-load-{}-{name}", std::process::id()));
        std::fs::write(&dir, text).unwrap();
        let places = read(&dir, wanted);
        std::fs::remove_file(&dir).unwrap();
        Ok(places?.into_iter().map(|place| format!("{} {}", place.desk, place.admission_no)).collect())
    }

    const ALL: Wanted<'static> = Wanted { room: None, first_seat: 1, seats: 2 };

    #[test]
    fn json_and_csv_with_chinese_columns_say_the_same() {
        let json = r#"[{"admission_no":"000002","room":"r1","seat":2,"name":"x"},{"admission_no":"000001","room":"r1","seat":1}]"#;
        let csv = "\u{feff}准考证号,考场,考位号\n000002,r1,2\n000001,r1,1\n";
        let both = [picked(json, "a.json", &ALL).unwrap(), picked(csv, "a.csv", &ALL).unwrap()];
        assert_eq!(both, [["r1/1 000001", "r1/2 000002"], ["r1/1 000001", "r1/2 000002"]]);
    }

    #[test]
    fn too_few_candidates_are_an_error_that_says_how_many_there_are() {
        let error = picked(r#"[{"admission_no":"000002","room":"r1","seat":2}]"#, "b.json", &ALL).unwrap_err();
        assert!(error.to_string().contains("1 candidates"), "{error}");
    }

    #[test]
    fn across_rooms_desks_are_counted_and_within_a_room_they_are_numbers() {
        let json = r#"[{"admission_no":"000001","room":"a","seat":5},{"admission_no":"000002","room":"b","seat":5},
                       {"admission_no":"000003","room":"b","seat":6}]"#;
        assert_eq!(picked(json, "c.json", &Wanted { first_seat: 2, ..ALL }).unwrap(), ["b/5 000002", "b/6 000003"]);
        let room: RoomId = "b".parse().unwrap();
        let wanted = Wanted { room: Some(&room), first_seat: 6, seats: 1 };
        assert_eq!(picked(json, "d.json", &wanted).unwrap(), ["b/6 000003"]);
    }
}
