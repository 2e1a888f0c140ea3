//! The list. A decoder of ours that is not here is not proven.

mod border;
mod files;
mod sheets;
mod wire;

use crate::Decoder;

/// A decoder's name and its maker: samples and keys are made once, when it is wanted.
type Entry = (&'static str, fn(&'static str) -> Decoder);

/// Every decoder, by where its bytes come from.
pub const ALL: &[Entry] = &[
    ("wire_up", wire::up),
    ("wire_down", wire::down),
    ("enrolment_key", wire::enrolment_key),
    ("typed_words", wire::typed_words),
    ("trust_file", wire::trust_file),
    ("package", border::package),
    ("package_manifest", border::package_manifest),
    ("roster", border::roster),
    ("paper", border::paper),
    ("age_file", border::age_file),
    ("wrapped_key", border::wrapped_key),
    ("signature", border::signature),
    ("bundle", border::bundle),
    ("bundle_manifest", border::bundle_manifest),
    ("attempt_record", border::attempt_record),
    ("seat_journal", files::seat_journal),
    ("seat_record", files::seat_record),
    ("server_journal", files::server_journal),
    ("fact", files::fact),
    ("chain", files::chain),
    ("question_bank", sheets::question_bank),
    ("candidate_list", sheets::candidate_list),
    ("room_list", sheets::room_list),
    ("sheet_xml", sheets::sheet_xml),
    ("photos", sheets::photos),
];

/// The decoder of that name, ready.
pub fn named(name: &str) -> Option<Decoder> {
    let (name, make) = ALL.iter().find(|(known, _)| *known == name)?;
    Some(make(name))
}
