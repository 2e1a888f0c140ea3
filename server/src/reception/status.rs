//! How everything stands, in one answer for consoles and the command line.

use super::{Presence, Reception};
use crate::{backup, clerk::No};
use anyhow::anyhow;
use exam_protocol::{
    code::SeatState,
    ids::StationId,
    message::{
        admin::{RoomStatus, SeatStatus, SiteStatus, StandingBackup},
        hello::Role,
    },
    plan::RoomPlan,
    tag::Down,
    time::Now,
};
use exam_room::Site;
use std::{path::Path, sync::PoisonError};

impl Reception {
    pub(super) async fn status(&self) -> Result<Down, No> {
        let presence = self.inner.presence.clone();
        let facts =
            crate::journal::JournalReader::open(self.inner.vault.dir()).and_then(|reader| reader.facts()).unwrap_or(0);
        let disk_free_bytes = self.disk_free();
        let backup = self.inner.backup.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let status = self.inner.clerk.read(move |site, now| SiteStatus {
            now,
            site_name: site.name.clone(),
            facts,
            disk_free_bytes,
            backup,
            stations_connected: presence.stations_connected() as u32,
            stations_enrolled: site.stations.values().filter(|station| station.role == Role::Station).count() as u32,
            rooms: site.rooms.values().map(|room| room_status(site, now, room, &presence)).collect(),
            sittings: site.sittings.values().map(|sitting| site.sitting_status(sitting, now.at)).collect(),
        });
        Ok(status.await?.into())
    }

    /// Brings the backup in `place` up to date, and remembers for the status how that went.
    pub(crate) async fn refresh_backup(&self, place: &Path) {
        let (began, to) = (self.inner.clock.now().at, place.to_owned());
        let copy = move |own: &Reception| Ok(backup::refresh(&own.inner.vault, &to));
        let copied = self.aside(copy).await.unwrap_or_else(|_| Err(anyhow!("the copying stopped")));
        let mut state = self.inner.backup.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = place.display().to_string();
        let (taken, facts) = state.as_ref().map_or((None, 0), |last| (last.taken, last.facts));
        *state = Some(match copied {
            Ok((facts, _)) => StandingBackup { dir, taken: Some(began), facts, failing: false },
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), dir, "the backup could not be brought up to date");
                StandingBackup { dir, taken, facts, failing: true }
            }
        });
    }

    /// Free bytes on the journal's disk.
    pub(crate) fn disk_free(&self) -> u64 {
        disk_free(self.inner.vault.dir())
    }
}

fn room_status(site: &Site, now: Now, room: &RoomPlan, presence: &Presence) -> RoomStatus {
    let seats = site.desks.iter().filter(|(desk, _)| desk.room == room.room);
    RoomStatus {
        room: room.room.clone(),
        name: room.name.clone(),
        seats: seats.filter_map(|(_, station)| seat_status(site, now, station, presence)).collect(),
    }
}

fn seat_status(site: &Site, now: Now, station: &StationId, presence: &Presence) -> Option<SeatStatus> {
    let desk = site.desk(station, now.at)?;
    let heard = presence.heard(station);
    let attempt = desk.attempt.as_ref().and_then(|view| site.attempts.get(&view.attempt));
    Some(SeatStatus {
        seat: desk.seat?,
        state: attempt.map_or(SeatState::Waiting, |attempt| site.attempt_state(attempt, now.at)),
        connected: heard.as_ref().is_some_and(|heard| heard.connected),
        last_heard: heard.as_ref().map(|heard| heard.at),
        unsaved: heard.map_or(0, |heard| heard.unsaved),
        answered: attempt.map_or(0, |attempt| attempt.answered() as u32),
        ends: attempt.and_then(|attempt| site.ends(attempt)),
    })
}

/// Free bytes on the disk that holds `dir`: the mount point that is the longest prefix of its path.
fn disk_free(dir: &Path) -> u64 {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let Ok(disks) = sysinfo::Disks::new_with_refreshed_list() else { return 0 };
    let own = disks.iter().filter(|disk| dir.starts_with(disk.mount_point()));
    own.max_by_key(|disk| disk.mount_point().as_os_str().len()).map_or(0, sysinfo::Disk::available_space)
}
