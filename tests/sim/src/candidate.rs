//! A candidate at a seat: signs in, looks, types, hands in, as the dice say. Sees only the screen, and goes along to another
//! machine when the staff say so.

use crate::{
    chronicle::Chronicle,
    dice::Dice,
    seat::SeatMachine,
    site::{HAND_IN_MIN, ITEMS, admission_no, item},
};
use exam_protocol::{answer::Answer, time::minutes};
use exam_session::{Act, HandInView, Screen, View};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Mutex;

/// All machines of a room.
pub type Machines = Arc<Vec<Mutex<SeatMachine>>>;

/// A candidate.
pub struct Candidate {
    /// Which one.
    pub index: usize,
    /// At which machine now.
    pub at: Arc<AtomicUsize>,
    /// Whether everybody was asked to stop typing for a moment.
    pub hold: Arc<AtomicBool>,
    /// All machines.
    pub machines: Machines,
    /// The record.
    pub chronicle: Chronicle,
    /// Chance.
    pub dice: Dice,
}

impl Candidate {
    /// Sits through the exam; never ends by itself.
    pub async fn sit(mut self) {
        let think_ms = self.dice.between(300, 4_000);
        let early = self.dice.chance(200);
        let mut words = 0;
        loop {
            let pause = self.dice.between(think_ms / 2, think_ms * 3 / 2);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            if self.hold.load(Ordering::SeqCst) {
                continue;
            }
            let machine = &self.machines.clone()[self.at.load(Ordering::SeqCst)];
            let machine = machine.lock().await;
            let Some(view) = machine.view() else { continue };
            for act in self.next(&view, early, &mut words) {
                machine.act(act).await;
            }
        }
    }

    fn next(&mut self, view: &View, early: bool, words: &mut u64) -> Vec<Act> {
        match view.screen {
            Screen::SigningIn if view.linked && !view.signing_in => {
                let admission_no = admission_no(self.index);
                let password = admission_no.initial_password().to_owned();
                vec![Act::DismissNotice, Act::SignIn { admission_no, password }]
            }
            Screen::Working if view.closed.is_none() => self.work(view, early, words),
            _ => Vec::new(),
        }
    }

    fn work(&mut self, view: &View, early: bool, words: &mut u64) -> Vec<Act> {
        let late = view.left_ms.is_some_and(|left| left < minutes(u64::from(HAND_IN_MIN)));
        if early && late && view.hand_in == HandInView::Open && self.dice.chance(100) {
            return vec![Act::HandIn];
        }
        let index = self.dice.below(ITEMS as u64) as usize;
        if self.dice.chance(80) {
            return vec![Act::Show(item(index))];
        }
        *words += 1;
        self.chronicle.lock().typed += 1;
        let mut acts = vec![Act::Type { item: item(index), answer: self.answer(index, *words) }];
        if self.dice.chance(500) {
            acts.push(Act::Leave(item(index)));
        }
        acts
    }

    /// Texts are never given twice, so that each can be traced to where it was typed.
    fn answer(&mut self, index: usize, words: u64) -> Answer {
        let text = format!("第{}人第{words}答", self.index);
        match index {
            0 => Answer::Single(self.dice.one_of(&["A", "B", "C"]).parse().expect("an option's id")),
            1 => Answer::TrueFalse(self.dice.chance(500)),
            2 => Answer::Blanks(vec![text, String::new()]),
            _ => Answer::Text(text),
        }
    }
}
