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

    /// Shift the trimmed variant at 1-based `pos` as far left as it stays the same change; returns where it is then.
    ///
    /// `before` gives the reference's bases before `pos`, each time the next one to the left. Neither allele is empty.
    pub fn left_align(
        &mut self,
        pos: u32,
        mut before: impl FnMut() -> Result<u8, Fault>,
    ) -> Result<u32, Fault> {
        let Self { reference, alternate } = self;
        let (single, longer) =
            if reference.len() == 1 { (reference, alternate) } else { (alternate, reference) };
        // Trimmed alleles that have several bases both do not end alike.
        let ([anchor], [_, .., last]) = (&mut single[..], &longer[..]) else { return Ok(pos) };
        let leftmost = pos.saturating_sub(FARTHEST).max(1);
        if anchor != last || pos <= leftmost {
            return Ok(pos);
        }
        let mut moved = 0;
        if longer[0] != *anchor {
            // What is put in or left out stands before the single base: it has its anchor before itself.
            longer.rotate_right(1);
            (*anchor, moved) = (before()?, 1);
        }
        // A step to the left takes the last base of the change to its front.
        let [first, change @ ..] = &mut longer[..] else { return Ok(pos) };
        let mut end = change.len();
        while change[end - 1] == *anchor && pos - moved > leftmost {
            (*anchor, moved) = (before()?, moved + 1);
            end = if end == 1 { change.len() } else { end - 1 };
        }
        change.rotate_left(end % change.len());
        *first = *anchor;
        Ok(pos - moved)
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

#[cfg(test)]
mod tests {
    use super::super::rows::trim;
    use super::*;

    /// The bases of a sequence before a 1-based position, backwards.
    fn before(sequence: &[u8], mut pos: u32) -> impl FnMut() -> Result<u8, Fault> + '_ {
        move || {
            pos -= 1;
            Ok(sequence[pos as usize - 1])
        }
    }

    /// As `left_align`, of any alleles, step by step as the source has it: what both end with is dropped, and where one
    /// becomes empty, both are given the base before them; what both begin with is dropped at the end.
    fn slowly(mut pos: u32, alleles: [&[u8]; 2], sequence: &[u8]) -> (u32, Vec<u8>, Vec<u8>) {
        let [mut one, mut other] = alleles.map(<[u8]>::to_vec);
        while one.last() == other.last() {
            if one.len().min(other.len()) == 1 {
                if pos == 1 {
                    break;
                }
                pos -= 1;
                one.insert(0, sequence[pos as usize - 1]);
                other.insert(0, sequence[pos as usize - 1]);
            }
            one.pop();
            other.pop();
        }
        while one.len().min(other.len()) > 1 && one[0] == other[0] {
            one.remove(0);
            other.remove(0);
            pos += 1;
        }
        (pos, one, other)
    }

    /// All texts of two letters of this length.
    fn texts(length: u32) -> impl Iterator<Item = Vec<u8>> {
        (0..1_u32 << length).map(move |bits| (0..length).map(|at| b"AC"[(bits >> at & 1) as usize]).collect())
    }

    #[test]
    fn aligning_is_what_its_source_says_of_all_short_sequences() {
        for sequence in texts(6) {
            for (pos, length) in (1..=6_u32).flat_map(|pos| (1..=7 - pos).map(move |length| (pos, length))) {
                let reference = &sequence[pos as usize - 1..(pos + length) as usize - 1];
                for alternate in (1..5).flat_map(texts) {
                    let (pos, reference, alternate) = trim(pos, reference, &alternate);
                    if reference == alternate {
                        continue;
                    }
                    let mut alleles = Alleles::default();
                    alleles.set(reference, alternate);
                    let found = alleles.left_align(pos, before(&sequence, pos)).unwrap_or(0);
                    let slow = slowly(pos, [reference, alternate], &sequence);
                    assert_eq!((found, alleles.reference, alleles.alternate), slow);
                }
            }
        }
    }

    fn aligned(pos: u32, reference: &[u8], alternate: &[u8]) -> (u32, String, String) {
        let sequence = b"GGGCACACACAGGG";
        let mut alleles = Alleles::default();
        alleles.set(reference, alternate);
        let pos = alleles.left_align(pos, before(sequence, pos)).unwrap_or(0);
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
