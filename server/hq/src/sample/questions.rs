//! Invented questions of all five kinds, made from the facts by dice.
//! Never asks the same question twice.

use super::{
    dice::Dice,
    facts::{FACTS, Fact, GROUPS, TRADES},
};
use std::collections::BTreeSet;

/// Tries to draw a question that is not there yet, before it gets a number of its own.
const TRIES_MAX: usize = 40;

/// What is asked and what is right; indexes count options from 0.
pub(super) enum Asked {
    Single {
        options: Vec<String>,
        right: usize,
    },
    Multiple {
        options: Vec<String>,
        right: BTreeSet<usize>,
    },
    Judgement {
        right: bool,
    },
    /// Blank by blank, the texts that are equally right.
    FillIn {
        blanks: Vec<Vec<String>>,
    },
    ShortText {
        reference: String,
    },
}

/// One question.
pub(super) struct Question {
    pub(super) stem: String,
    pub(super) asked: Asked,
    pub(super) points: u8,
    pub(super) difficulty: &'static str,
}

/// `count` questions: of twenty, eight single choices, four multiple, four judgements, three to fill in, one short text,
/// grouped by kind as papers are.
pub(super) fn invent(count: u16, dice: &mut Dice) -> Vec<Question> {
    const MIX: [usize; 20] = [0, 1, 2, 3, 4, 0, 2, 0, 1, 3, 0, 2, 0, 1, 0, 3, 0, 2, 0, 1];
    let mut kinds: Vec<usize> = (0..usize::from(count)).map(|index| MIX[index % MIX.len()]).collect();
    kinds.sort_unstable();
    let mut stems = BTreeSet::new();
    kinds.into_iter().map(|kind| fresh(kind, &mut stems, dice)).collect()
}

/// A question whose stem is not among `stems`.
fn fresh(kind: usize, stems: &mut BTreeSet<String>, dice: &mut Dice) -> Question {
    let mut question = draw(kind, dice);
    for _ in 0..TRIES_MAX {
        if stems.insert(question.stem.clone()) {
            return question;
        }
        question = draw(kind, dice);
    }
    question.stem = format!("（情境 {}）{}", stems.len() + 1, question.stem);
    stems.insert(question.stem.clone());
    question
}

fn draw(kind: usize, dice: &mut Dice) -> Question {
    let difficulty = dice.pick(&["简单", "中等", "困难"]);
    let (stem, asked, points) = match kind {
        0 => single(dice),
        1 => multiple(dice),
        2 => judgement(dice),
        3 => fill_in(dice),
        _ => short_text(dice),
    };
    Question { stem, asked, points, difficulty }
}

type Drawn = (String, Asked, u8);

/// Four different facts.
fn four(dice: &mut Dice) -> Vec<&'static Fact> {
    dice.shuffled(FACTS.iter().collect::<Vec<_>>()).into_iter().take(4).collect()
}

fn single(dice: &mut Dice) -> Drawn {
    let facts = four(dice);
    let right = dice.below(4);
    let asked = facts[right];
    let words = |of: fn(&Fact) -> &'static str| facts.iter().map(|fact| of(fact).to_owned()).collect::<Vec<_>>();
    match dice.below(3) {
        0 => {
            (format!("“{}”指的是（ ）。", asked.word), Asked::Single { options: words(|fact| fact.meaning), right }, 2)
        }
        1 => (
            format!("{}，这在数字营销中称为（ ）。", asked.meaning),
            Asked::Single { options: words(|fact| fact.word), right },
            2,
        ),
        _ => arithmetic(right, dice),
    }
}

/// A click rate in percent: numbers that come out even.
fn arithmetic(right: usize, dice: &mut Dice) -> Drawn {
    let (percent, thousands) = (2 + dice.below(7), 2 + dice.below(48));
    let trade = dice.pick(TRADES);
    let stem = format!(
        "某{trade}企业的广告展示 {} 次，获得点击 {} 次，其点击率为（ ）。",
        thousands * 1_000,
        thousands * percent * 10
    );
    let mut shares = vec![percent + 1, percent + 3, percent * 10];
    shares.insert(right, percent);
    let options = shares.iter().map(|share| format!("{share}%")).collect();
    (stem, Asked::Single { options, right }, 2)
}

fn multiple(dice: &mut Dice) -> Drawn {
    let group = dice.below(GROUPS.len());
    let other = (group + 1 + dice.below(GROUPS.len() - 1)) % GROUPS.len();
    let count = 2 + dice.below(2);
    let inside = dice.shuffled(GROUPS[group].members.to_vec()).into_iter().take(count).map(|member| (member, true));
    let outside =
        dice.shuffled(GROUPS[other].members.to_vec()).into_iter().take(5 - count).map(|member| (member, false));
    let mixed = dice.shuffled(inside.chain(outside).collect::<Vec<_>>());
    let right = mixed.iter().enumerate().filter(|(_, (_, is_right))| *is_right).map(|(index, _)| index).collect();
    let stem = format!("某{}企业制订营销计划，下列属于{}的有（ ）。", dice.pick(TRADES), GROUPS[group].name);
    (stem, Asked::Multiple { options: mixed.iter().map(|(member, _)| (*member).to_owned()).collect(), right }, 3)
}

fn judgement(dice: &mut Dice) -> Drawn {
    let facts = four(dice);
    let right = dice.below(2) == 0;
    let meaning = if right { facts[0].meaning } else { facts[1].meaning };
    (format!("{}是{meaning}。", facts[0].word), Asked::Judgement { right }, 1)
}

fn fill_in(dice: &mut Dice) -> Drawn {
    let facts = four(dice);
    let accepted = |fact: &Fact| {
        [fact.word, fact.alias]
            .iter()
            .filter(|word| !word.is_empty())
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    if dice.below(3) == 0 {
        let stem = format!("____是{}；____是{}。", facts[0].meaning, facts[1].meaning);
        return (stem, Asked::FillIn { blanks: vec![accepted(facts[0]), accepted(facts[1])] }, 4);
    }
    (format!("{}称为____。", facts[0].meaning), Asked::FillIn { blanks: vec![accepted(facts[0])] }, 2)
}

fn short_text(dice: &mut Dice) -> Drawn {
    let fact = dice.pick(FACTS);
    let trade = dice.pick(TRADES);
    let stem = format!("请说明什么是{}，并举一个{trade}企业的例子。\n（不少于 50 字）", fact.word);
    let reference = format!("含义：{}。例子合理、与{trade}相关即可。", fact.meaning);
    (stem, Asked::ShortText { reference }, 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_bank_has_no_question_twice() {
        let questions = invent(500, &mut Dice::new(7));
        let stems: BTreeSet<&str> = questions.iter().map(|question| question.stem.as_str()).collect();
        assert_eq!(stems.len(), 500);
    }

    #[test]
    fn options_of_one_question_differ() {
        for question in invent(500, &mut Dice::new(3)) {
            if let Asked::Single { options, .. } | Asked::Multiple { options, .. } = &question.asked {
                assert_eq!(options.iter().collect::<BTreeSet<_>>().len(), options.len(), "{}", question.stem);
            }
        }
    }
}
