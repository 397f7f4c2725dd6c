//! Numbers from a seed (splitmix64).

/// A source of numbers; the same seed gives the same.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Starts anew.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5EED)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound.max(1)
    }

    /// One of the values.
    pub fn one_of<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        let at = self.below(values.len() as u64) as usize;
        values.get(at).copied()
    }

    /// A number from -1 to 1, near nought more often than not.
    pub fn around_nought(&mut self) -> f32 {
        let unit = |bits: u64| (bits >> 40) as f32 / (1u64 << 24) as f32;
        (unit(self.bits()) + unit(self.bits()) + unit(self.bits())) / 1.5 - 1.0
    }
}
