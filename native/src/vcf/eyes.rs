//! One way to look at 64 bytes: with the instructions that a processor has.

#[cfg(test)]
use super::close_up::close_up;
use super::close_up::places;
use super::look::{look, Ends, Inks, Masks, LOOK};

pub trait Eyes {
    /// Whether outlines are worth drawing: closed up byte by byte, they take longer than reading does.
    const DRAW: bool;

    fn ends(&self, bytes: &[u8; LOOK]) -> Ends;

    fn inks(&self, bytes: &[u8; LOOK]) -> Inks;

    fn masks(&self, bytes: &[u8; LOOK]) -> Masks;

    /// Write where the ones of a word stand, ascending, from `start` on; what is written behind them means nothing.
    fn list(&self, word: u64, start: u16, out: &mut [u16; LOOK]);

    /// Write the bytes of a look that are `kept`, closed up, those of `zeros` as 0; what is written behind them means
    /// nothing.
    fn close_up(&self, bytes: &[u8; LOOK], zeros: u64, kept: u64, out: &mut [u8; LOOK]);
}

/// What looks at ends, inks and everything, lists, and closes up.
pub struct By<E, I, M, P, C, const DRAW: bool>(pub E, pub I, pub M, pub P, pub C);

impl<E, I, M, P, C, const DRAW: bool> Eyes for By<E, I, M, P, C, DRAW>
where
    E: Fn(&[u8; LOOK]) -> Ends,
    I: Fn(&[u8; LOOK]) -> Inks,
    M: Fn(&[u8; LOOK]) -> Masks,
    P: Fn(u64, u16, &mut [u16; LOOK]),
    C: Fn(&[u8; LOOK], u64, u64, &mut [u8; LOOK]),
{
    const DRAW: bool = DRAW;

    #[inline(always)]
    fn ends(&self, bytes: &[u8; LOOK]) -> Ends {
        self.0(bytes)
    }

    #[inline(always)]
    fn inks(&self, bytes: &[u8; LOOK]) -> Inks {
        self.1(bytes)
    }

    #[inline(always)]
    fn masks(&self, bytes: &[u8; LOOK]) -> Masks {
        self.2(bytes)
    }

    #[inline(always)]
    fn list(&self, word: u64, start: u16, out: &mut [u16; LOOK]) {
        self.3(word, start, out);
    }

    #[inline(always)]
    fn close_up(&self, bytes: &[u8; LOOK], zeros: u64, kept: u64, out: &mut [u8; LOOK]) {
        self.4(bytes, zeros, kept, out);
    }
}

type Look<K> = fn(&[u8; LOOK]) -> K;
type List = fn(u64, u16, &mut [u16; LOOK]);
type CloseUp = fn(&[u8; LOOK], u64, u64, &mut [u8; LOOK]);
type Slow<const DRAW: bool> = By<Look<Ends>, Look<Inks>, Look<Masks>, List, CloseUp, DRAW>;

/// For where outlines are not drawn.
pub fn undrawn(_bytes: &[u8; LOOK], _zeros: u64, _kept: u64, _out: &mut [u8; LOOK]) {}

/// Without any instructions that a processor may lack.
pub const PORTABLE: Slow<false> = By(look, look, look, places, undrawn);
/// As `PORTABLE`, drawing outlines for what they are worth.
#[cfg(test)]
pub const DRAWING: Slow<true> = By(look, look, look, places, close_up);
