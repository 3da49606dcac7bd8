//! One way to look at 64 bytes: with the instructions that a processor has.

#[cfg(test)]
use super::close_up::close_up;
use super::close_up::places;
use super::look::{look, Masks, LOOK};

pub trait Eyes {
    /// Whether outlines are worth drawing: closed up byte by byte, they take longer than reading does.
    const DRAW: bool;

    fn look(&self, bytes: &[u8; LOOK]) -> Masks;

    /// Write where the ones of a word stand, ascending, from `start` on; what is written behind them means nothing.
    fn list(&self, word: u64, start: u16, out: &mut [u16; LOOK]);

    /// Write the bytes of a look that are `kept`, closed up, those of `zeros` as 0; what is written behind them means
    /// nothing.
    fn close_up(&self, bytes: &[u8; LOOK], zeros: u64, kept: u64, out: &mut [u8; LOOK]);
}

/// What looks, lists and closes up.
pub struct By<L, P, C, const DRAW: bool>(pub L, pub P, pub C);

impl<L, P, C, const DRAW: bool> Eyes for By<L, P, C, DRAW>
where
    L: Fn(&[u8; LOOK]) -> Masks,
    P: Fn(u64, u16, &mut [u16; LOOK]),
    C: Fn(&[u8; LOOK], u64, u64, &mut [u8; LOOK]),
{
    const DRAW: bool = DRAW;

    #[inline(always)]
    fn look(&self, bytes: &[u8; LOOK]) -> Masks {
        self.0(bytes)
    }

    #[inline(always)]
    fn list(&self, word: u64, start: u16, out: &mut [u16; LOOK]) {
        self.1(word, start, out);
    }

    #[inline(always)]
    fn close_up(&self, bytes: &[u8; LOOK], zeros: u64, kept: u64, out: &mut [u8; LOOK]) {
        self.2(bytes, zeros, kept, out);
    }
}

type Look = fn(&[u8; LOOK]) -> Masks;
type List = fn(u64, u16, &mut [u16; LOOK]);
type CloseUp = fn(&[u8; LOOK], u64, u64, &mut [u8; LOOK]);

/// For where outlines are not drawn.
pub fn undrawn(_bytes: &[u8; LOOK], _zeros: u64, _kept: u64, _out: &mut [u8; LOOK]) {}

/// Without any instructions that a processor may lack.
pub const PORTABLE: By<Look, List, CloseUp, false> = By(look, places, undrawn);
/// As `PORTABLE`, drawing outlines for what they are worth.
#[cfg(test)]
pub const DRAWING: By<Look, List, CloseUp, true> = By(look, places, close_up);
