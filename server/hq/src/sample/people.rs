//! Invented candidates: names put together from common characters, numbers that check and belong to nobody (born in 1900).
//! Never a real person's data.

use super::dice::Dice;
use exam_content::id_number::check_digit;

/// One invented candidate.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) id_number: String,
    pub(super) admission_no: String,
    /// What the portrait is drawn from.
    pub(super) look: u32,
}

const SURNAMES: [&str; 24] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马",
    "罗", "梁", "宋", "欧阳", "司徒",
];
const GIVEN: [&str; 32] = [
    "子", "雨", "思", "佳", "文", "晓", "志", "明", "欣", "怡", "浩", "然", "梓", "涵", "嘉", "宁", "一", "诺", "博",
    "远", "静", "雯", "俊", "杰", "婉", "清", "立", "新", "若", "琳", "𬀩", "䶮",
];
const WITH_DOT: [&str; 4] = ["阿依努尔·买买提", "扎西·次仁", "古丽·艾力", "巴特尔·宝音"];
/// Days of January 1900: with 999 serial numbers each, more than any sample needs.
const SERIALS: usize = 999;

/// As many candidates as there are desks; every ninth or so has a name with a dot.
pub(super) fn invent(count: u16, dice: &mut Dice) -> Vec<Person> {
    (0..usize::from(count)).map(|index| person(index, dice)).collect()
}

fn person(index: usize, dice: &mut Dice) -> Person {
    let name = if dice.below(9) == 0 { (*dice.pick(&WITH_DOT)).to_owned() } else { common_name(dice) };
    let digits = format!("1101051900{:02}{:02}{:03}", 1, 1 + index / SERIALS, 1 + index % SERIALS);
    let check = check_digit(&digits).unwrap_or('0');
    Person {
        name,
        id_number: format!("{digits}{check}"),
        // 26 digits as the national samples have, 9900… so that it is nobody's.
        admission_no: format!("9900202612{:010}{:06}", 1, 100_001 + index),
        look: dice.below(1 << 16) as u32,
    }
}

fn common_name(dice: &mut Dice) -> String {
    let mut name = (*dice.pick(&SURNAMES)).to_owned();
    for _ in 0..=dice.below(2) {
        let character: &str = dice.pick::<&str>(&GIVEN);
        name.push_str(character);
    }
    name
}
