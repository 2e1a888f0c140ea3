//! Machine trouble (HB-25) with real seats and a real server: hands and messages through a killed server, and a swap after which
//! what the old machine had is offered at the new one and chosen by the candidate. Never looks behind a seat's view or the
//! server's journal.

mod common;

use anyhow::{Context, Result, ensure};
use common::{DEADLINE, Small, small_exam};
use exam_e2e::site::Sample;
use exam_link::{Dial, Trust, client_endpoint};
use exam_protocol::{
    answer::Answer,
    ids::{AdmissionNo, ItemId, SeatNo, SeatRef},
    message::duty::{HandKind, HandStage},
    paper::ItemKind,
};
use exam_seat::{Seat, SeatConfig, SeatHandle, clock::SeatClock, disk::Disk, station, system_random};
use exam_session::{Act, OrphanChoice, Saved, Screen, View};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};
use tokio::runtime::Runtime;

/// Three questions of four options each.
const BANK: &str = "\u{feff}题型,问题内容,难度,正确选项,A,B,C,D\n单选题,一,中等,A,甲,乙,丙,丁\n单选题,二,中等,A,甲,乙,丙,丁\n单选题,三,中等,A,甲,乙,丙,丁\n";

/// One desk's machine, led by the hand.
struct Machine {
    handle: SeatHandle,
}

/// A room with candidates, the first of them at `own`, and a spare.
struct Swap {
    exam: Small,
    runtime: Runtime,
    code: String,
    admission_no: AdmissionNo,
    own: SeatRef,
    spare: SeatRef,
}

impl Swap {
    fn open(seats: u16, seed: u64) -> Result<Swap> {
        let exam = small_exam(Sample { seats, questions: 3, seed }, Some(BANK))?;
        exam.site.act("admit-open", &exam.sitting)?;
        let code = exam.site.enrol_code(2)?;
        let seated = exam.site.seating()?.into_iter().next().context("one candidate")?;
        let own = SeatRef { room: seated.room.clone(), seat: seated.seat };
        let spare = SeatRef { room: seated.room, seat: SeatNo::try_from(seats + 1)? };
        Ok(Swap { exam, runtime: Runtime::new()?, code, admission_no: seated.admission_no, own, spare })
    }

    /// Starts the app of the machine at `desk`; started again, it is the same machine.
    fn start(&self, desk: &SeatRef) -> Result<Machine> {
        let trust = Trust::load(&self.exam.site.public_file())?;
        let addr = self.exam.site.address()?.parse()?;
        let folder = self.exam.site.folder().seats().join(format!("desk-{}", desk.seat));
        self.runtime.block_on(async {
            let guest = Dial { endpoint: client_endpoint(addr)?, trust, identity: None, addr, build: "e2e".to_owned() };
            let identity = station::identity(&folder, &guest, Some(&self.code), "e2e").await?;
            let config = SeatConfig {
                dial: Dial { identity: Some(identity), ..guest },
                folder,
                desk: Some(desk.clone()),
                disk: Disk::start(1)?,
                clock: SeatClock::start(),
                random: system_random(),
                news: None,
                index: 0,
            };
            Ok(Machine { handle: Seat::start(config).await? })
        })
    }

    fn act(&self, machine: &Machine, act: Act) {
        self.runtime.block_on(machine.handle.act(act));
    }

    fn wait(&self, machine: &Machine, what: &str, wanted: impl FnMut(&Arc<View>) -> bool) -> Result<Arc<View>> {
        let mut views = machine.handle.views();
        let found = self.runtime.block_on(async {
            let found = tokio::time::timeout(DEADLINE, views.wait_for(wanted)).await;
            found.map(|view| view.map(|view| view.clone()))
        });
        let last = machine.handle.views().borrow().clone();
        Ok(found.with_context(|| format!("waited in vain for {what}: {:?}, {:?}", last.screen, last.notice))??)
    }

    /// Gives the option of this letter and waits until it stands where it should.
    fn give(&self, machine: &Machine, item: &ItemId, letter: usize, stands: Saved) -> Result<Answer> {
        let answer = option(&machine.handle.views().borrow(), item, letter)?;
        self.act(machine, Act::Type { item: item.clone(), answer: answer.clone() });
        let there = |view: &Arc<View>| {
            view.items.iter().any(|one| one.item == *item && *one.answer == answer && one.saved == stands)
        };
        self.wait(machine, "an answer", there)?;
        Ok(answer)
    }

    /// Signs the candidate in at their own machine.
    fn sign_in(&self) -> Result<Machine> {
        let machine = self.start(&self.own)?;
        self.wait(&machine, "the sign-in screen", |view| view.screen == Screen::SigningIn && view.desk.is_some())?;
        let admission_no = self.admission_no.clone();
        let password = admission_no.initial_password().to_owned();
        self.act(&machine, Act::SignIn { admission_no, password });
        self.wait(&machine, "admission", |view| view.screen == Screen::AwaitingStart)?;
        Ok(machine)
    }

    fn stop(&self, machine: Machine) {
        self.runtime.block_on(machine.handle.stop());
    }

    /// Facts of one kind in the server's journal.
    fn facts(&self, kind: &str) -> Result<Vec<Value>> {
        let said = self.exam.site.server(["journal", "show", "--kind", kind])?.expect_code(0)?.stdout;
        said.lines().map(|line| Ok(serde_json::from_str::<Value>(line)?["body"].clone())).collect()
    }
}

fn option(view: &View, item: &ItemId, letter: usize) -> Result<Answer> {
    let paper = view.paper.as_ref().context("the paper is open")?;
    match &paper.paper.item(item).context("the item is there")?.kind {
        ItemKind::SingleChoice { options } => Ok(Answer::Single(options[letter].id.clone())),
        other => anyhow::bail!("the bank has single choices only: {other:?}"),
    }
}

#[test]
fn what_a_replaced_machine_had_is_chosen_by_the_candidate_and_applied_by_nobody_else() -> Result<()> {
    let mut room = Swap::open(1, 61)?;
    let old = room.sign_in()?;
    let notes = |view: &Arc<View>| view.notes.as_ref().is_some_and(|notes| !notes.identity_confirmed);
    room.wait(&old, "the notes", notes)?;
    room.act(&old, Act::ConfirmIdentity);
    let confirmed = |view: &Arc<View>| view.notes.as_ref().is_some_and(|notes| notes.identity_confirmed);
    room.wait(&old, "the confirmed identity", confirmed)?;
    let unlock = room.exam.site.unlock_code(&room.exam.sitting)?;
    room.exam.site.start_sitting(&room.exam.sitting, &unlock)?.expect_code(0)?;
    let view = room.wait(&old, "the paper", |view| view.screen == Screen::Working)?;
    let items: Vec<ItemId> = view.items.iter().map(|view| view.item.clone()).collect();
    let heard = room.give(&old, &items[0], 0, Saved::OnServer)?;

    // The old machine is cut off, has two answers nobody heard of, and dies.
    room.exam.site.kill_server()?;
    let unheard = room.give(&old, &items[0], 1, Saved::OnSeat)?;
    let unwanted = room.give(&old, &items[1], 1, Saved::OnSeat)?;
    room.stop(old);
    room.exam.site.start_server()?;

    // The spare takes over.
    let new = room.start(&room.spare)?;
    room.wait(&new, "the spare at its desk", |view| view.desk.as_ref() == Some(&room.spare))?;
    let to = room.spare.seat.to_string();
    let (sitting, from) = (room.exam.sitting.clone(), room.own.seat.to_string());
    let swap = ["attendance", "swap", "--sitting", &sitting, "--seat", &from, "--to", &to, "--reason", "黑屏"];
    room.exam.site.server(swap)?.expect_code(0)?;
    let view = room.wait(&new, "the paper at the spare", |view| view.screen == Screen::Working)?;
    let shown = view.items.iter().find(|view| view.item == items[0]).context("the item")?;
    assert_eq!(*shown.answer, heard, "what the server had is there");
    assert_eq!(view.on_screen.as_ref(), Some(&items[0]), "the candidate goes on at the same item");
    let newer = room.give(&new, &items[0], 2, Saved::OnServer)?;

    // The old one comes back.
    let old = room.start(&room.own)?;
    let view = room.wait(&old, "its end", |view| view.screen == Screen::SwappedOut && view.unsaved == 0)?;
    assert!(view.paper.is_none(), "nobody reads the paper at the replaced machine");
    let view = room.wait(&new, "both answers side by side", |view| view.orphans.len() == 2)?;
    let side_by_side: BTreeSet<_> =
        view.orphans.iter().map(|one| (&one.item, format!("{:?}", one.theirs), format!("{:?}", one.mine))).collect();
    let wanted = [(&items[0], &unheard, &newer), (&items[1], &unwanted, &Answer::Empty)];
    assert_eq!(side_by_side, wanted.map(|(item, a, b)| (item, format!("{a:?}"), format!("{b:?}"))).into());
    assert!(view.orphans.iter().all(|one| one.choice == OrphanChoice::Open));

    let number_of = |item: &ItemId| view.orphans.iter().find(|one| one.item == *item).map(|one| one.orphan);
    let (wanted, other) = (number_of(&items[0]).context("one")?, number_of(&items[1]).context("two")?);
    room.act(&new, Act::AdoptOrphan { orphan: wanted });
    room.act(&new, Act::DismissOrphan { orphan: other });
    let view = room.wait(&new, "both choices", |view| view.orphans.is_empty() && view.unsaved == 0)?;
    let shown = view.items.iter().find(|view| view.item == items[0]).context("the item")?;
    assert_eq!((&*shown.answer, shown.number, shown.saved), (&unheard, 3, Saved::OnServer));
    room.stop(old);
    room.stop(new);
    room.exam.site.stop_server()?;

    let versions: Vec<(String, u64, Value)> = room
        .facts("answer_saved")?
        .into_iter()
        .map(|fact| (fact["item"].to_string(), fact["number"].as_u64().unwrap_or(0), fact["answer"].clone()))
        .collect();
    let first = serde_json::to_value(&items[0])?.to_string();
    let all = [(1, &heard), (2, &newer), (3, &unheard)];
    let wanted: Result<Vec<_>> =
        all.map(|(n, a)| Ok((first.clone(), n, serde_json::to_value(a)?))).into_iter().collect();
    assert_eq!(versions, wanted?, "the replaced machine applied nothing, the candidate chose one");
    let kept: Vec<Value> = room.facts("orphan_kept")?.iter().map(|fact| fact["answer"].clone()).collect();
    assert_eq!(kept, [serde_json::to_value(&unheard)?, serde_json::to_value(&unwanted)?], "the journal has both");
    let chosen: Vec<Value> = room.facts("orphan_settled")?.iter().map(|fact| fact["adopted"].clone()).collect();
    ensure!(chosen.len() == 2 && chosen.contains(&Value::from(3)) && chosen.contains(&Value::Null), "{chosen:?}");
    Ok(())
}

#[test]
fn a_hand_and_a_message_outlive_a_killed_server_and_are_not_doubled() -> Result<()> {
    let mut room = Swap::open(1, 63)?;
    let sitting = room.exam.sitting.clone();
    let seat = room.sign_in()?;
    room.act(&seat, Act::RaiseHand { kind: HandKind::Machine, text: "键盘失灵".to_owned() });
    let stage = |view: &Arc<View>| view.hand.stands.as_ref().map(|stands| stands.stage);
    room.wait(&seat, "the raised hand", |view| stage(view) == Some(HandStage::Raised) && view.hand.sending.is_none())?;
    room.exam.site.kill_server()?;
    room.act(&seat, Act::RaiseHand { kind: HandKind::Machine, text: "键盘失灵".to_owned() });
    room.exam.site.start_server()?;
    room.wait(&seat, "the wish heard", |view| view.linked && view.hand.sending.is_none())?;
    room.exam.site.server(["hand", "take", "1"])?.expect_code(0)?;
    room.wait(&seat, "somebody who comes", |view| stage(view) == Some(HandStage::Taken))?;
    room.exam.site.server(["hand", "done", "1"])?.expect_code(0)?;
    room.wait(&seat, "the hand settled", |view| stage(view) == Some(HandStage::Done))?;

    room.exam.site.server(["message", "send", "--sitting", &sitting, "请看黑板"])?.expect_code(0)?;
    let view = room.wait(&seat, "the message", |view| view.messages.iter().any(|one| !one.read))?;
    let message = view.messages[0].message.message;
    room.exam.site.kill_server()?;
    room.act(&seat, Act::ReadMessage(message));
    room.exam.site.start_server()?;
    room.wait(&seat, "the link", |view| view.linked)?;
    let read = || -> Result<bool> {
        let sent = room.exam.site.server(["message", "list"])?.expect_code(0)?.json()?;
        Ok(!sent["messages"][0]["seats"][0]["read_at"].is_null())
    };
    let began = std::time::Instant::now();
    while !read()? {
        ensure!(began.elapsed() < DEADLINE, "the server never heard that the message was read");
    }
    room.stop(seat);
    room.exam.site.stop_server()?;
    for (kind, times) in [("hand_raised", 1), ("message_read", 1), ("message_delivered", 1), ("hand_lowered", 0)] {
        assert_eq!(room.facts(kind)?.len(), times, "{kind}");
    }
    Ok(())
}

#[test]
fn a_seat_whose_exam_was_ended_and_one_that_was_replaced_end_their_run_before_the_sitting_does() -> Result<()> {
    let room = Swap::open(2, 62)?;
    let mut load = room.exam.seats_ready(2)?;
    let unlock = room.exam.site.unlock_code(&room.exam.sitting)?;
    room.exam.site.start_sitting(&room.exam.sitting, &unlock)?.expect_code(0)?;
    load.wait_synced(DEADLINE, |_| {})?;
    let sitting = room.exam.sitting.clone();
    let ended = ["attendance", "end", "--sitting", &sitting, "--seat", "1", "--why", "illness", "--reason", "发烧"];
    room.exam.site.server(ended)?.expect_code(0)?;
    let spare = room.start(&room.spare)?;
    room.wait(&spare, "the spare at its desk", |view| view.desk.as_ref() == Some(&room.spare))?;
    let swap = ["attendance", "swap", "--sitting", &sitting, "--seat", "2", "--to", "3", "--reason", "黑屏"];
    room.exam.site.server(swap)?.expect_code(0)?;
    let figures = load.wait_figures(DEADLINE)?;
    assert_eq!((&figures["handed_in"], &figures["unacked"]), (&0.into(), &0.into()), "{figures}");
    assert_eq!(room.exam.status()?["sittings"][0]["phase"], "running", "the sitting goes on");
    room.stop(spare);
    Ok(())
}
