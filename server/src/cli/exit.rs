//! Exit codes: what a script may rely on.

use exam_link::LinkError;
use exam_protocol::code::{ErrorCode, PackageNo, Refusal};
use exam_server::{
    client::ReachError, config::ConfigError, import::ImportError, journal::JournalError, site::SiteError,
    vault::VaultError,
};

pub(super) const HELP: &str = "\
Exit codes: 0 ok · 1 failure · 2 usage · 3 bad input (nothing was changed) · 4 not found · 5 refused by a rule · \
6 signature or integrity · 7 server unreachable";

/// An error that brings its exit code with it.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct Coded {
    pub(super) text: String,
    pub(super) code: u8,
}

/// The exit code of an error: the first cause that has one decides.
pub(super) fn code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(of_cause).unwrap_or(1)
}

fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(coded) = cause.downcast_ref::<Coded>() {
        return Some(coded.code);
    }
    if let Some(reach) = cause.downcast_ref::<ReachError>() {
        return match reach {
            ReachError::NotRunning(_) | ReachError::Address(_) => Some(7),
            ReachError::Link(link) => of_link(link),
            ReachError::Identity(_) | ReachError::Trust(_) | ReachError::Socket(_) => Some(4),
        };
    }
    if let Some(link) = cause.downcast_ref::<LinkError>() {
        return of_link(link);
    }
    if let Some(refusal) = cause.downcast_ref::<Refusal>() {
        return Some(of_refusal(refusal));
    }
    if let Some(import) = cause.downcast_ref::<ImportError>() {
        return import.kind().map(of_package);
    }
    if let Some(journal) = cause.downcast_ref::<JournalError>() {
        return Some(match journal {
            JournalError::Missing(_) => 4,
            JournalError::Newer { .. } | JournalError::Exists(_) => 3,
            JournalError::Foreign(_)
            | JournalError::Damaged(_)
            | JournalError::Chain(_)
            | JournalError::Fact { .. } => 6,
            JournalError::Sqlite { source, .. } if damaged(source) => 6,
            JournalError::Sqlite { .. } | JournalError::OldSqlite(_) => 1,
        });
    }
    if let Some(site) = cause.downcast_ref::<SiteError>() {
        return match site {
            SiteError::BadName => Some(3),
            SiteError::Missing { .. } => Some(4),
            SiteError::AlreadyThere { .. } => Some(5),
            SiteError::Damaged { .. } | SiteError::Public(_) => Some(6),
            SiteError::File { .. } | SiteError::Generation(_) => None,
        };
    }
    if let Some(vault) = cause.downcast_ref::<VaultError>() {
        return Some(match vault {
            VaultError::Forbidden(_) => 1,
            VaultError::NoSite(_) => 4,
            VaultError::InUse(_) | VaultError::NotEmpty(_) | VaultError::Here(_) => 5,
        });
    }
    match cause.downcast_ref::<ConfigError>()? {
        ConfigError::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Some(4),
        ConfigError::File { .. } | ConfigError::Invalid { .. } | ConfigError::CodeValid { .. } => Some(3),
    }
}

fn damaged(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

fn of_link(link: &LinkError) -> Option<u8> {
    Some(match link {
        LinkError::Unreachable(_) | LinkError::Closed(_) => 7,
        LinkError::NotTrusted(_) | LinkError::NotKnown => 6,
        LinkError::Refused(refusal) => of_refusal(refusal),
        LinkError::Failed(ErrorCode::BlobUnknown) => 4,
        LinkError::Failed(ErrorCode::BlobDamaged) => 6,
        LinkError::Failed(_) | LinkError::Protocol(_) | LinkError::Here(_) => 1,
    })
}

fn of_refusal(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::SittingUnknown | Refusal::SeatUnknown | Refusal::PaperUnknown { .. } => 4,
        Refusal::PackageRefused { why, .. } => of_package(*why),
        _ => 5,
    }
}

fn of_package(why: PackageNo) -> u8 {
    match why {
        PackageNo::Damaged | PackageNo::Signature => 6,
        PackageNo::OtherSite | PackageNo::Newer | PackageNo::Plan => 3,
    }
}
