//! Left-aligning: an insertion or deletion inside a repeat, written at the repeat's left end.
//!
//! Source: A. Tan, G. Abecasis, H. Kang, "Unified representation of genetic variants" (Bioinformatics 2015).

use super::fault::Fault;

/// Farther than any repeat reaches, save for a stretch of Ns.
const FARTHEST: u32 = 1 << 26;

/// The alleles of one variant, upper case; its buffers are used again for the next one.
#[derive(Default)]
pub struct Alleles {
    pub reference: Vec<u8>,
    pub alternate: Vec<u8>,
}

impl Alleles {
    pub fn set(&mut self, reference: &[u8], alternate: &[u8]) {
        let fill = |target: &mut Vec<u8>, allele: &[u8]| {
            target.clear();
            match allele {
                [base] => target.push(base.to_ascii_uppercase()),
                _ => target.extend(allele.iter().map(u8::to_ascii_uppercase)),
            }
        };
        fill(&mut self.reference, reference);
        fill(&mut self.alternate, alternate);
    }

    /// Shift the variant at 1-based `pos` as far left as it stays the same change; returns where it is then.
    ///
    /// `base` gives the reference's base at a 1-based position. Neither allele is empty.
    pub fn left_align(&mut self, pos: u32, base: impl FnMut(u32) -> Result<u8, Fault>) -> Result<u32, Fault> {
        let Self { reference, alternate } = self;
        if reference.len() == alternate.len() || reference.last() != alternate.last() {
            return Ok(pos);
        }
        // Backwards, what is taken off the end is skipped at the front, and what comes in is pushed.
        reference.reverse();
        alternate.reverse();
        let (skipped, pos) = shift(pos, reference, alternate, base)?;
        let shorter = reference.len().min(alternate.len()) - skipped;
        let pairs = reference.iter().rev().zip(alternate.iter().rev());
        let shared = pairs.take(shorter - 1).take_while(|(one, other)| one == other).count();
        for allele in [reference, alternate] {
            allele.truncate(allele.len() - shared);
            allele.drain(..skipped);
            allele.reverse();
        }
        Ok(pos + u32::try_from(shared).unwrap_or(u32::MAX))
    }

    /// The last base of the reference that keeps the variant at 1-based `pos` from being written farther right: the one
    /// behind the repeat that it stands in. Of a variant that is in none, it is the last one of REF, or the next.
    ///
    /// `base` gives the reference's base at a 1-based position, and none behind its end. Neither allele is empty.
    pub fn reach(
        &self,
        pos: u32,
        mut base: impl FnMut(u32) -> Result<Option<u8>, Fault>,
    ) -> Result<u32, Fault> {
        let (mut reference, mut alternate) = (self.reference.clone(), self.alternate.clone());
        let mut last = pos.saturating_add(u32::try_from(reference.len()).unwrap_or(u32::MAX)) - 1;
        let (mut skipped, farthest) = (0, last.saturating_add(FARTHEST));
        while reference[skipped] == alternate[skipped] && last < farthest {
            if reference.len().min(alternate.len()) - skipped == 1 {
                last += 1;
                let Some(behind) = base(last)? else { break };
                reference.push(behind);
                alternate.push(behind);
            }
            skipped += 1;
        }
        Ok(last)
    }
}

fn shift(
    mut pos: u32,
    reference: &mut Vec<u8>,
    alternate: &mut Vec<u8>,
    mut base: impl FnMut(u32) -> Result<u8, Fault>,
) -> Result<(usize, u32), Fault> {
    let (mut skipped, leftmost) = (0, pos.saturating_sub(FARTHEST).max(1));
    while reference[skipped] == alternate[skipped] {
        if reference.len().min(alternate.len()) - skipped == 1 {
            if pos <= leftmost {
                break;
            }
            pos -= 1;
            let before = base(pos)?;
            reference.push(before);
            alternate.push(before);
        }
        skipped += 1;
    }
    Ok((skipped, pos))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(pos: u32, reference: &[u8], alternate: &[u8]) -> (u32, String, String) {
        let sequence = b"GGGCACACACAGGG";
        let mut alleles = Alleles::default();
        alleles.set(reference, alternate);
        let pos = alleles.left_align(pos, |pos| Ok(sequence[pos as usize - 1])).unwrap_or(0);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (pos, text(&alleles.reference), text(&alleles.alternate))
    }

    #[test]
    fn a_change_in_a_repeat_moves_to_its_left_end() {
        assert_eq!(aligned(8, b"cac", b"C"), (3, "GCA".into(), "G".into()));
        assert_eq!(aligned(2, b"G", b"GG"), (1, "G".into(), "GG".into()));
        assert_eq!(aligned(3, b"GCA", b"G"), (3, "GCA".into(), "G".into()));
    }

    #[test]
    fn a_change_reaches_the_base_behind_its_repeat() {
        let sequence = b"GGGCACACACAGGG";
        let reached = |pos, reference: &[u8], alternate: &[u8]| {
            let mut alleles = Alleles::default();
            alleles.set(reference, alternate);
            alleles.reach(pos, |pos| Ok(sequence.get(pos as usize - 1).copied())).unwrap_or(0)
        };
        // From wherever it is written: CACACACA ends at 11.
        assert_eq!([reached(3, b"GCA", b"G"), reached(8, b"CAC", b"C"), reached(9, b"ACA", b"A")], [12; 3]);
        assert_eq!([reached(3, b"G", b"GCA"), reached(11, b"A", b"ACA")], [12; 2]);
        assert_eq!(
            [reached(3, b"G", b"GT"), reached(3, b"GCA", b"TT"), reached(11, b"AG", b"A")],
            [4, 5, 15]
        );
    }
}
