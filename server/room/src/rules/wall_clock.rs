//! The wall clock jumped (DESIGN §5, F-51): recorded, so that times of day in the records can be read rightly. Never changes
//! anybody's time: rules know only the site's own timeline.

use crate::{
    Fact, Scope, Site,
    rule::{Happened, Wanted},
    rules::numbers::WALL_JUMP_MS,
};
use exam_protocol::{code::Refusal, time::Now};
use serde::{Deserialize, Serialize};

/// The shell saw wall time and the machine's monotonic clock part.
#[derive(Clone, Copy, Debug)]
pub struct NoteWallJump {
    /// By how much wall time moved beyond what had passed, milliseconds; negative when it was set back.
    pub by_ms: i64,
}

impl Wanted for NoteWallJump {
    fn decide(&self, _: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let jumped = self.by_ms.unsigned_abs() > WALL_JUMP_MS;
        Ok(jumped.then(|| WallClockJumped { by_ms: self.by_ms }.into()).into_iter().collect())
    }
}

/// 系统时间跳变: what the wall clock said before and after this moment differs by so much more than the time that passed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WallClockJumped {
    /// Milliseconds; negative when it was set back.
    pub by_ms: i64,
}

impl Happened for WallClockJumped {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, _: &mut Site, _: Now) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ask;

    #[test]
    fn a_jump_is_recorded_beyond_two_seconds_either_way() {
        let site = Site::new("s1".parse().unwrap());
        for (by_ms, recorded) in
            [(0, false), (2_000, false), (2_001, true), (-2_000, false), (-2_001, true), (i64::MIN, true)]
        {
            let facts = site.decide(Now::default(), &Ask::NoteWallJump(NoteWallJump { by_ms })).unwrap();
            assert_eq!(facts.len(), usize::from(recorded), "{by_ms}");
        }
    }
}
