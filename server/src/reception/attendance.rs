//! Who is here, where and how: from messages to asks, and the notes a seat gets beside its view.
//! Never trusts a name without its password where an act takes two people.

use super::{Reception, done};
use crate::clerk::No;
use exam_protocol::{
    code::Refusal,
    grant::commitment,
    ids::StationId,
    message::{
        attendance::{
            AskAttendance, ConfirmIdentity, ConsentHandIn, DecideAttempt, Decision, DenyCandidate, Leave, LeaveStep,
            LossWord, LostTime, OrphanWish, Orphans, RollCall, RollEntry, SeatUnable, SwapMachine,
        },
        candidate::Saved,
    },
    tag::Down,
};
use exam_room::{
    Ask, Reply,
    rules::{absence, consent, deny, identity, leave, lost_time, orphan, swap, terminate, unable},
    state::Target,
};
use exam_sealed::code::UnlockCode;

impl Reception {
    pub(super) async fn deny_candidate(&self, by: StationId, wanted: DenyCandidate) -> Result<Down, No> {
        let DenyCandidate { attempt, reason } = wanted;
        self.plain(deny::DenyCandidate { attempt, reason, by }).await
    }

    pub(super) async fn confirm_identity(&self, station: StationId, wanted: ConfirmIdentity) -> Result<Down, No> {
        self.plain(identity::ConfirmIdentity { station, attempt: wanted.attempt }).await
    }

    pub(super) async fn leave(&self, by: StationId, wanted: Leave) -> Result<Down, No> {
        let attempt = wanted.attempt;
        match wanted.step {
            LeaveStep::Out { escort, reason } => self.plain(leave::LeaveOut { attempt, escort, reason, by }).await,
            LeaveStep::Back => self.plain(leave::LeaveBack { attempt, by }).await,
        }
    }

    /// A swap of a machine that is gone brings the server's last contact with it as evidence.
    pub(super) async fn swap_machine(&self, by: StationId, wanted: SwapMachine) -> Result<Down, No> {
        let SwapMachine { attempt, to, trouble_since, reason } = wanted;
        let old = self.inner.clerk.read(move |site, _| site.attempts.get(&attempt).map(|a| a.station.clone())).await?;
        let heard = old.and_then(|station| self.inner.presence.heard(&station));
        let last_contact = heard.as_ref().filter(|heard| !heard.connected).map(|heard| heard.at);
        let on_screen = heard.and_then(|heard| heard.item);
        tracing::info!(%by, seat = to.get(), "an attempt moves to another machine");
        self.plain(swap::SwapMachine { attempt, to, trouble_since, last_contact, on_screen, reason, by }).await
    }

    pub(super) async fn decide_attempt(&self, by: StationId, wanted: DecideAttempt) -> Result<Down, No> {
        let attempt = wanted.attempt;
        match wanted.decision {
            Decision::End { why, reason } => self.plain(terminate::EndAttempt { attempt, why, reason, by }).await,
            Decision::Reopen { minutes, reason, agreed } => {
                let agreed = self.proven(&by, agreed).await?;
                self.plain(terminate::ReopenAttempt { attempt, minutes, reason, agreed }).await
            }
        }
    }

    pub(super) async fn consent_hand_in(&self, by: StationId, wanted: ConsentHandIn) -> Result<Down, No> {
        let target = wanted.attempt.map_or(Target::Sitting, Target::Attempt);
        self.plain(consent::ConsentHandIn { sitting: wanted.sitting, target, by }).await
    }

    pub(super) async fn roll_call(&self, by: StationId, wanted: RollCall) -> Result<Down, No> {
        let sitting = wanted.sitting;
        match wanted.entry {
            RollEntry::Identity(check) => self.plain(identity::CheckIdentity { check, by }).await,
            RollEntry::Absent { candidates } => self.plain(absence::ConfirmAbsence { sitting, candidates, by }).await,
        }
    }

    pub(super) async fn orphans(&self, station: StationId, wanted: Orphans) -> Result<Down, No> {
        let attempt = wanted.attempt;
        let ask: Ask = match wanted.wish {
            OrphanWish::List { after } => orphan::ListOrphans { station, attempt, after }.into(),
            OrphanWish::Adopt { orphan, number } => orphan::AdoptOrphan { station, attempt, orphan, number }.into(),
            OrphanWish::Dismiss { orphan } => orphan::DismissOrphan { station, attempt, orphan }.into(),
        };
        match self.inner.clerk.ask(ask).await? {
            Reply::Orphans(page) => Ok(page.into()),
            Reply::Saved { item, number } => Ok(Saved { item, number }.into()),
            other => done(other),
        }
    }

    pub(super) async fn lost_time(&self, by: StationId, wanted: LostTime) -> Result<Down, No> {
        let sitting = wanted.sitting;
        match wanted.word {
            LossWord::Accept { proposal, minutes, agreed } => {
                let word = lost_time::GrantWord::OnSite(self.proven(&by, agreed).await?);
                self.plain(lost_time::AcceptProposal { sitting, proposal, minutes, word, by }).await
            }
            LossWord::AcceptByHq { proposal, minutes, code } => {
                let typed = UnlockCode::parse(&code).map_err(|_| Refusal::UnlockCodeMistyped)?;
                let word = lost_time::GrantWord::Hq(commitment(&sitting, minutes, &typed.folded()));
                self.plain(lost_time::AcceptProposal { sitting, proposal, minutes, word, by }).await
            }
            LossWord::Dismiss { proposal, reason } => {
                self.plain(lost_time::DismissProposal { sitting, proposal, reason, by }).await
            }
            LossWord::Contest { attempt, text } => self.plain(lost_time::ContestTime { attempt, text, by }).await,
            LossWord::Answer { attempt, text } => self.plain(lost_time::AnswerContest { attempt, text, by }).await,
        }
    }

    /// Evidence of a machine; people decide about time.
    pub(super) async fn seat_unable(&self, station: StationId, wanted: SeatUnable) -> Result<Down, No> {
        let SeatUnable { attempt, stretches } = wanted;
        self.plain(unable::TellUnable { station, attempt, stretches }).await
    }

    pub(super) async fn attendance(&self, wanted: AskAttendance) -> Result<Down, No> {
        let list = self.inner.clerk.read(move |site, now| site.attendance_list(&wanted.sitting, now));
        Ok(list.await??.into())
    }

    async fn plain(&self, ask: impl Into<Ask>) -> Result<Down, No> {
        done(self.inner.clerk.ask(ask).await?)
    }
}
