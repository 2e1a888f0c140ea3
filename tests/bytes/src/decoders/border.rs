//! The two sealed files that cross the border, whole and part by part: a zip's checksum keeps most changed bytes from the
//! reader behind it, so that each reader is also asked directly.

#![allow(clippy::unwrap_used, reason = "a sample that cannot be made stops the test")]

use crate::{
    Decoder,
    sample::exam::{self, Keys},
};
use exam_protocol::{
    paper::{PAPER_FORMAT, Paper},
    site::SitePublic,
};
use exam_sealed::{
    bundle::{self, AttemptRecord, BUNDLE_FORMAT, BundleManifest},
    json, keys,
    manifest::{Manifest, PACKAGE_FORMAT, Roster},
    package::{self, Package},
    paper::{open_paper, seal_paper, unwrap_key},
    plan::{check_plan, check_roster},
    seal,
};
use std::io::Cursor;

const MIB: usize = 1024 * 1024;

/// A zip unpacks to at most 1,032 times its bytes (deflate), and a growing vector holds up to three times its content.
fn unpacked(len: usize) -> usize {
    3 * 1_032 * len + 8 * MIB
}

/// JSON into our types: short texts and numbers become structures, in vectors that grow.
fn parsed(len: usize) -> usize {
    64 * len + MIB
}

fn site() -> (Keys, SitePublic) {
    let keys = exam::keys();
    let public = exam::site_public("s1", &keys);
    (keys, public)
}

fn package_bytes() -> (Keys, Keys, SitePublic, Vec<u8>) {
    let hq = exam::keys();
    let (site_keys, public) = site();
    let built = package::build(exam::package_input(&hq, &public)).unwrap();
    (hq, site_keys, public, built.bytes)
}

pub(super) fn package(name: &'static str) -> Decoder {
    let (hq, site_keys, public, bytes) = package_bytes();
    Decoder {
        name,
        samples: vec![bytes],
        decode: Box::new(move |bytes| {
            let Ok(mut package) = Package::open(Cursor::new(bytes)) else { return };
            let _ = package.verify(&hq.signing.public_line);
            let _ = package.check_site(&public).and_then(|()| package.check_server_version("0.1.0"));
            let _ = package.roster(&site_keys.sealing.identity_file);
        }),
        bytes_max: unpacked,
        one_in: 20,
    }
}

pub(super) fn package_manifest(name: &'static str) -> Decoder {
    let (.., bytes) = package_bytes();
    let mut whole = Package::open(Cursor::new(bytes)).unwrap();
    let manifest = whole.member(package::MANIFEST).unwrap();
    Decoder {
        name,
        samples: vec![manifest],
        decode: Box::new(|bytes| {
            let _ = json::read_versioned::<Manifest>(bytes, PACKAGE_FORMAT).map(|manifest| check_plan(&manifest));
        }),
        bytes_max: parsed,
        one_in: 2,
    }
}

pub(super) fn roster(name: &'static str) -> Decoder {
    let (_, site_keys, _, bytes) = package_bytes();
    let mut whole = Package::open(Cursor::new(bytes)).unwrap();
    let roster = whole.roster(&site_keys.sealing.identity_file).unwrap();
    let manifest = whole.manifest().clone();
    Decoder {
        name,
        samples: vec![serde_json::to_vec(&roster).unwrap()],
        decode: Box::new(move |bytes| {
            let _ = json::read::<Roster>(bytes).map(|roster| check_roster(&manifest, &roster));
        }),
        bytes_max: parsed,
        one_in: 2,
    }
}

pub(super) fn paper(name: &'static str) -> Decoder {
    Decoder {
        name,
        samples: vec![serde_json::to_vec(&exam::paper()).unwrap()],
        decode: Box::new(|bytes| {
            let _ = json::read_versioned::<Paper>(bytes, PAPER_FORMAT).map(|paper| paper.check());
        }),
        bytes_max: parsed,
        one_in: 1,
    }
}

/// A sealed paper: the head of an age file is read before anybody's key says anything about it.
pub(super) fn age_file(name: &'static str) -> Decoder {
    let keys = exam::keys();
    let sealed = seal::seal(&serde_json::to_vec(&exam::paper()).unwrap(), &keys.sealing.recipient).unwrap();
    Decoder {
        name,
        samples: vec![sealed],
        decode: Box::new(move |bytes| {
            let _ = open_paper(bytes, &keys.sealing.identity_file);
        }),
        bytes_max: |len| 64 * len + MIB,
        one_in: 20,
    }
}

/// The wrapped key of a paper: an age file in an age file, the inner one by pass phrase (scrypt, 16 MiB).
pub(super) fn wrapped_key(name: &'static str) -> Decoder {
    let keys = exam::keys();
    let code = exam::unlock_code();
    let parts = seal_paper(&exam::paper(), None, &code, &keys.sealing.recipient).unwrap();
    Decoder {
        name,
        samples: vec![parts.wrapped_key],
        decode: Box::new(move |bytes| {
            let _ = unwrap_key(bytes, &keys.sealing.identity_file, &code);
        }),
        bytes_max: |len| 64 * len + 80 * MIB,
        one_in: 1_000,
    }
}

pub(super) fn signature(name: &'static str) -> Decoder {
    let keys = exam::keys();
    let signed = keys::sign(&keys.signing.secret_file, b"listing", "result bundle").unwrap();
    let public = keys.signing.public_line.clone();
    Decoder {
        name,
        samples: vec![signed.into_bytes(), public.clone().into_bytes()],
        decode: Box::new(move |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let _ = keys::verify(&public, b"listing", &text);
            let _ = keys::public_line(&text).map(|line| keys::key_id(&line));
            let _ = seal::parse_recipient(&text).is_ok() || seal::parse_identity(&text).is_ok();
        }),
        bytes_max: |len| 16 * len + MIB,
        one_in: 10,
    }
}

pub(super) fn bundle(name: &'static str) -> Decoder {
    let (keys, public) = site();
    let bytes = bundle::write(exam::contents(&public), &keys.signing.secret_file).unwrap();
    Decoder {
        name,
        samples: vec![bytes],
        decode: Box::new(move |bytes| {
            let _ = bundle::peek(bytes);
            let _ = bundle::verify(bytes, &keys.signing.public_line, &public.site);
        }),
        bytes_max: unpacked,
        one_in: 10,
    }
}

/// One member of a bundle.
fn member(wanted: &str) -> Vec<u8> {
    let (keys, public) = site();
    let bytes = bundle::write(exam::contents(&public), &keys.signing.secret_file).unwrap();
    let mut report = bundle::verify(&bytes, &keys.signing.public_line, &public.site).unwrap();
    report.members.remove(wanted).unwrap()
}

pub(super) fn bundle_manifest(name: &'static str) -> Decoder {
    Decoder {
        name,
        samples: vec![member(bundle::MANIFEST)],
        decode: Box::new(|bytes| drop(json::read_versioned::<BundleManifest>(bytes, BUNDLE_FORMAT))),
        bytes_max: parsed,
        one_in: 1,
    }
}

pub(super) fn attempt_record(name: &'static str) -> Decoder {
    Decoder {
        name,
        samples: (1..=3).map(|n| member(&bundle::answers_member(&exam::admission(n)))).collect(),
        decode: Box::new(|bytes| drop(json::read::<AttemptRecord>(bytes))),
        bytes_max: parsed,
        one_in: 1,
    }
}
