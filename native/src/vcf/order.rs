//! Across lines: contigs in one piece, positions ascending, no variant twice.

use std::collections::btree_map::Entry;
use std::collections::BTreeMap;

use super::fault::{quoted, Fault};
use super::names::Names;

/// Variants that are kept in a list; what a hostile file has beyond, in a tree.
const FEW: usize = 8;

/// Append an allele, which mostly is one base.
#[inline(always)]
fn append(bytes: &mut Vec<u8>, allele: &[u8]) {
    match allele {
        [base] => bytes.push(*base),
        _ => bytes.extend_from_slice(allele),
    }
}

/// A trimmed variant at or behind the current position (trimming moves a variant only forwards).
#[derive(Default)]
struct Ahead {
    pos: u32,
    reference: Vec<u8>,
    alternate: Vec<u8>,
    /// Whether anyone carries it.
    carried: bool,
}

/// What the lines so far have established.
#[derive(Default)]
pub struct Order {
    pub contigs: Names,
    current: Option<u16>,
    last_pos: u32,
    /// The first `listed` of these count; the others wait to be written over.
    few: Vec<Ahead>,
    listed: usize,
    /// The highest position of a variant that was noted on this contig, or 0.
    farthest: u32,
    many: BTreeMap<(u32, Vec<u8>), bool>,
}

impl Order {
    /// Step to a record and return its contig's number.
    pub fn step(&mut self, name: &[u8], pos: u32) -> Result<u16, Fault> {
        // `<1>` points to the contig 1.
        let name = name.strip_prefix(b"<").and_then(|name| name.strip_suffix(b">")).unwrap_or(name);
        if let Some(current) = self.current.filter(|current| self.contigs.is(*current, name)) {
            if pos < self.last_pos {
                let sentence = format!("{pos} comes after {}: a contig's records must ascend", self.last_pos);
                return Err(Fault::new("vcf.unsorted", "POS", sentence));
            }
            self.last_pos = pos;
            self.forget_before(pos);
            return Ok(current);
        }
        if self.contigs.has(name) {
            let sentence = format!("the records of contig {} are not in one piece", quoted(name));
            return Err(Fault::new("vcf.not-contiguous", "CHROM", sentence));
        }
        self.enter(name, pos)
    }

    /// Go to a record wherever it stands, and return its contig's number.
    pub fn enter(&mut self, name: &[u8], pos: u32) -> Result<u16, Fault> {
        let name = name.strip_prefix(b"<").and_then(|name| name.strip_suffix(b">")).unwrap_or(name);
        let number = self.contigs.number(name, "CHROM")?;
        self.forget();
        (self.current, self.last_pos) = (Some(number), pos);
        Ok(number)
    }

    /// Whether a position of the current contig lies behind every record and every variant so far: the record there comes
    /// in order, and its variants cannot stand twice.
    #[inline]
    pub fn is_news(&self, pos: u32) -> bool {
        pos > self.last_pos.max(self.farthest)
    }

    /// Step to a record that is news.
    #[inline]
    pub fn step_to_news(&mut self, pos: u32) {
        self.last_pos = pos;
        self.forget();
    }

    /// Note a trimmed variant of the current contig; false says that it may be left out as a repetition.
    ///
    /// A variant that stands twice is refused, for it would count twice, unless nobody carries it in either.
    pub fn note(
        &mut self,
        pos: u32,
        reference: &[u8],
        alternate: &[u8],
        carried: bool,
    ) -> Result<bool, Fault> {
        let known = self.few[..self.listed]
            .iter()
            .find(|ahead| ahead.pos == pos && ahead.reference == reference && ahead.alternate == alternate);
        let earlier = match known {
            Some(ahead) => ahead.carried,
            None if self.listed < FEW && self.many.is_empty() => {
                self.list(pos, reference, alternate, carried);
                return Ok(true);
            }
            None => match self.many.entry((pos, [reference, b">", alternate].concat())) {
                Entry::Vacant(free) => {
                    free.insert(carried);
                    self.farthest = self.farthest.max(pos);
                    return Ok(true);
                }
                Entry::Occupied(earlier) => *earlier.get(),
            },
        };
        if !carried && !earlier {
            return Ok(false);
        }
        let sentence =
            format!("the variant {} > {} at {pos} stands twice", quoted(reference), quoted(alternate));
        Err(Fault::new("vcf.duplicate-variant", "POS, REF, ALT", sentence))
    }

    /// Note a variant, the first one of a record that is news.
    #[inline(always)]
    pub fn list(&mut self, pos: u32, reference: &[u8], alternate: &[u8], carried: bool) {
        if self.listed == self.few.len() {
            self.few.push(Ahead::default());
        }
        let free = &mut self.few[self.listed];
        (free.pos, free.carried) = (pos, carried);
        for (kept, allele) in [(&mut free.reference, reference), (&mut free.alternate, alternate)] {
            kept.clear();
            append(kept, allele);
        }
        self.listed += 1;
        self.farthest = self.farthest.max(pos);
    }

    fn forget(&mut self) {
        (self.listed, self.farthest) = (0, 0);
        self.many.clear();
    }

    fn forget_before(&mut self, pos: u32) {
        if self.farthest < pos {
            return self.forget();
        }
        for place in (0..self.listed).rev() {
            if self.few[place].pos < pos {
                self.listed -= 1;
                self.few.swap(place, self.listed);
            }
        }
        while self.many.first_key_value().is_some_and(|((ahead, _), _)| *ahead < pos) {
            self.many.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_behind_everything_is_news() {
        let mut order = Order::default();
        assert_eq!(order.step(b"1", 5), Ok(0));
        assert!(!order.is_news(5) && order.is_news(6));
        assert_eq!(order.note(8, b"A", b"C", true), Ok(true));
        assert!(!order.is_news(8) && order.is_news(9));
        order.step_to_news(9);
        order.list(9, b"A", b"C", true);
        assert!(order.note(9, b"A", b"C", true).is_err() && order.step(b"1", 8).is_err());
        assert_eq!(order.step(b"1", 10), Ok(0));
        for length in 1..20 {
            assert_eq!(order.note(10 + length, b"A", b"C", true), Ok(true));
        }
        assert!(!order.is_news(29) && order.is_news(30));
        assert_eq!(order.step(b"2", 1), Ok(1));
        assert!(order.is_news(2));
    }

    #[test]
    fn a_variant_that_stands_twice_is_found_among_few_and_among_many() {
        let mut order = Order::default();
        for pos in [5, 6] {
            assert_eq!(order.step(b"1", pos), Ok(0));
            for length in 1..30 {
                assert_eq!(order.note(7, b"A", &vec![b'C'; length], length > 20), Ok(pos == 5));
                if pos == 6 && length == 20 {
                    assert!(order.note(7, b"A", &[b'C'; 21], false).is_err());
                    break;
                }
            }
        }
        assert_eq!(order.step(b"1", 8), Ok(0));
        assert_eq!(order.note(8, b"A", b"C", true), Ok(true));
        assert!(order.few[..order.listed].len() == 1 && order.many.is_empty());
    }
}
