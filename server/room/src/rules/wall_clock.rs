//! Readings of both clocks (DESIGN §5, F-51, P6): when wall time has jumped, so that times of day in the records can be read rightly; and
//! every quiet minute of a sitting, because after a cut of the machine's power the last fact is all that tells how late it was at least. Never
//! changes anybody's time: rules know only the site's own timeline.

use crate::{
    Fact, Scope, Site,
    rule::{Happened, Wanted},
    rules::numbers::{QUIET_MS, WALL_JUMP_MS},
    state::Stage,
};
use exam_protocol::{code::Refusal, time::Now};
use serde::{Deserialize, Serialize};

/// The shell has looked at wall time and the machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct ReadClocks {
    /// By how much wall time moved beyond what had passed, milliseconds; negative when it was set back.
    pub by_ms: i64,
}

impl Wanted for ReadClocks {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let jumped = self.by_ms.unsigned_abs() > WALL_JUMP_MS;
        let running = || site.sittings.values().any(|sitting| matches!(sitting.stage, Stage::Running { .. }));
        let quiet = now.at.since(site.latest) >= QUIET_MS && running();
        Ok((jumped || quiet).then(|| ClocksRead { by_ms: self.by_ms }.into()).into_iter().collect())
    }
}

/// 时钟记录: what the wall clock said before and after this moment differs by so much more than the time that passed (系统时间跳变 beyond two
/// seconds).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClocksRead {
    /// Milliseconds; negative when it was set back.
    pub by_ms: i64,
}

impl Happened for ClocksRead {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, _: &mut Site, _: Now) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Ask,
        authority::Actor,
        rules::{package::PackageTaken, start::SittingStarted},
    };
    use exam_protocol::{
        ids::{SealedBytes, Sha256},
        paper::Subject,
        plan::{AdmissionPolicy, RuleOverrides, SittingPlan},
        time::{SiteMs, WallMs},
    };

    /// A site whose only sitting began at once.
    fn running(site: &mut Site) {
        let plan = SittingPlan {
            sitting: "s1".parse().unwrap(),
            title: "理论".to_owned(),
            room: "r1".parse().unwrap(),
            subject: Subject::Theory,
            level: "中级".to_owned(),
            paper: "p1".parse().unwrap(),
            planned_start: WallMs(0),
            duration_min: 90,
            admission: AdmissionPolicy::Automatic,
            hq_grants: Vec::new(),
            group_waits: false,
            mock: false,
        };
        let started = SittingStarted {
            sitting: plan.sitting.clone(),
            paper: plan.paper.clone(),
            secret: SealedBytes(Vec::new()),
            by: Actor { station: "admin-1".parse().unwrap(), account: None },
        };
        let package = PackageTaken {
            package: Sha256::of(b"x"),
            exam: "e1".parse().unwrap(),
            title: "t".to_owned(),
            hq_minisign: String::new(),
            hq_recipient: String::new(),
            rooms: Vec::new(),
            sittings: vec![plan],
            papers: Vec::new(),
            rules: RuleOverrides::default(),
            candidates: Vec::new(),
        };
        let facts: [Fact; 2] = [package.into(), started.into()];
        facts.iter().for_each(|fact| site.apply(Now::default(), fact));
    }

    #[test]
    fn a_quiet_minute_of_a_sitting_is_noted_and_no_other() {
        let mut site = Site::new("s1".parse().unwrap());
        let at = |ms| Now { at: SiteMs(ms), ..Now::default() };
        let noted = |site: &Site, ms| site.decide(at(ms), &ReadClocks { by_ms: 0 }.into()).unwrap().len();
        assert_eq!(noted(&site, 10 * QUIET_MS), 0, "nothing runs");
        running(&mut site);
        assert_eq!((noted(&site, QUIET_MS - 1), noted(&site, QUIET_MS)), (0, 1));
        site.apply(at(QUIET_MS), &ClocksRead { by_ms: 0 }.into());
        assert_eq!((noted(&site, 2 * QUIET_MS - 1), noted(&site, 2 * QUIET_MS)), (0, 1), "the next minute");
    }

    #[test]
    fn a_jump_is_recorded_beyond_two_seconds_either_way() {
        let site = Site::new("s1".parse().unwrap());
        for (by_ms, recorded) in
            [(0, false), (2_000, false), (2_001, true), (-2_000, false), (-2_001, true), (i64::MIN, true)]
        {
            let facts = site.decide(Now::default(), &Ask::ReadClocks(ReadClocks { by_ms })).unwrap();
            assert_eq!(facts.len(), usize::from(recorded), "{by_ms}");
        }
    }
}
