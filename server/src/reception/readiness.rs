//! Readiness of a room on the wire: seat reports, seal, check-list, backup papers, mock sittings.
//! Never lets a backup paper's key out before its own code has opened the paper itself.

use super::{Reception, done, office::Locked};
use crate::clerk::No;
use exam_protocol::{
    code::Refusal,
    ids::{PaperId, SeatNo, SittingId, StationId},
    message::{
        candidate::AttemptId,
        readiness::{
            AskReadiness, BackupRequestView, ConfirmCheck, ItemView, Readiness, RequestBackupPaper, ResetMock,
            SealBroken, SealCheckView, SealRoom, SealSigned, SealView, SeatReport, TickItem, UntickItem,
            UseBackupPaper, WithdrawCheck,
        },
    },
    seal::CheckStanding,
    staff::Act,
    tag::Down,
    time::Now,
};
use exam_room::{
    Site,
    rules::{backup_paper, checklist, mock, seal},
    state::{Check, SealState, Sitting, Target},
};
use exam_sealed::code::UnlockCode;

/// Checks of desks shown at once, so that a room of any size fits one frame.
const CHECKS_SHOWN_MAX: usize = 2_000;

impl Reception {
    pub(super) async fn seat_report(&self, station: StationId, report: SeatReport) -> Result<Down, No> {
        if report.lock_ok == Some(true) {
            self.inner.presence.claims_lock(&station);
        }
        done(self.inner.clerk.ask(seal::ReportSeat { station, report }).await?)
    }

    pub(super) async fn confirm_check(&self, by: StationId, wanted: ConfirmCheck) -> Result<Down, No> {
        let ConfirmCheck { sitting, check, seat, note } = wanted;
        done(self.inner.clerk.ask(seal::ConfirmCheck { sitting, check, seat, note, by }).await?)
    }

    pub(super) async fn withdraw_check(&self, by: StationId, wanted: WithdrawCheck) -> Result<Down, No> {
        let WithdrawCheck { sitting, check, seat, reason } = wanted;
        done(self.inner.clerk.ask(seal::WithdrawCheck { sitting, check, seat, reason, by }).await?)
    }

    pub(super) async fn seal_room(&self, by: StationId, wanted: SealRoom) -> Result<Down, No> {
        let signed = self.proven(&by, wanted.signatures).await?;
        let sitting = wanted.sitting;
        let reply = self.inner.clerk.ask(seal::SealRoom { sitting: sitting.clone(), signed, by }).await?;
        tracing::info!(%sitting, "the room is sealed");
        done(reply)
    }

    pub(super) async fn tick_item(&self, by: StationId, wanted: TickItem) -> Result<Down, No> {
        let TickItem { sitting, item, note } = wanted;
        done(self.inner.clerk.ask(checklist::Tick { sitting, item, note, by }).await?)
    }

    pub(super) async fn untick_item(&self, by: StationId, wanted: UntickItem) -> Result<Down, No> {
        let UntickItem { sitting, item, reason } = wanted;
        done(self.inner.clerk.ask(checklist::Untick { sitting, item, reason, by }).await?)
    }

    pub(super) async fn reset_mock(&self, by: StationId, wanted: ResetMock) -> Result<Down, No> {
        done(self.inner.clerk.ask(mock::ResetMock { sitting: wanted.sitting, by }).await?)
    }

    pub(super) async fn request_backup(&self, by: StationId, wanted: RequestBackupPaper) -> Result<Down, No> {
        let RequestBackupPaper { sitting, reason } = wanted;
        done(self.inner.clerk.ask(backup_paper::RequestBackup { sitting, reason, by }).await?)
    }

    /// As at the start: the code is tried on the wrapped key and the key on the paper before the room hears of it.
    pub(super) async fn use_backup(&self, by: StationId, wanted: UseBackupPaper) -> Result<Down, No> {
        let UseBackupPaper { sitting, seat, paper, code, reason } = wanted;
        let (asks, act) = (by.clone(), backup_act(seat));
        self.inner.clerk.read(move |site, _| site.actor(&asks, act).map(drop)).await??;
        let Ok(code) = UnlockCode::parse(&code) else {
            self.wrong_code(&sitting, by).await?;
            return Err(Refusal::UnlockCodeMistyped.into());
        };
        let (locked, target) = self.locked_backup(&sitting, &paper, seat).await?;
        let secret = match self.aside(move |own| own.unlock(&locked, &code)).await {
            Err(No::Refusal(Refusal::WrongUnlockCode { .. })) => {
                let tries = self.wrong_code(&sitting, by).await?;
                return Err(Refusal::WrongUnlockCode { tries }.into());
            }
            other => other?,
        };
        let ask = backup_paper::UseBackupPaper { sitting: sitting.clone(), target, paper, secret, reason, by };
        let reply = self.inner.clerk.ask(ask).await?;
        tracing::warn!(%sitting, "a backup paper is in use");
        done(reply)
    }

    async fn locked_backup(
        &self,
        sitting: &SittingId,
        paper: &PaperId,
        seat: Option<SeatNo>,
    ) -> Result<(Locked, Target), No> {
        let (id, paper) = (sitting.clone(), paper.clone());
        let found = self.inner.clerk.read(move |site, _| {
            let sitting = site.sitting(&id)?;
            site.fits_phase(sitting, backup_act(seat))?;
            let target =
                seat.map_or(Ok(Target::Sitting), |seat| attempt_of(site, sitting, seat).map(Target::Attempt))?;
            let fits = site.backups_of(sitting).any(|backup| *backup == paper);
            let on_site = site.papers.get(&paper).filter(|_| fits);
            let on_site = on_site.ok_or_else(|| Refusal::PaperUnknown { paper: paper.clone() })?;
            let locked = Locked { paper, sealed: on_site.sealed.hash, wrapped: on_site.wrapped_key };
            Ok::<_, Refusal>((locked, target))
        });
        Ok(found.await??)
    }

    pub(super) async fn readiness(&self, wanted: AskReadiness) -> Result<Down, No> {
        let shown =
            self.inner.clerk.read(move |site, now| Ok::<_, Refusal>(view(site, site.sitting(&wanted.sitting)?, now)));
        Ok(shown.await??.into())
    }
}

fn backup_act(seat: Option<SeatNo>) -> Act {
    if seat.is_some() { Act::UseBackupPaperAtSeat } else { Act::UseBackupPaper }
}

/// The attempt that holds a desk of a sitting.
fn attempt_of(site: &Site, sitting: &Sitting, seat: SeatNo) -> Result<AttemptId, Refusal> {
    let mut there = site.attempts_of(sitting.id()).filter(|attempt| attempt.seat == seat);
    there.next().map(|attempt| attempt.id).ok_or(Refusal::AttemptUnknown)
}

fn view(site: &Site, sitting: &Sitting, now: Now) -> Readiness {
    let request =
        |asked: &exam_room::state::BackupRequest| BackupRequestView { at: asked.at, reason: asked.reason.clone() };
    Readiness {
        now,
        sitting: sitting.plan.sitting.clone(),
        phase: sitting.phase(),
        mock: sitting.plan.mock,
        seal: seal_view(site, sitting),
        items: site.checklist(sitting, now).into_iter().map(|one| item_view(sitting, one)).collect(),
        backup_papers: site.backups_of(sitting).cloned().collect(),
        backup_in_use: sitting.backup.of_all.clone(),
        backup_requests: sitting.backup.requests.iter().map(request).collect(),
    }
}

fn item_view(sitting: &Sitting, one: exam_room::state::ItemNow) -> ItemView {
    let ticked = sitting.ticked.get(&one.item);
    ItemView {
        item: one.item,
        standing: one.standing,
        by: ticked.and_then(|ticked| ticked.by.account.clone()),
        at: ticked.map(|ticked| ticked.at),
        due_since_s: one.due_since_ms.map(|ms| ms.div_euclid(1_000)),
    }
}

fn seal_view(site: &Site, sitting: &Sitting) -> SealView {
    let checks = site.seal_checks(sitting);
    let missing = checks.iter().filter(|check| !check.standing.is_met()).count() as u32;
    let worth_showing = |check: &Check| check.seat.is_none() || check.standing != CheckStanding::Measured;
    let shown = checks.into_iter().filter(worth_showing).take(CHECKS_SHOWN_MAX);
    let confirmed_by = |check: &Check| sitting.seal.confirmed.get(&(check.check, check.seat))?.by.account.clone();
    let (signed, broken) = match &sitting.seal.state {
        SealState::Open => (None, None),
        SealState::Intact { administrator, staff, at } => {
            (Some(SealSigned { administrator: administrator.clone(), staff: staff.clone(), at: *at }), None)
        }
        SealState::Broken { why, at } => (None, Some(SealBroken { why: why.clone(), at: *at })),
    };
    SealView {
        required: site.seal_required(sitting),
        signed,
        broken,
        seats: site.seal_seats(sitting).len() as u32,
        missing,
        checks: shown
            .map(|check| SealCheckView {
                check: check.check,
                seat: check.seat,
                standing: check.standing,
                by: (check.standing == CheckStanding::Confirmed).then(|| confirmed_by(&check)).flatten(),
            })
            .collect(),
    }
}
