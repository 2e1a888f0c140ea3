//! The clock (HB-25, 26, 27): desks become attempts, proofs become accounts, HQ's code becomes its hash; the core judges.

use crate::{
    clerk::No,
    reception::{Reception, done},
};
use exam_protocol::{
    code::Refusal,
    grant::commitment,
    ids::{SittingId, StationId},
    message::duty::{
        CutDecision, ExtendByHqCode, ExtendTime, RunClock, SittingReason, StopCause, StopClock, StopEverywhere,
        TakeOutStretch, TimeCall, Whose,
    },
    staff::Act,
    tag::Down,
};
use exam_room::{
    rules::{call_off, extension, pause, power_cut},
    state::{PauseCause, Target},
};
use exam_sealed::code::UnlockCode;

impl Reception {
    pub(in crate::reception) async fn time_call(&self, by: StationId, wanted: TimeCall) -> Result<Down, No> {
        match wanted {
            TimeCall::Extend(wanted) => self.extend(by, wanted).await,
            TimeCall::ExtendByHq(wanted) => self.extend_by_hq(by, wanted).await,
            TimeCall::Stop(StopClock { sitting, whose, cause, reason }) => {
                let act = if whose == Whose::All { Act::PauseSitting } else { Act::PauseSeat };
                let target = self.target_for(&by, act, &sitting, whose).await?;
                let ask = pause::StopClock { sitting, target, cause: cause_of(cause), reason, by };
                done(self.inner.clerk.ask(ask).await?)
            }
            TimeCall::Run(RunClock { sitting, whose }) => {
                let act = if whose == Whose::All { Act::ResumeSitting } else { Act::ResumeSeat };
                let target = self.target_for(&by, act, &sitting, whose).await?;
                done(self.inner.clerk.ask(pause::RunClock { sitting, target, by }).await?)
            }
            TimeCall::TakeOut(TakeOutStretch { sitting, whose, from, to, cause, reason }) => {
                let target = self.target_for(&by, Act::PauseSitting, &sitting, whose).await?;
                let ask = pause::TakeOut { sitting, target, from, to, cause: cause_of(cause), reason, by };
                done(self.inner.clerk.ask(ask).await?)
            }
            TimeCall::StopAll(StopEverywhere { cause, reason }) => {
                done(self.inner.clerk.ask(pause::StopEverywhere { cause: cause_of(cause), reason, by }).await?)
            }
            TimeCall::RunAll => done(self.inner.clerk.ask(pause::RunEverywhere { by }).await?),
            TimeCall::DecideCut(CutDecision { sitting, counts, reason }) => {
                done(self.inner.clerk.ask(power_cut::DecideCut { sitting, counts, reason, by }).await?)
            }
            TimeCall::CallOff(SittingReason { sitting, reason }) => {
                done(self.inner.clerk.ask(call_off::CallOff { sitting, reason, by }).await?)
            }
        }
    }

    async fn extend(&self, by: StationId, wanted: ExtendTime) -> Result<Down, No> {
        let ExtendTime { sitting, whose, minutes, reason, approvals } = wanted;
        let agreed = self.proven(&by, approvals).await?;
        let target = self.target(&sitting, whose).await?;
        done(self.inner.clerk.ask(extension::Extend { sitting, target, minutes, reason, agreed, by }).await?)
    }

    async fn extend_by_hq(&self, by: StationId, wanted: ExtendByHqCode) -> Result<Down, No> {
        let ExtendByHqCode { sitting, whose, minutes, reason, code } = wanted;
        let typed = UnlockCode::parse(&code).map_err(|_| Refusal::UnlockCodeMistyped)?;
        let code = commitment(&sitting, minutes, &typed.folded());
        let target = self.target_for(&by, Act::ExtendByHq, &sitting, whose).await?;
        done(self.inner.clerk.ask(extension::ExtendByHq { sitting, target, minutes, reason, code, by }).await?)
    }

    /// Whose clock, for who may do `act`; who may not hears that first, and learns nothing of the desk.
    async fn target_for(&self, by: &StationId, act: Act, sitting: &SittingId, whose: Whose) -> Result<Target, No> {
        let by = by.clone();
        self.inner.clerk.read(move |site, _| site.actor(&by, act).map(drop)).await??;
        self.target(sitting, whose).await
    }

    /// A desk's number is what people say; an attempt is what the clock belongs to.
    async fn target(&self, sitting: &SittingId, whose: Whose) -> Result<Target, No> {
        match whose {
            Whose::All => Ok(Target::Sitting),
            Whose::Seat(seat) => {
                let sitting = sitting.clone();
                let attempt = self.inner.clerk.read(move |site, _| site.attempt_on_desk(&sitting, seat)).await??;
                Ok(Target::Attempt(attempt))
            }
        }
    }
}

fn cause_of(cause: StopCause) -> PauseCause {
    match cause {
        StopCause::PowerCut => PauseCause::PowerCut,
        StopCause::Machine => PauseCause::Machine,
        StopCause::Network => PauseCause::Network,
        StopCause::Environment => PauseCause::Environment,
        StopCause::Illness => PauseCause::Illness,
        StopCause::Other => PauseCause::Other,
    }
}
