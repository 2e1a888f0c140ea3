//! Every place where bytes from outside become a value of ours, under one name each, with valid samples and a bound on
//! memory (P10). The property tests and the fuzz targets both come through here.
//! Never reaches past a crate's public entry: what is fuzzed is what the programs call.

pub mod decoders;
pub mod hostile;
mod sample;

/// Reads, and drops what it has read.
pub type Decode = Box<dyn Fn(&[u8]) + Send>;

/// A decoder under test.
pub struct Decoder {
    /// What its storm and its fuzz target are called.
    pub name: &'static str,
    /// Inputs it accepts: the soil of everything hostile.
    pub samples: Vec<Vec<u8>>,
    /// Reads; what it answers does not matter here.
    pub decode: Decode,
    /// Most bytes it may hold at any moment while it reads so many bytes.
    pub bytes_max: fn(usize) -> usize,
    /// How dear one input is: of the cases of a storm, it gets one in so many.
    pub one_in: u32,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Reads `bytes` with the decoder of that name: the body of a fuzz target. Builds the decoder once a thread.
///
/// # Panics
/// No decoder has that name; or, and that is what is looked for, it panics on these bytes.
pub fn decode(name: &'static str, bytes: &[u8]) {
    thread_local! { static OPEN: std::cell::RefCell<Option<Decoder>> = const { std::cell::RefCell::new(None) } }
    OPEN.with_borrow_mut(|open| {
        let decoder = open.get_or_insert_with(|| decoders::named(name).expect("fuzz targets are named after decoders"));
        (decoder.decode)(bytes);
    });
}
