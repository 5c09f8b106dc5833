//! Chances that can be had again: a number for each seed, fault, identity and count, with no state between them.
//!
//! Written out here, since a seed that somebody noted must mean the same in the next version of the program, which no library
//! of random numbers promises.

use crate::protocol::fault::MILLION;
use crate::twin::TwinId;

/// Offset and prime of FNV-1a, 64 bits.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
/// The step of `SplitMix64`: the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Debug, Clone, Copy)]
pub struct Draw(u64);

impl Draw {
    /// For the fault at this place.
    pub fn new(seed: u64, index: usize) -> Self {
        Self(mix(seed) ^ index as u64).next()
    }

    /// For this identity the so manieth time.
    pub fn of(self, id: Option<&TwinId>, count: u64) -> Self {
        let name = id.map_or(FNV_OFFSET, |id| {
            let module = id.module.iter().flat_map(|module| b"/".iter().chain(module.as_bytes()));
            id.device
                .as_bytes()
                .iter()
                .chain(module)
                .fold(FNV_OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
        });
        Self(Self(self.0 ^ mix(name)).next().0 ^ count).next()
    }

    /// True so many times in a million.
    pub fn chance(self, millionths: u32) -> bool {
        self.below(u64::from(MILLION)) < u64::from(millionths)
    }

    /// From 0 to `end - 1`; 0 when `end` is 0. What is left of evenness after the multiplication is below one in 2^40 here.
    pub fn below(self, end: u64) -> u64 {
        // Another number for another purpose: a chance that came true must say nothing about the measure.
        let number = mix(self.0 ^ end.wrapping_mul(GOLDEN));
        u64::try_from((u128::from(number) * u128::from(end)) >> 64).unwrap_or(0)
    }

    fn next(self) -> Self {
        Self(mix(self.0.wrapping_add(GOLDEN)))
    }
}

/// The finaliser of `SplitMix64`.
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
