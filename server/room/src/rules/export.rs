//! A result bundle was written (HB-41, HB-42). Never changes what the bundle says: exports are told of at site scope.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Wanted},
};
use exam_protocol::{
    code::Refusal,
    ids::{Sha256, SittingId, StationId},
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// The shell wrote a bundle.
#[derive(Clone, Debug)]
pub struct NoteExport {
    /// Of which sitting.
    pub sitting: SittingId,
    /// Hash of the content.
    pub content: Sha256,
    /// Hash of the sealed file.
    pub sealed: Sha256,
    /// Who asked for it.
    pub by: StationId,
}

impl Wanted for NoteExport {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Export)?;
        let sitting = site.sitting(&self.sitting)?;
        if sitting.plan.mock {
            return Err(Refusal::MockSitting);
        }
        site.fits_phase(sitting, Act::Export)?;
        let Self { sitting, content, sealed, .. } = self.clone();
        Ok(vec![BundleExported { sitting, content, sealed, by }.into()])
    }
}

/// 已导出.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleExported {
    /// Of which sitting.
    pub sitting: SittingId,
    /// Hash of the content.
    pub content: Sha256,
    /// Hash of the sealed file.
    pub sealed: Sha256,
    /// Who asked for it.
    pub by: Actor,
}

impl Happened for BundleExported {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.exports += 1;
        }
    }
}
