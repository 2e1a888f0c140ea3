//! Two subjects, one result (HB-06): theory 30 %, practical 70 %, pass from 60 of 100.
//! The rounding rule: each part is taken as the exact fraction points / full points; the weighted total is rounded once,
//! half up to 0.1 of the 100-point scale; the pass line is held against the rounded number, the one that is printed.

use serde::Serialize;

/// HB-06: weight of theory (理论), in percent.
pub const THEORY_WEIGHT: u64 = 30;
/// HB-06: weight of practical work (实操), in percent.
pub const PRACTICAL_WEIGHT: u64 = 70;
const _: () = assert!(THEORY_WEIGHT + PRACTICAL_WEIGHT == 100);
/// HB-06: the pass line, in tenths of the 100-point scale.
pub const PASS_TENTHS: u64 = 600;

/// What is known of a candidate in one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Sat it, and every mark is there.
    Marked(Part),
    /// Sat it, and people have marks to give; what the machine gave so far.
    Pending(Part),
    /// 缺考.
    Absent,
    /// 成绩无效 (HB-29).
    Void,
    /// No result of this subject was handed in.
    Missing,
}

/// Points and full points of one subject, both in tenths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What was given.
    pub points_tenths: u64,
    /// What could be given.
    pub max_tenths: u64,
}

/// What becomes of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// 合格.
    Passed {
        /// Weighted total, tenths of the 100-point scale.
        total_tenths: u64,
    },
    /// 不合格.
    Failed {
        /// Weighted total, tenths of the 100-point scale.
        total_tenths: u64,
    },
    /// 缺考 in a subject: there is no total.
    Absent,
    /// 成绩无效 in a subject: there is no total.
    Void,
    /// 待定: a subject is missing or has marks to be given by people.
    Pending,
}

/// One part on the 100-point scale, in tenths, half up; 0 of a paper without points is 0.
pub fn percent_tenths(part: Part) -> u64 {
    half_up(u128::from(part.points_tenths) * 1_000, u128::from(part.max_tenths))
}

/// The result of two subjects. Void outweighs absent, absent outweighs pending: what is certain is said first.
pub fn combine(theory: Presence, practical: Presence) -> Outcome {
    use Presence::{Absent, Marked, Missing, Pending, Void};
    match (theory, practical) {
        (Void, _) | (_, Void) => Outcome::Void,
        (Absent, _) | (_, Absent) => Outcome::Absent,
        (Pending(_) | Missing, _) | (_, Pending(_) | Missing) => Outcome::Pending,
        (Marked(theory), Marked(practical)) => judged(weighted(theory, practical)),
    }
}

fn judged(total_tenths: u64) -> Outcome {
    if total_tenths >= PASS_TENTHS { Outcome::Passed { total_tenths } } else { Outcome::Failed { total_tenths } }
}

fn weighted(theory: Part, practical: Part) -> u64 {
    let (t, p) = (theory, practical);
    let (t_max, p_max) = (u128::from(t.max_tenths.max(1)), u128::from(p.max_tenths.max(1)));
    let top = u128::from(THEORY_WEIGHT) * u128::from(t.points_tenths) * p_max
        + u128::from(PRACTICAL_WEIGHT) * u128::from(p.points_tenths) * t_max;
    half_up(top * 10, t_max * p_max)
}

fn half_up(top: u128, bottom: u128) -> u64 {
    if bottom == 0 {
        return 0;
    }
    u64::try_from((top * 2 + bottom) / (bottom * 2)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(points: u64, max: u64) -> Presence {
        Presence::Marked(Part { points_tenths: points, max_tenths: max })
    }

    #[test]
    fn the_total_is_weighted_rounded_once_and_held_against_60() {
        let passed = |total_tenths| Outcome::Passed { total_tenths };
        let failed = |total_tenths| Outcome::Failed { total_tenths };
        for (theory, practical, wanted) in [
            (part(1000, 1000), part(1000, 1000), passed(1000)),
            (part(600, 1000), part(600, 1000), passed(600)),
            (part(0, 1000), part(857, 1000), passed(600)),   // 59.99
            (part(0, 1000), part(856, 1000), failed(599)),   // 59.92
            (part(400, 400), part(428, 1000), passed(600)),  // 59.96
            (part(598, 1000), part(600, 1000), failed(599)), // 59.94
            (part(0, 0), part(1000, 1000), passed(700)),
        ] {
            assert_eq!(combine(theory, practical), wanted, "{theory:?} with {practical:?}");
        }
    }

    #[test]
    fn what_is_certain_outweighs_what_is_open() {
        let (good, open) = (part(1000, 1000), Presence::Pending(Part::default()));
        for (theory, practical, wanted) in [
            (Presence::Void, Presence::Absent, Outcome::Void),
            (Presence::Absent, open, Outcome::Absent),
            (good, Presence::Absent, Outcome::Absent),
            (good, open, Outcome::Pending),
            (good, Presence::Missing, Outcome::Pending),
        ] {
            assert_eq!(combine(theory, practical), wanted);
            assert_eq!(combine(practical, theory), wanted, "subjects are judged alike");
        }
    }

    proptest! {
        #[test]
        fn no_total_is_above_100(t in 0_u64..10_000, p in 0_u64..10_000) {
            let whole = Part { points_tenths: t, max_tenths: t.max(1) };
            let half = Part { points_tenths: p / 2, max_tenths: p.max(1) };
            prop_assert!(weighted(whole, half) <= 1000);
            prop_assert!(percent_tenths(half) <= 1000);
        }
    }
}
