//! Photo zips as Chinese Windows packs them.

use crate::fixture::{id_number, jpeg, png, zip_of};
use exam_content::photos::{self, PictureKind};
use std::collections::BTreeSet;

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

#[test]
fn photos_are_found_by_id_number_under_gbk_names_and_folders() {
    let (one, two, three) = (id_number(1), id_number(2), id_number(3).to_lowercase());
    let gbk_name = gbk(&format!("照片/王小明_{two}.png"));
    let lower = format!("{three}.JPG");
    let read = photos::read(
        &zip_of(&[
            (format!("{one}.jpg").as_bytes(), &jpeg(295, 413)),
            (&gbk_name, &png(295, 413)),
            (lower.as_bytes(), &jpeg(100, 200)),
            (&gbk("说明.txt"), b"x"),
            (b"Thumbs.db", b"x"),
        ]),
        "photos.zip",
        &BTreeSet::new(),
    )
    .unwrap();
    assert_eq!(read.value.by_id.keys().cloned().collect::<Vec<_>>(), [one.clone(), two.clone(), three.to_uppercase()]);
    assert_eq!(read.value.by_id[&two].kind, PictureKind::Png);
    assert_eq!(read.value.unnamed, ["说明.txt"]);
    let warnings: String = read.warnings.iter().map(ToString::to_string).collect();
    assert!(
        warnings.contains("100×200 pixels, not 295×413") && !warnings.contains(&three.to_uppercase()),
        "{warnings}"
    );
    assert_eq!(read.value.missing([one.as_str(), "E1"]), ["E1"]);
    assert_eq!(read.value.unexpected([one.as_str(), two.as_str()]), [three.to_uppercase()]);
}

#[test]
fn other_documents_are_matched_by_the_roster() {
    let known = BTreeSet::from(["E00000000".to_owned()]);
    let read = photos::read(&zip_of(&[(b"e00000000.png", &png(295, 413))]), "p.zip", &known).unwrap();
    assert!(read.value.by_id.contains_key("E00000000"));
}

#[test]
fn bad_photos_are_refused_without_naming_the_person() {
    let (one, two) = (format!("{}.jpg", id_number(1)), format!("x-{}.png", id_number(1)));
    let large = vec![0xff; photos::PHOTO_BYTES_MAX as usize + 1];
    let said = photos::read(
        &zip_of(&[(one.as_bytes(), &png(295, 413)), (two.as_bytes(), &png(295, 413)), (b"big.jpg", &large)]),
        "p.zip",
        &BTreeSet::new(),
    )
    .unwrap_err()
    .to_string();
    assert!(said.contains("two photos for the ID number ending …") && said.contains("larger than 5 MiB"), "{said}");
    assert!(!said.contains(&id_number(1)), "{said}");
    let said =
        photos::read(&zip_of(&[(one.as_bytes(), b"GIF89a")]), "p.zip", &BTreeSet::new()).unwrap_err().to_string();
    assert!(said.contains("neither JPEG nor PNG"), "{said}");
    assert!(photos::read(b"PK\x03\x04", "p.zip", &BTreeSet::new()).unwrap_err().to_string().contains("not a zip"));
}
