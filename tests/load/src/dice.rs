//! Seeded chance: what a candidate answers and how long it takes. Never the system's randomness: the same seed gives the
//! same answers.

use exam_protocol::{
    answer::{Answer, BLANK_CHARS_MAX},
    paper::{Choice, Item, ItemKind},
};

const WORDS: [&str; 8] = [
    "先统计缺失值，再按均值填补。",
    "标注规则应当一致",
    "抽检比例不低于百分之十",
    "复核由另一人完成",
    "数据清洗",
    "归一化",
    "训练集与测试集分开",
    "记录每一步的原因；",
];

/// SplitMix64: small, seeded, good enough for candidates.
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice of one seat.
    pub(crate) fn new(seed: u64, seat: usize) -> Self {
        let mut dice = Dice(seed ^ (seat as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        dice.next();
        dice
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `n - 1`; 0 for none.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next() % n as u64) as usize }
    }

    /// A pause between half and one and a half of `mean` milliseconds.
    pub(crate) fn pause_ms(&mut self, mean: u64) -> u64 {
        mean / 2 + self.next() % (mean + 1)
    }

    /// An answer that fits `item`.
    pub(crate) fn answer(&mut self, item: &Item) -> Answer {
        match &item.kind {
            ItemKind::SingleChoice { options } => {
                self.option(options).map_or(Answer::Empty, |option| Answer::Single(option.id.clone()))
            }
            ItemKind::MultipleChoice { options } => {
                let chosen =
                    options.iter().filter(|_| self.next().is_multiple_of(2)).map(|option| option.id.clone()).collect();
                let answer = Answer::Multiple(chosen);
                let one = self.option(options).map(|option| option.id.clone());
                if answer.is_given() { answer } else { Answer::Multiple(one.into_iter().collect()) }
            }
            ItemKind::TrueFalse => Answer::TrueFalse(self.next().is_multiple_of(2)),
            ItemKind::FillIn { blanks } => {
                Answer::Blanks((0..*blanks).map(|_| self.words(BLANK_CHARS_MAX, 2)).collect())
            }
            ItemKind::ShortText { chars_max } => Answer::Text(self.words(*chars_max as usize, 12)),
        }
    }

    fn option<'a>(&mut self, options: &'a [Choice]) -> Option<&'a Choice> {
        options.get(self.below(options.len()))
    }

    fn words(&mut self, chars_max: usize, count_max: usize) -> String {
        let count = 1 + self.below(count_max);
        let text: String = (0..count).map(|_| WORDS[self.below(WORDS.len())]).collect();
        let text = format!("{text}{}", self.next() % 1_000);
        text.chars().take(chars_max).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: ItemKind) -> Item {
        Item { id: "q1".parse().unwrap(), points_tenths: 10, stem: vec!["…".into()], kind }
    }

    #[test]
    fn every_answer_fits_its_item_and_is_given() {
        let options: Vec<_> = ["A", "B", "C"].map(|id| Choice { id: id.parse().unwrap(), text: "…".into() }).into();
        let kinds = [
            ItemKind::SingleChoice { options: options.clone() },
            ItemKind::MultipleChoice { options },
            ItemKind::TrueFalse,
            ItemKind::FillIn { blanks: 3 },
            ItemKind::ShortText { chars_max: 5 },
        ];
        let mut dice = Dice::new(7, 3);
        for item in kinds.map(item) {
            for _ in 0..200 {
                let answer = dice.answer(&item);
                assert_eq!((answer.fits(&item), answer.is_given()), (Ok(()), true), "{answer:?}");
            }
        }
    }

    #[test]
    fn pauses_stay_between_half_and_one_and_a_half() {
        let mut dice = Dice::new(1, 1);
        assert!((0..1_000).map(|_| dice.pause_ms(100)).all(|ms| (50..=150).contains(&ms)));
        assert_eq!(dice.pause_ms(0), 0);
    }
}
