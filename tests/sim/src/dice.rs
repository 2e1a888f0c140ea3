//! Chance from a seed. Every part of a run draws from dice of its own, named by a label, so that one more draw in one part
//! changes nothing in another. Never draws from the system.

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x5349_4d55_4c41_5445))
    }

    /// Other dice for the part named `label`, and its number where there are many of it.
    pub fn fork(&self, label: &str, number: u64) -> Self {
        let named = label.bytes().fold(self.0, |sum, byte| mix(sum ^ u64::from(byte)));
        Self(mix(named ^ mix(number)))
    }

    /// Sixty-four bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `n`; zero when `n` is.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.draw() % n }
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// Whether it happens, in `permille` of a thousand cases.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }

    /// One of them; `items` is not empty.
    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_parts_do_not_disturb_each_other() {
        let (mut a, mut b) = (Dice::new(7), Dice::new(7));
        assert!((0..100).all(|_| a.draw() == b.draw()));
        let whole = Dice::new(7);
        let before = whole.fork("net", 1).draw();
        whole.fork("disk", 1).draw();
        assert_eq!(whole.fork("net", 1).draw(), before);
        assert_ne!(whole.fork("net", 2).draw(), before);
    }
}
