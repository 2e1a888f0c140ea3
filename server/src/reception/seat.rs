//! What seats ask: a desk, signing in, saving, handing in; and what they are shown.

use super::{Identity, Reception, context, desk_text, done, password_tag};
use crate::clerk::No;
use exam_protocol::{
    code::{ErrorCode, Refusal},
    ids::{SealedBytes, Sha256, StationId},
    message::{
        candidate::{
            CandidateView, FetchAnswers, HandIn, HandedIn, Heard, Heartbeat, PaperKey, SaveAnswer, Saved, SeatView,
            SignIn, TakeSeat,
        },
        hello::{Enrol, Enrolled, Role},
    },
    tag::Down,
    time::Now,
};
use exam_room::{
    Reply, Site, Tell,
    rules::{answers, enrolment::EnrolStation, hand_in::GiveIn, seating::TakeDesk, sign_in::EnterNumber},
    view::Desk,
};
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::BTreeSet;

/// Longest host name kept, in bytes.
const HOST_BYTES_MAX: usize = 64;
/// Largest public key looked at, in bytes.
const PUBLIC_KEY_BYTES_MAX: usize = 512;
/// Longest password looked at, in bytes.
const PASSWORD_BYTES_MAX: usize = 256;

impl Reception {
    pub(super) async fn enrol(&self, enrol: Enrol) -> Result<Down, No> {
        let tag = self.code_tag(&enrol.code);
        let role = self.inner.clerk.read(move |site, _| site.codes.get(&tag).map(|code| code.role)).await?;
        let role = role.ok_or(Refusal::EnrolCodeInvalid)?;
        if enrol.public_key.len() > PUBLIC_KEY_BYTES_MAX {
            return Err(ErrorCode::OutOfPlace.into());
        }
        let station = station_of_key(role, &enrol.public_key)?;
        let certificate = self.keys().issue(&enrol.public_key, &station, role).map_err(|error| {
            tracing::warn!(%error, "a machine offered a key that cannot be certified");
            No::Error(ErrorCode::OutOfPlace)
        })?;
        let host: String = enrol.host.chars().filter(|c| !c.is_control()).take(HOST_BYTES_MAX / 4).collect();
        let ask = EnrolStation { tag, station: station.clone(), role, certificate: Sha256::of(&certificate), host };
        self.inner.clerk.ask(ask).await?;
        tracing::info!(%station, ?role, "a machine was enrolled");
        Ok(Enrolled { station, role, certificate }.into())
    }

    pub(super) fn code_tag(&self, typed: &str) -> Sha256 {
        let folded: String =
            typed.chars().filter(char::is_ascii_alphanumeric).take(64).collect::<String>().to_ascii_uppercase();
        Sha256::from_bytes(self.keys().at_rest().tag(context::ENROL_CODE, folded.as_bytes()))
    }

    pub(super) async fn take_seat(&self, station: StationId, wanted: TakeSeat) -> Result<Down, No> {
        done(self.inner.clerk.ask(TakeDesk { station, seat: wanted.seat }).await?)
    }

    pub(super) async fn sign_in(&self, station: StationId, wanted: SignIn) -> Result<Down, No> {
        if wanted.password.len() > PASSWORD_BYTES_MAX {
            return Err(Refusal::WrongNumberOrPassword.into());
        }
        let password_tag = password_tag(self.keys(), &wanted.admission_no, &wanted.password);
        let order_seed = u64::from_le_bytes(random()?);
        let ask = EnterNumber { station: station.clone(), admission_no: wanted.admission_no, password_tag, order_seed };
        let outcome = self.inner.clerk.ask(ask).await;
        match &outcome {
            Ok(_) => tracing::info!(%station, "a candidate signed in"),
            Err(no) => tracing::warn!(%station, %no, "a sign-in was refused"),
        }
        done(outcome?)
    }

    pub(super) async fn save_answer(&self, station: StationId, wanted: SaveAnswer) -> Result<Down, No> {
        let SaveAnswer { attempt, item, number, answer, made_at } = wanted;
        match self.inner.clerk.ask(answers::Save { station, attempt, item, number, answer, made_at }).await? {
            Reply::Saved { item, number } => Ok(Saved { item, number }.into()),
            other => done(other),
        }
    }

    pub(super) async fn fetch_answers(&self, station: StationId, wanted: FetchAnswers) -> Result<Down, No> {
        match self.inner.clerk.ask(answers::Recall { station, attempt: wanted.attempt, after: wanted.after }).await? {
            Reply::Answers(page) => Ok(page.into()),
            other => done(other),
        }
    }

    pub(super) async fn hand_in(&self, station: StationId, wanted: HandIn) -> Result<Down, No> {
        match self.inner.clerk.ask(GiveIn { station, attempt: wanted.attempt, newest: wanted.newest }).await? {
            Reply::HandedIn { receipt, at } => Ok(HandedIn { receipt, at }.into()),
            other => done(other),
        }
    }

    pub(super) fn heartbeat(&self, station: &StationId, beat: &Heartbeat) -> Down {
        let now = self.inner.clock.now();
        self.inner.presence.beat(station, now, beat);
        Heard { now }.into()
    }

    /// Shows every machine named in `tells` its desk, whole. The view comes last: a seat that has heard it since it connected
    /// knows everything and may ask, so that no hand is raised a second time because its fate was still on the way.
    pub fn show(&self, site: &Site, now: Now, tells: &BTreeSet<Tell>) {
        self.inner.board.stir();
        for Tell::Seat(station) in tells {
            if let Some(notes) = site.seat_notes(station, now.at) {
                self.inner.presence.push(station, notes.into());
            }
            if let Some(points) = self.seat_points(site, station, now) {
                self.inner.presence.push(station, points.into());
            }
            if let Some(desk) = site.desk(station, now.at) {
                self.show_words(site, station);
                self.inner.presence.push(station, self.seat_view(desk, now).into());
            }
        }
    }

    /// Opens what is sealed in a desk for the one machine that stands there.
    fn seat_view(&self, desk: Desk, now: Now) -> SeatView {
        let seat = desk_text(desk.seat.as_ref());
        let candidate = desk.candidate.and_then(|(admission_no, sealed)| {
            let identity = self.open_identity(&sealed).or_else(|| warn_sealed(&seat, "a candidate's identity"))?;
            Some(CandidateView { admission_no, id_masked: masked(&identity.id_number), name: identity.name })
        });
        let key = desk.release.zip(desk.sitting.as_ref()).and_then(|(sealed, sitting)| {
            let secret = self.open_text(context::PAPER_KEY, &sealed).or_else(|| warn_sealed(&seat, "a paper key"))?;
            Some(PaperKey { paper: sitting.paper.clone(), secret })
        });
        let attempt =
            desk.attempt.map(|attempt| exam_protocol::message::candidate::AttemptView { release: key, ..attempt });
        SeatView {
            now,
            station: desk.station,
            seat: desk.seat,
            room_name: desk.room_name,
            state: desk.state,
            sitting: desk.sitting,
            candidate,
            attempt,
            prefetch: desk.prefetch,
        }
    }

    pub(super) fn open_identity(&self, sealed: &SealedBytes) -> Option<Identity> {
        serde_json::from_str(&self.open_text(context::IDENTITY, sealed)?).ok()
    }

    pub(super) fn open_text(&self, context: &str, sealed: &SealedBytes) -> Option<String> {
        String::from_utf8(self.keys().at_rest().open(context, &sealed.0).ok()?).ok()
    }
}

fn warn_sealed<T>(seat: &str, what: &str) -> Option<T> {
    tracing::error!(seat, what, "a sealed value does not open with this site's key");
    None
}

/// All but the last four characters hidden (HB-15: the candidate recognises it, a neighbour does not).
pub(super) fn masked(id_number: &str) -> String {
    let count = id_number.chars().count();
    id_number.chars().enumerate().map(|(index, c)| if index + 4 < count { '*' } else { c }).collect()
}

/// The id of a machine follows from its key, so that asking again after a lost reply is the same machine.
fn station_of_key(role: Role, public_key: &[u8]) -> Result<StationId, No> {
    let prefix = match role {
        Role::Console => "console",
        Role::Station | Role::Guest | Role::Admin => "station",
    };
    let id = format!("{prefix}-{}", &Sha256::of(public_key).hex()[..16]);
    id.parse().map_err(|_| No::Error(ErrorCode::Internal))
}

/// Fresh randomness.
pub(super) fn random<const N: usize>() -> Result<[u8; N], No> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| No::Error(ErrorCode::Internal))?;
    Ok(bytes)
}
