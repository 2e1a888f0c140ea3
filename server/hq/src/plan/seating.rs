//! Who sits where: turns the rows of a roster into places in sittings. A row names a room, a session and a desk, or leaves
//! them open; open desks are given out in the order of the roster. Never seats two at one desk, never drops anybody.

use super::names_of;
use exam_content::{
    fault::{Faults, Findings, Place as FilePlace},
    fold,
    roster::RosterRow,
    table::Encoding,
};
use exam_protocol::ids::{AdmissionNo, SeatNo};
use exam_sealed::manifest::{Place, RoomPlan, RosterEntry, SittingPlan};
use std::collections::BTreeMap;

/// What one row asks for.
struct Wish<'a> {
    row: &'a RosterRow,
    room: &'a RoomPlan,
    sittings: Vec<&'a SittingPlan>,
}

struct Seating<'a> {
    file: &'a str,
    rooms: &'a [RoomPlan],
    sittings: &'a [SittingPlan],
    /// (sitting, desk) → who.
    taken: BTreeMap<(&'a str, SeatNo), &'a AdmissionNo>,
    entries: BTreeMap<&'a AdmissionNo, RosterEntry>,
    /// Candidates in the order of the roster.
    order: Vec<&'a AdmissionNo>,
    findings: Findings,
}

/// Gives every candidate a desk in each of their sittings.
///
/// # Errors
/// Every row that names an unknown room, session or desk, and every sitting with more candidates than desks.
pub(super) fn seat(
    rows: &[RosterRow],
    file: &str,
    rooms: &[RoomPlan],
    sittings: &[SittingPlan],
) -> Result<Vec<RosterEntry>, Faults> {
    let mut seating = Seating {
        file,
        rooms,
        sittings,
        taken: BTreeMap::new(),
        entries: BTreeMap::new(),
        order: Vec::new(),
        findings: Findings::default(),
    };
    let mut wishes = Vec::new();
    let mut homeless = Vec::new();
    for row in rows {
        seating.note_candidate(row);
        match seating.room_of(row) {
            Ok(Some(room)) => wishes.extend(seating.wish(row, room)),
            Ok(None) => homeless.push(row),
            Err(()) => {}
        }
    }
    let (named, open): (Vec<Wish<'_>>, Vec<Wish<'_>>) = wishes.into_iter().partition(|wish| wish.row.seat.is_some());
    named.iter().chain(&open).for_each(|wish| seating.place(wish));
    for row in homeless {
        seating.place_anywhere(row);
    }
    seating.finish()
}

impl<'a> Seating<'a> {
    fn note_candidate(&mut self, row: &'a RosterRow) {
        self.entries.entry(&row.admission_no).or_insert_with(|| {
            self.order.push(&row.admission_no);
            RosterEntry {
                admission_no: row.admission_no.clone(),
                name: row.name.clone(),
                id_number: row.id_number.clone(),
                places: Vec::new(),
                photo: None,
            }
        });
    }

    /// The room a row names, the only one there is, or `None` if any will do.
    fn room_of(&mut self, row: &RosterRow) -> Result<Option<&'a RoomPlan>, ()> {
        let rooms = self.rooms;
        let Some(named) = row.room_code.as_deref().or(row.room.as_deref()) else {
            return Ok(match rooms {
                [only] => Some(only),
                _ => None,
            });
        };
        let wanted = [row.room_code.as_deref(), row.room.as_deref()];
        let fits = |room: &&RoomPlan| {
            let known = [fold::word(room.room.as_str()), fold::word(&room.name)];
            wanted.iter().flatten().any(|name| known.contains(&fold::word(name)))
        };
        let room = rooms.iter().find(fits);
        if room.is_none() {
            let known = rooms.iter().map(|room| room.name.as_str()).collect::<Vec<_>>().join(", ");
            self.fault(
                row,
                format!("room {named} (考场) is not in the plan, which has {known}"),
                "correct the roster or the plan",
            );
        }
        room.map(Some).ok_or(())
    }

    fn wish(&mut self, row: &'a RosterRow, room: &'a RoomPlan) -> Option<Wish<'a>> {
        let sittings = self.sittings_of(row, room);
        if sittings.is_empty() {
            let what = row.session.as_deref().unwrap_or("of this subject");
            let problem = format!("room {} has no sitting {what} (场次) in the plan", room.name);
            self.fault(
                row,
                problem,
                "write the sitting's id or title as the plan has it, or leave 场次 and 科目 empty",
            );
            return None;
        }
        Some(Wish { row, room, sittings })
    }

    /// The sittings of a room that a row means: the one it names, those of its subject, or all.
    fn sittings_of(&self, row: &RosterRow, room: &RoomPlan) -> Vec<&'a SittingPlan> {
        let sittings = self.sittings;
        let named = |plan: &SittingPlan, session: &str| {
            names_of(plan).iter().any(|name| fold::word(name) == fold::word(session))
        };
        let fits = |plan: &&SittingPlan| {
            plan.room == room.room
                && row.session.as_deref().is_none_or(|session| named(plan, session))
                && row.subject.is_none_or(|subject| subject == plan.subject)
        };
        sittings.iter().filter(fits).collect()
    }

    fn place(&mut self, wish: &Wish<'a>) {
        let Some(seat) = wish.row.seat.or_else(|| self.free_desk(wish)) else {
            let (room, title) = (&wish.room.name, &wish.sittings[0].title);
            let problem = format!(
                "more candidates than desks: room {room} (考场) has {} for sitting {title}",
                wish.room.seats.len()
            );
            return self.fault(wish.row, problem, "use a larger room or move candidates to another one");
        };
        if !wish.room.seats.contains(&seat) {
            let problem = format!("room {} has no desk {seat} (考位) for candidates", wish.room.name);
            return self.fault(wish.row, problem, "correct the desk or the number of desks");
        }
        for sitting in &wish.sittings {
            self.take(wish.row, sitting, seat);
        }
    }

    fn take(&mut self, row: &'a RosterRow, sitting: &'a SittingPlan, seat: SeatNo) {
        let Some(entry) = self.entries.get_mut(&row.admission_no) else { return };
        if entry.places.iter().any(|place| place.sitting == sitting.sitting) {
            let problem = format!("this candidate already has a desk in sitting {}", sitting.title);
            return self.fault(row, problem, "delete one of the rows or write different sittings (场次) into them");
        }
        if self.taken.insert((sitting.sitting.as_str(), seat), &row.admission_no).is_some() {
            let problem = format!("desk {seat} (考位) is given to two candidates in sitting {}", sitting.title);
            return self.fault(row, problem, "give one of them another desk");
        }
        entry.places.push(Place { sitting: sitting.sitting.clone(), seat });
    }

    /// The candidate's own desk of another sitting in this room, or the first one free in all the sittings wished for.
    fn free_desk(&self, wish: &Wish<'_>) -> Option<SeatNo> {
        let is_free =
            |seat: &SeatNo| wish.sittings.iter().all(|plan| !self.taken.contains_key(&(plan.sitting.as_str(), *seat)));
        let own =
            self.entries.get(&wish.row.admission_no).into_iter().flat_map(|entry| &entry.places).find_map(|place| {
                let in_this_room =
                    self.sittings.iter().any(|plan| plan.sitting == place.sitting && plan.room == wish.room.room);
                (in_this_room && wish.room.seats.contains(&place.seat)).then_some(place.seat)
            });
        own.filter(is_free).or_else(|| wish.room.seats.iter().copied().find(is_free))
    }

    /// The roster names no room: the first one with a sitting and a desk left.
    fn place_anywhere(&mut self, row: &'a RosterRow) {
        let rooms = self.rooms;
        let with_desk = rooms.iter().find_map(|room| {
            let wish = Wish { row, room, sittings: self.sittings_of(row, room) };
            (!wish.sittings.is_empty() && self.free_desk(&wish).is_some()).then_some(wish)
        });
        match with_desk {
            Some(wish) => self.place(&wish),
            None => {
                let desks: usize = self.rooms.iter().map(|room| room.seats.len()).sum();
                let problem = format!(
                    "more candidates than desks: the rooms of the plan have {desks}, or no sitting fits this row"
                );
                self.fault(row, problem, "add a room, or correct 场次 and 科目");
            }
        }
    }

    fn fault(&mut self, row: &RosterRow, problem: String, remedy: &str) {
        let place = FilePlace { row: Some(row.row), ..FilePlace::file(self.file) };
        self.findings.fault(place, problem, remedy);
    }

    fn finish(mut self) -> Result<Vec<RosterEntry>, Faults> {
        let entries = self.order.iter().filter_map(|who| self.entries.remove(*who)).collect();
        Ok(self.findings.finish(entries, Encoding::Utf8, String::new())?.value)
    }
}
