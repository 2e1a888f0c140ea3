//! Where is this candidate? (HB-31) Names are sealed in the core, so they are opened here, one after the other, and forgotten.
//! Neither the question nor the answer is logged or kept.

use crate::{
    clerk::No,
    reception::{Identity, Reception, seat::masked},
};
use exam_protocol::{
    code::Refusal,
    ids::{AdmissionNo, SealedBytes, StationId},
    message::duty::{FOUND_MAX, FindCandidate, Found, FoundCandidate, ID_TAIL_CHARS_MIN, QUERY_CHARS_MAX},
    tag::Down,
    time::SiteMs,
};
use exam_room::Site;

/// Somebody who fits.
struct Match {
    admission_no: AdmissionNo,
    identity: Identity,
}

impl Reception {
    pub(in crate::reception) async fn find_candidate(&self, by: StationId, wanted: FindCandidate) -> Result<Down, No> {
        let query = Query::of(&wanted.query)?;
        let all = move |site: &Site, _| {
            site.somebody(&by)?;
            let sealed = site.candidates.iter().map(|(no, candidate)| (no.clone(), candidate.identity.clone()));
            Ok::<Vec<(AdmissionNo, SealedBytes)>, Refusal>(sealed.collect())
        };
        let all = self.inner.clerk.read(all).await??;
        let matches = self.aside(move |own| Ok(own.matches(&query, all))).await?;
        Ok(self.inner.clerk.read(move |site, now| places(site, now.at, &matches)).await?.into())
    }

    /// One more than may be shown, so that it shows when there are more.
    fn matches(&self, query: &Query, all: Vec<(AdmissionNo, SealedBytes)>) -> Vec<Match> {
        let opened = all
            .into_iter()
            .filter_map(|(admission_no, sealed)| Some(Match { admission_no, identity: self.open_identity(&sealed)? }));
        opened.filter(|one| query.fits(&one.admission_no, &one.identity)).take(FOUND_MAX + 1).collect()
    }
}

fn places(site: &Site, at: SiteMs, matches: &[Match]) -> Found {
    let mut candidates = Vec::new();
    for one in matches {
        let Some(candidate) = site.candidates.get(&one.admission_no) else { continue };
        for place in site.whereabouts(&one.admission_no, candidate, at) {
            let plan = &place.sitting.plan;
            candidates.push(FoundCandidate {
                admission_no: one.admission_no.clone(),
                name: one.identity.name.clone(),
                id_masked: masked(&one.identity.id_number),
                sitting: plan.sitting.clone(),
                subject: plan.subject,
                planned_start: plan.planned_start,
                room_name: site.rooms.get(&plan.room).map(|room| room.name.clone()).unwrap_or_default(),
                seat: place.seat,
                state: place.state,
            });
        }
    }
    let more = matches.len() > FOUND_MAX || candidates.len() > FOUND_MAX;
    candidates.truncate(FOUND_MAX);
    Found { candidates, more }
}

/// What is looked for, folded: full-width characters, case and spaces do not matter.
struct Query(String);

impl Query {
    fn of(typed: &str) -> Result<Self, Refusal> {
        let folded = fold(typed);
        match folded.chars().count() {
            0 => Err(Refusal::ReasonMissing),
            n if n > QUERY_CHARS_MAX => Err(Refusal::TextTooLong { max_chars: QUERY_CHARS_MAX as u32 }),
            _ => Ok(Self(folded)),
        }
    }

    fn fits(&self, admission_no: &AdmissionNo, identity: &Identity) -> bool {
        let tail = self.0.chars().count() >= ID_TAIL_CHARS_MIN && fold(&identity.id_number).ends_with(&self.0);
        tail || admission_no.as_str().contains(&self.0) || fold(&identity.name).contains(&self.0)
    }
}

fn fold(text: &str) -> String {
    let half_width = |c: char| match u32::from(c) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    text.chars().map(half_width).filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_found_by_any_part_of_name_or_number_and_by_the_end_of_the_id_number() {
        let no: AdmissionNo = "99000000000000000000123456".parse().unwrap();
        let identity = Identity { name: "欧阳 Lily".to_owned(), id_number: "00000019000101002X".to_owned() };
        let rows = [
            ("欧阳", true),
            ("阳l", true),
            ("ＬＩＬＹ", true),
            ("张", false),
            ("0123456", true),
            ("000123", true),
            ("123457", false),
            ("002x", true),
            ("０２Ｘ", false), // three characters
            ("01002X", true),
            ("1900", false), // in the middle of an ID number nobody is looked for
            ("00000019000101002X", true),
        ];
        for (query, found) in rows {
            assert_eq!(Query::of(query).unwrap().fits(&no, &identity), found, "{query}");
        }
    }

    #[test]
    fn a_query_has_both_limits() {
        assert!(matches!(Query::of("　 "), Err(Refusal::ReasonMissing)));
        assert!(Query::of(&"字".repeat(QUERY_CHARS_MAX)).is_ok());
        assert!(matches!(Query::of(&"字".repeat(QUERY_CHARS_MAX + 1)), Err(Refusal::TextTooLong { .. })));
    }
}
