//! The real `exam-hq` from keys to an opened bundle, and each bad input it must refuse in words, with nothing half done.
//! Every file is made by the test; nobody in them exists.

#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

#[path = "../../../protocol/sealed/tests/sample/mod.rs"]
mod sample;

use exam_protocol::{
    answer::Answer,
    ids::OptionId,
    key::{ItemKey, KeyedPaper},
    paper::{ItemKind, Paper},
};
use exam_sealed::{bundle, code::UnlockCode, package::Package, paper as sealing};
use sample::*;
use serde_json::Value;
use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// What only the answer key says.
const KEY_CANARY: &str = "参考答案：灯塔为归船而亮";

/// A folder with everything a plan names.
struct Desk {
    dir: tempfile::TempDir,
    site: Keys,
}

fn hq(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_exam-hq")).args(args).current_dir(dir).output().unwrap()
}

fn stderr(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

/// stdout as the one JSON object it must be.
fn object(out: &Output) -> Value {
    let value: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {out:?}"));
    assert!(value.is_object());
    value
}

const PLAN: &str = r#"
site = "site-public.json"
keys = "keys"
roster = "roster.csv"

[exam]
id = "2026-sample"
title = "样例考试"

[[room]]
id = "r1"
name = "第一考场"
seats = 3
spares = 1

[[sitting]]
id = "s1"
title = "上午"
room = "r1"
subject = "theory"
level = "中级"
paper = "theory"
start = "2026-12-05T09:00:00+08:00"
minutes = 90

[[sitting]]
id = "s2"
title = "下午"
room = "第一考场"
subject = "实操"
level = "中级"
paper = "theory"
start = 2026-12-05T14:00:00+08:00
minutes = 120
admission = "automatic"

[[paper]]
id = "theory"
file = "theory.paper"

[rules]
late_entry_bar_min = 20
"#;

/// A fake number (area 000000) with the right check digit.
fn card(n: u16) -> String {
    let digits = format!("00000019000101{n:03}");
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.chars().zip(weights).map(|(d, w)| d.to_digit(10).unwrap() * w).sum();
    format!("{digits}{}", char::from(b"10X98765432"[(sum % 11) as usize]))
}

fn roster(rows: impl IntoIterator<Item = u16>) -> String {
    let rows: String = rows.into_iter().map(|n| format!("考生{n},{},{}\n", card(n), admission(n))).collect();
    format!("*姓名,*证件号码,*准考证号\n{rows}")
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().unwrap(), site: keys() };
        assert!(hq(desk.path(), &["keys", "new", "--out", "keys"]).status.success());
        desk.write("plan.toml", PLAN.as_bytes());
        desk.write("site-public.json", &serde_json::to_vec(&site_public("site-1", &desk.site)).unwrap());
        desk.write("roster.csv", roster([2, 1, 3]).as_bytes());
        desk.write("theory.paper", &serde_json::to_vec(&keyed()).unwrap());
        desk
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).unwrap()
    }

    fn hq(&self, args: &[&str]) -> Output {
        hq(self.path(), args)
    }

    fn build(&self) -> Output {
        self.hq(&["package", "build", "--plan", "plan.toml", "--out", "p.exam", "--json"])
    }

    fn package(&self) -> Package<Cursor<Vec<u8>>> {
        Package::open(Cursor::new(self.read("p.exam"))).unwrap()
    }

    /// Names in the folder, hidden ones too: nothing half done may be left.
    fn names(&self) -> Vec<PathBuf> {
        let mut names: Vec<_> = fs::read_dir(self.path()).unwrap().map(|e| e.unwrap().path()).collect();
        names.sort();
        names
    }

    fn replace(&self, file: &str, from: &str, to: &str) {
        let text = String::from_utf8(self.read(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        self.write(file, text.replacen(from, to, 1).as_bytes());
    }

    /// A sealed bundle of this site, `b.age`.
    fn bundle(&self) {
        let public = site_public("site-1", &self.site);
        let zip = bundle::write(contents(&public), &self.site.signing.secret_file).unwrap();
        let recipient = String::from_utf8(self.read("keys/hq-age.pub")).unwrap();
        self.write("b.age", &bundle::seal(&zip, &recipient).unwrap());
    }
}

fn keyed() -> KeyedPaper {
    let mut paper = paper();
    let mut by_hand = paper.items[0].clone();
    by_hand.id = "q2".parse().unwrap();
    by_hand.kind = ItemKind::ShortText { chars_max: 100 };
    paper.items.push(by_hand);
    let right: OptionId = "B".parse().unwrap();
    let keys = [("q1", ItemKey::Single { option: right }), ("q2", ItemKey::ByHand { reference: KEY_CANARY.into() })];
    KeyedPaper { paper, keys: keys.into_iter().map(|(id, key)| (id.parse().unwrap(), key)).collect() }
}

#[test]
fn keys_are_made_once_and_never_overwritten() {
    let desk = Desk::new();
    let before = desk.read("keys/hq.key");
    let again = desk.hq(&["keys", "new", "--out", "keys", "--json"]);
    assert_eq!(again.status.code(), Some(5), "{}", stderr(&again));
    assert!(stderr(&again).contains("never overwritten"));
    assert_eq!(object(&again)["exit"], 5);
    assert_eq!(desk.read("keys/hq.key"), before);
    let other = object(&desk.hq(&["keys", "new", "--out", "new/keys", "--json"]));
    assert!(other["age_recipient"].as_str().unwrap().starts_with("age1"));
    #[cfg(unix)]
    for name in ["hq.key", "hq-age.key"] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(desk.path().join("keys").join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn an_answer_key_travels_with_a_mock_paper_and_with_no_other() {
    let desk = Desk::new();
    desk.replace("plan.toml", "file = \"theory.paper\"", "file = \"theory.paper\"\nwith_key = true");
    let refused = desk.build();
    assert_eq!(refused.status.code(), Some(3), "{}", stderr(&refused));
    assert!(
        stderr(&refused).contains("carries its answer key") && stderr(&refused).contains("p1"),
        "{}",
        stderr(&refused)
    );
    assert!(!desk.path().join("p.exam").exists(), "a refused package is not written");

    // One of its sittings a mock one is not enough: the afternoon's would be open to everybody.
    desk.replace("plan.toml", "minutes = 90", "minutes = 90\nmock = true");
    assert_eq!(desk.build().status.code(), Some(3));
    desk.replace("plan.toml", "minutes = 120", "minutes = 120\nmock = true");
    let built = desk.build();
    assert!(built.status.success(), "{}", stderr(&built));
    assert_eq!(object(&built)["mock_keys"], serde_json::json!(["p1"]));
    let bytes = desk.read("p.exam");
    assert!(!bytes.windows(KEY_CANARY.len()).any(|w| w == KEY_CANARY.as_bytes()), "it travels sealed");
    let entry = desk.package().manifest().papers[0].clone();
    let (sealed, wrapped) = (entry.mock_key.unwrap(), entry.key);
    let said = object(&desk.hq(&["code", "unlock", "--package", "p.exam", "--sitting", "s1", "--json"]));
    let code = UnlockCode::parse(said["code"].as_str().unwrap()).unwrap();
    let wrapped = desk.package().member(&wrapped).unwrap();
    let secret = sealing::unwrap_key(&wrapped, &desk.site.sealing.identity_file, &code).unwrap();
    let sealed = desk.package().member(&sealed).unwrap();
    assert_eq!(sealing::open_mock_key(&sealed, secret.expose(), keyed().paper).unwrap(), keyed());
}

#[test]
fn a_plan_becomes_a_package_that_site_and_code_open() {
    let desk = Desk::new();
    let out = desk.build();
    assert!(out.status.success(), "{}", stderr(&out));
    let said = object(&out);
    assert_eq!((said["candidates"].as_u64(), said["rooms"].as_u64()), (Some(3), Some(1)));
    assert_eq!(said["sittings"], serde_json::json!(["s1", "s2"]));

    let mut package = desk.package();
    package.verify(&String::from_utf8(desk.read("keys/hq.pub")).unwrap()).unwrap();
    package.check_site(&site_public("site-1", &desk.site)).unwrap();
    assert_eq!(package.manifest().rules.late_entry_bar_min, Some(20));
    assert_eq!(package.manifest().rooms[0].spares, [seat(4)]);
    let roster = package.roster(&desk.site.sealing.identity_file).unwrap();
    let desks: Vec<_> =
        roster.candidates.iter().map(|c| (c.admission_no.clone(), c.places.len(), c.places[0].seat)).collect();
    let expected = [(admission(2), 2, seat(1)), (admission(1), 2, seat(2)), (admission(3), 2, seat(3))];
    assert_eq!(desks, expected, "desks are given out in the order of the roster, the same in all sittings");

    for sitting in ["s1", "s2"] {
        let out = desk.hq(&["code", "unlock", "--package", "p.exam", "--sitting", sitting]);
        let code = UnlockCode::parse(&String::from_utf8(out.stdout).unwrap()).unwrap();
        let entry = package.manifest().papers[0].clone();
        let (sealed, key) = (package.member(&entry.sealed).unwrap(), package.member(&entry.key).unwrap());
        let secret = sealing::unwrap_key(&key, &desk.site.sealing.identity_file, &code).unwrap();
        let opened: Paper = sealing::open_paper(&sealed, secret.expose()).unwrap();
        assert_eq!(opened, keyed().paper);
    }
}

#[test]
fn answer_keys_never_enter_a_package() {
    let desk = Desk::new();
    assert!(desk.build().status.success());
    let mut package = desk.package();
    let code = UnlockCode::parse(
        object(&desk.hq(&["code", "unlock", "--package", "p.exam", "--sitting", "s1", "--json"]))["code"]
            .as_str()
            .unwrap(),
    )
    .unwrap();
    let identity = &desk.site.sealing.identity_file;
    let entry = package.manifest().papers[0].clone();
    let key = package.member(&entry.key).unwrap();
    let secret = sealing::unwrap_key(&key, identity, &code).unwrap();
    let everything = [
        desk.read("p.exam"),
        package.member("manifest.json").unwrap(),
        package.open_member("roster.age", identity, 1 << 20).unwrap(),
        exam_sealed::seal::open(&package.member(&entry.sealed).unwrap(), secret.expose(), 1 << 20).unwrap(),
    ];
    let has = |needle: &str| everything.iter().any(|bytes| bytes.windows(needle.len()).any(|w| w == needle.as_bytes()));
    assert!(has(CANARY), "the control: the search finds what is there");
    for secret in [KEY_CANARY, "reference", "\"keys\"", code.to_string().as_str()] {
        assert!(!has(secret), "{secret} is in the package");
    }
}

#[test]
fn rosters_in_gbk_rooms_in_excel_and_a_photo_zip_are_read() {
    let desk = Desk::new();
    desk.write("roster.csv", &encoding_rs::GBK.encode(&roster([1, 2])).0);
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, (head, cell)) in [("*考场名称", "第一考场"), ("*考位数", "3"), ("考场编号", "A101")].iter().enumerate()
    {
        sheet.write_string(0, column as u16, *head).unwrap();
        sheet.write_string(1, column as u16, *cell).unwrap();
    }
    desk.write("rooms.xlsx", &book.save_to_buffer().unwrap());
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &295_u32.to_be_bytes(), &413_u32.to_be_bytes()].concat();
    let photo = format!("{}.png", card(1));
    desk.write("photos.zip", &exam_sealed::zipping::write_zip([(photo.as_str(), png.as_slice())]).unwrap());
    let text = PLAN.replace("[[room]]\nid = \"r1\"\nname = \"第一考场\"\nseats = 3\nspares = 1\n", "");
    let text = text
        .replace("roster =", "rooms = \"rooms.xlsx\"\nphotos = \"photos.zip\"\nroster =")
        .replace("\"r1\"", "\"A101\"");
    desk.write("plan.toml", text.as_bytes());
    let out = desk.build();
    assert!(out.status.success(), "{}", stderr(&out));
    assert!(
        stderr(&out).contains("GB18030") && stderr(&out).contains("1 candidates have no photo"),
        "{}",
        stderr(&out)
    );
    let mut package = desk.package();
    assert_eq!(package.manifest().rooms[0].room.as_str(), "A101");
    let roster = package.roster(&desk.site.sealing.identity_file).unwrap();
    assert_eq!(roster.candidates[0].name, "考生1");
    let member = roster.candidates[0].photo.clone().unwrap();
    assert!(!member.contains(&card(1)));
    assert_eq!(package.open_member(&member, &desk.site.sealing.identity_file, 1000).unwrap(), png);
}

#[test]
fn bad_input_is_refused_with_place_and_remedy_and_nothing_is_written() {
    type Case = (&'static str, &'static [&'static str], fn(&Desk));
    let cases: &[Case] = &[
        ("missing column", &["准考证号", "roster.csv"], |d| d.replace("roster.csv", "*准考证号", "编外")),
        ("double column", &["姓名"], |d| d.replace("roster.csv", "*证件号码,*准考证号", "*证件号码,*准考证号,姓名")),
        ("duplicate candidate", &["rows 3 and 5", "准考证号"], |d| {
            d.write("roster.csv", roster([2, 1, 3, 1]).as_bytes())
        }),
        ("more candidates than desks", &["roster.csv, row 5", "more candidates than desks"], |d| {
            d.write("roster.csv", roster([1, 2, 3, 4]).as_bytes());
        }),
        ("numeric cells", &["row 2", "column C"], |d| {
            let mut book = rust_xlsxwriter::Workbook::new();
            let sheet = book.add_worksheet();
            for (column, head) in ["姓名", "证件号码", "准考证号"].iter().enumerate() {
                sheet.write_string(0, column as u16, *head).unwrap();
            }
            sheet.write_string(1, 0, "考生1").unwrap().write_string(1, 1, card(1)).unwrap();
            sheet.write_number(1, 2, 9.9e25).unwrap();
            d.write("roster.csv", &book.save_to_buffer().unwrap());
        }),
        ("unknown field", &["plan.toml", "line 2", "sites"], |d| d.replace("plan.toml", "site =", "sites =")),
        ("unknown room", &["[[sitting]] s1", "room r7 is not in the plan", "第一考场"], |d| {
            d.replace("plan.toml", "room = \"r1\"", "room = \"r7\"");
        }),
        ("unknown paper", &["paper other has no [[paper]]"], |d| {
            d.replace("plan.toml", "paper = \"theory\"", "paper = \"other\"")
        }),
        ("start without offset", &["2026-12-05T09:00:00+08:00", "offset"], |d| {
            d.replace("plan.toml", "\"2026-12-05T09:00:00+08:00\"", "\"2026-12-05 09:00\"");
        }),
        ("unknown room in the roster", &["roster.csv, row 2", "room 三楼 (考场) is not in the plan"], |d| {
            d.write(
                "roster.csv",
                format!("姓名,证件号码,准考证号,考场\n甲,{},{},三楼\n", card(1), admission(1)).as_bytes(),
            );
        }),
        ("unknown session in the roster", &["row 2", "has no sitting 晚上 (场次)"], |d| {
            d.write(
                "roster.csv",
                format!("姓名,证件号码,准考证号,场次\n甲,{},{},晚上\n", card(1), admission(1)).as_bytes(),
            );
        }),
        ("a desk that is a spare", &["row 2", "has no desk 4 (考位) for candidates"], |d| {
            d.write(
                "roster.csv",
                format!("姓名,证件号码,准考证号,考位号\n甲,{},{},4\n", card(1), admission(1)).as_bytes(),
            );
        }),
        ("not a paper", &["theory.paper", "line 1"], |d| d.write("theory.paper", b"{}")),
        ("a newer site file", &["format 2", "up to 1"], |d| {
            d.replace("site-public.json", "\"format\":1", "\"format\":2")
        }),
        ("sitting too long", &["lasts 601 minutes"], |d| d.replace("plan.toml", "minutes = 90", "minutes = 601")),
    ];
    let desk = Desk::new();
    let saved: Vec<(&str, Vec<u8>)> = ["plan.toml", "roster.csv", "theory.paper", "site-public.json"]
        .into_iter()
        .map(|name| (name, desk.read(name)))
        .collect();
    for (what, words, spoil) in cases {
        saved.iter().for_each(|(name, bytes)| desk.write(name, bytes));
        spoil(&desk);
        let before = desk.names();
        let out = desk.build();
        assert_eq!(out.status.code(), Some(3), "{what}: {}", stderr(&out));
        for word in *words {
            assert!(stderr(&out).contains(word), "{what}: {word:?} not in {}", stderr(&out));
        }
        assert!(!stderr(&out).contains(&card(1)), "{what}: an ID number in an error");
        assert_eq!(object(&out)["exit"], 3, "{what}");
        assert_eq!(desk.names(), before, "{what}: something half done was left");
    }
}

#[test]
fn files_that_are_not_there_are_named() {
    let desk = Desk::new();
    fs::remove_file(desk.path().join("roster.csv")).unwrap();
    let out = desk.build();
    assert_eq!(out.status.code(), Some(4));
    assert!(stderr(&out).contains("roster.csv: there is no such file"));
}

#[test]
fn a_wrong_check_digit_is_a_warning_and_the_package_is_built() {
    let desk = Desk::new();
    let mut id = card(1);
    let last = id.pop().unwrap();
    id.push(if last == '1' { '2' } else { '1' });
    desk.write("roster.csv", format!("姓名,证件号码,准考证号\n考生1,{id},{}\n", admission(1)).as_bytes());
    let out = desk.build();
    assert!(out.status.success(), "{}", stderr(&out));
    assert!(stderr(&out).contains("warning: roster.csv"), "{}", stderr(&out));
}

#[test]
fn a_session_column_says_who_sits_when() {
    let desk = Desk::new();
    let row = |n: u16, session: &str| format!("考生{n},{},{},{session}\n", card(n), admission(n));
    let rows = [row(1, "上午"), row(2, "s2"), row(3, "上午"), row(3, "下午"), row(4, ""), row(5, "下午")].concat();
    desk.write("roster.csv", format!("姓名,证件号码,准考证号,场次\n{rows}").as_bytes());
    let out = desk.build();
    assert_eq!(out.status.code(), Some(3), "three desks: the afternoon has four candidates");
    desk.write("roster.csv", format!("姓名,证件号码,准考证号,场次\n{}", rows.replace(&row(5, "下午"), "")).as_bytes());
    let out = desk.build();
    assert!(out.status.success(), "{}", stderr(&out));
    let roster = desk.package().roster(&desk.site.sealing.identity_file).unwrap();
    let of = |n: u16| {
        let entry = roster.candidates.iter().find(|c| c.admission_no == admission(n)).unwrap();
        entry.places.iter().map(|p| format!("{}/{}", p.sitting, p.seat)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!([of(1), of(2), of(3), of(4)], ["s1/1", "s2/1", "s1/2 s2/2", "s1/3 s2/3"]);
}

#[test]
fn a_package_and_its_codes_are_never_overwritten() {
    let desk = Desk::new();
    assert!(desk.build().status.success());
    let before = (desk.read("p.exam"), desk.read("p.exam.secrets.json"));
    assert_eq!(desk.build().status.code(), Some(5));
    assert_eq!((desk.read("p.exam"), desk.read("p.exam.secrets.json")), before);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(desk.path().join("p.exam.secrets.json")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_code_is_given_only_for_its_own_package_and_sitting() {
    let desk = Desk::new();
    assert!(desk.build().status.success());
    let unlock =
        |package: &str, sitting: &str| desk.hq(&["code", "unlock", "--package", package, "--sitting", sitting]);
    let unknown = unlock("p.exam", "s9");
    assert_eq!(unknown.status.code(), Some(4));
    assert!(stderr(&unknown).contains("it has s1, s2"));
    desk.write("q.exam", &desk.read("p.exam"));
    assert_eq!(unlock("q.exam", "s1").status.code(), Some(4), "no secrets file");
    desk.write("q.exam.secrets.json", &desk.read("p.exam.secrets.json"));
    let mut changed = desk.read("p.exam");
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    desk.write("q.exam", &changed);
    let refused = unlock("q.exam", "s1");
    assert_eq!(refused.status.code(), Some(6));
    assert!(stderr(&refused).contains("belongs to another package"));
}

#[test]
fn a_bundle_is_verified_and_opened_once() {
    let desk = Desk::new();
    desk.bundle();
    desk.write("keys/site-1.site-public.json", &desk.read("site-public.json"));
    let verify = desk.hq(&["bundle", "verify", "b.age", "--keys", "keys", "--json"]);
    assert!(verify.status.success(), "{}", stderr(&verify));
    let said = object(&verify);
    assert_eq!(
        (said["ok"].as_bool(), said["candidates"].as_u64(), said["versions"].as_u64()),
        (Some(true), Some(3), Some(3))
    );
    let open = desk.hq(&["bundle", "open", "b.age", "--keys", "keys", "--out", "opened"]);
    assert!(open.status.success(), "{}", stderr(&open));
    let record: bundle::AttemptRecord =
        serde_json::from_slice(&desk.read(&format!("opened/answers/{}.json", admission(1)))).unwrap();
    assert_eq!(record.newest.values().next().unwrap().answer, Answer::Single("B".parse().unwrap()));
    let again = desk.hq(&["bundle", "open", "b.age", "--keys", "keys", "--out", "opened"]);
    assert_eq!(again.status.code(), Some(5));
}

#[test]
fn a_bundle_that_does_not_hold_says_where_and_is_not_opened() {
    let desk = Desk::new();
    desk.bundle();
    let run = |site: &str| desk.hq(&["bundle", "open", "b.age", "--keys", "keys", "--site", site, "--out", "opened"]);
    let code = |out: &Output| out.status.code();

    let unknown = desk.hq(&["bundle", "verify", "b.age", "--keys", "keys"]);
    assert_eq!(code(&unknown), Some(4));
    assert!(stderr(&unknown).contains("site site-1, which HQ does not know"), "{}", stderr(&unknown));

    desk.write("thief.json", &serde_json::to_vec(&site_public("site-1", &keys())).unwrap());
    let thief = run("thief.json");
    assert_eq!(code(&thief), Some(6));
    assert!(stderr(&thief).contains("SHA256SUMS.minisig is not the site's signature"), "{}", stderr(&thief));

    desk.write("other.json", &serde_json::to_vec(&site_public("site-2", &desk.site)).unwrap());
    assert_eq!(code(&run("other.json")), Some(6));

    let good = desk.read("b.age");
    for changed in [good[..good.len() - 1].to_vec(), good[..40].to_vec(), Vec::new(), {
        let mut flipped = good.clone();
        let at = flipped.len() - 300;
        flipped[at] ^= 1;
        flipped
    }] {
        desk.write("b.age", &changed);
        let refused = run("site-public.json");
        assert_eq!(code(&refused), Some(6));
        assert!(stderr(&refused).contains("b.age cannot be opened"), "{}", stderr(&refused));
    }

    // A bundle changed and sealed again by somebody who has HQ's public recipient: the inside says where.
    let recipient = String::from_utf8(desk.read("keys/hq-age.pub")).unwrap();
    let identity = String::from_utf8(desk.read("keys/hq-age.key")).unwrap();
    let mut zip = bundle::open(&good, &identity).unwrap();
    let at = zip.windows(13).position(|w| w == b"\"answer_saved").unwrap();
    zip[at + 3] ^= 1;
    desk.write("b.age", &bundle::seal(&zip, &recipient).unwrap());
    let refused = run("site-public.json");
    assert_eq!(code(&refused), Some(6));
    assert!(stderr(&refused).contains("member journal.jsonl is damaged"), "{}", stderr(&refused));
    assert!(!desk.path().join("opened").exists(), "nothing of a bundle that does not hold is written");

    desk.bundle();
    assert_eq!(code(&run("site-public.json")), Some(0), "the control: an untouched bundle opens");
}

#[test]
fn wrong_usage_ends_with_2_and_help_names_the_exit_codes() {
    let desk = Desk::new();
    assert_eq!(desk.hq(&["bundle"]).status.code(), Some(2));
    assert_eq!(desk.hq(&["package", "build", "--plan", "x"]).status.code(), Some(2));
    for command in
        [&["--help"][..], &["keys", "new", "--help"], &["package", "build", "--help"], &["bundle", "verify", "--help"]]
    {
        let out = desk.hq(command);
        assert!(out.status.success());
        assert!(String::from_utf8_lossy(&out.stdout).contains("6 signature or integrity"), "{command:?}");
    }
}

#[test]
fn wrong_usage_is_one_object_for_machines_and_ends_with_2() {
    let desk = Desk::new();
    for args in [&["paper", "imprt", "--json"] as &[&str], &["--json"], &["paper", "show", "--json"]] {
        let out = hq(desk.path(), args);
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        assert_eq!(object(&out)["exit"], 2, "{args:?}");
    }
    let people = hq(desk.path(), &["paper", "imprt"]);
    assert!(people.stdout.is_empty() && !people.stderr.is_empty(), "without --json stdout stays empty");
}

#[test]
fn a_workbook_that_breaks_its_reader_is_damaged_in_words_alone() {
    use std::io::Write;
    let desk = Desk::new();
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().write_string(0, 0, "题型").unwrap();
    let mut whole = zip::ZipArchive::new(Cursor::new(book.save_to_buffer().unwrap())).unwrap();
    let mut broken = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..whole.len() {
        let mut member = whole.by_index(index).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut member, &mut text).unwrap();
        broken.start_file(member.name().unwrap(), zip::write::SimpleFileOptions::default()).unwrap();
        // A row beyond any number: the library's own arithmetic overflows.
        broken.write_all(text.replace("r=\"A1\"", "r=\"ZZZZZZ99999999999999\"").as_bytes()).unwrap();
    }
    desk.write("bank.xlsx", &broken.finish().unwrap().into_inner());
    let out = hq(desk.path(), &["paper", "import", "--in", "bank.xlsx", "--title", "t", "--out", "p.paper", "--json"]);
    assert_eq!(out.status.code(), Some(3), "{}", stderr(&out));
    assert!(stderr(&out).contains("bank.xlsx: ") && !stderr(&out).contains("panicked"), "{}", stderr(&out));
    assert_eq!(object(&out)["exit"], 3);
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_nobody_could_read_is_a_failure_in_words() {
    let desk = Desk::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_exam-hq"));
    let out = command.args(["paper", "show", "theory.paper"]).current_dir(desk.path()).stdout(full).output().unwrap();
    assert_eq!(out.status.code(), Some(1), "{}", stderr(&out));
    assert!(stderr(&out).contains("stdout") && !stderr(&out).contains("panicked"), "{}", stderr(&out));
}

#[test]
fn a_room_cannot_hold_two_sittings_at_once() {
    let desk = Desk::new();
    desk.replace("plan.toml", "2026-12-05T14:00:00+08:00", "2026-12-05T10:00:00+08:00");
    let out = desk.build();
    assert_eq!(out.status.code(), Some(3), "{}", stderr(&out));
    assert!(
        stderr(&out).contains("[[sitting]] s2") && stderr(&out).contains("before s1 has ended"),
        "{}",
        stderr(&out)
    );
}

/// A room where a sitting of this package runs, as the core sees it.
fn running(package: &Package<Cursor<Vec<u8>>>) -> exam_room::Site {
    use exam_room::{Fact, rules::founding::Found, rules::package::PackageTaken, rules::start::SittingStarted};
    let manifest = package.manifest();
    let mut site = exam_room::Site::new(manifest.site.clone());
    let admin: exam_protocol::ids::StationId = "admin".parse().unwrap();
    let (name, certificate) = ("样例考点".to_owned(), exam_protocol::ids::Sha256::of(b"admin"));
    let found = Found { name, admin: admin.clone(), certificate, hq_minisign: None };
    let now = exam_protocol::time::Now::default();
    let mut facts: Vec<Fact> = site.decide(now, &found.into()).unwrap();
    facts.push(
        PackageTaken {
            package: exam_protocol::ids::Sha256::of(b"package"),
            exam: manifest.exam.clone(),
            title: manifest.exam_title.clone(),
            hq_minisign: manifest.hq_minisign.clone(),
            hq_recipient: manifest.hq_recipient.clone(),
            rooms: manifest.rooms.clone(),
            sittings: manifest.sittings.clone(),
            papers: vec![],
            rules: manifest.rules,
            candidates: vec![],
        }
        .into(),
    );
    let secret = exam_protocol::ids::SealedBytes(vec![]);
    let by = exam_room::authority::Actor { station: admin, account: None };
    let (sitting, paper) = (manifest.sittings[0].sitting.clone(), manifest.sittings[0].paper.clone());
    facts.push(SittingStarted { sitting, paper, secret, by }.into());
    facts.iter().for_each(|fact| site.apply(now, fact));
    site
}

#[test]
fn a_time_grant_of_hq_is_taken_by_the_room_once_and_for_its_minutes_only() {
    use exam_protocol::{code::Refusal, grant::commitment, time::Now};
    use exam_room::{rules::extension::ExtendByHq, state::Target};
    let desk = Desk::new();
    assert!(desk.build().status.success());
    let code = |minutes: &str, index: &str| {
        let args = ["code", "extend", "--package", "p.exam", "--sitting", "s1", "--minutes", minutes, "--index", index];
        desk.hq(&args)
    };
    let printed = |minutes: &str, index: &str| {
        let out = code(minutes, index);
        assert!(out.status.success(), "{}", stderr(&out));
        UnlockCode::parse(&String::from_utf8(out.stdout).unwrap()).unwrap()
    };
    let mut site = running(&desk.package());
    let ask = |minutes: u32, code: &UnlockCode| {
        let sitting: exam_protocol::ids::SittingId = "s1".parse().unwrap();
        let code = commitment(&sitting, minutes, &code.folded());
        let (target, reason, by) = (Target::Sitting, "停电".to_owned(), "admin".parse().unwrap());
        ExtendByHq { sitting, target, minutes, reason, code, by }.into()
    };
    let now = Now::default();
    let twenty = printed("20", "1");
    assert_eq!(twenty, printed("20", "1"), "HQ can say the same code again");
    assert_eq!(site.decide(now, &ask(25, &twenty)), Err(Refusal::HqCodeInvalid), "other minutes");
    for fact in site.decide(now, &ask(20, &twenty)).unwrap() {
        site.apply(now, &fact);
    }
    assert_eq!(site.decide(now, &ask(20, &twenty)), Err(Refusal::HqCodeUsed));
    assert!(site.decide(now, &ask(20, &printed("20", "2"))).is_ok(), "the next code of the same minutes");
    assert!(site.decide(now, &ask(120, &printed("120", "4"))).is_ok());
    for (minutes, index) in [("7", "1"), ("0", "1"), ("125", "1"), ("20", "0"), ("20", "5")] {
        assert_eq!(code(minutes, index).status.code(), Some(3), "{minutes} minutes, index {index}");
    }
    let package = desk.read("p.exam");
    let manifest = desk.package().member("manifest.json").unwrap();
    let leaks = |bytes: &[u8]| bytes.windows(18).any(|w| w == twenty.folded().as_bytes());
    assert!(!leaks(&package) && !leaks(&manifest), "the site gets hashes, never a code");
}
