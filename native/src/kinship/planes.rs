//! Planes of bits of one person, and what two people's planes have in common.
//!
//! A variant is one bit in each of three planes: homozygous, homozygous for the alternate allele, missing. Whoever has
//! none of them is heterozygous. Variants behind the last one are homozygous for the reference in everybody, which
//! changes no count.

use crate::cpu::widest;
use crate::packing::even_bits;

/// Words counted side by side: as many as the widest register holds.
const LANES: usize = 8;
/// Variants of a line: one bit of each lane's word.
pub const LINE: usize = 64 * LANES;
/// Lines of a piece at most: 16,384 variants. Two groups of 64 people stay in the second-level cache.
const LONGEST: usize = 32;
/// People of the first group that are counted at once, so that one of the second is read once for all of them.
const TOGETHER: usize = 4;

/// Both planes of a line, side by side. It begins at a cache line: no load crosses two.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Homozygous {
    either: [u64; LANES],
    alternate: [u64; LANES],
}

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Missing([u64; LANES]);

const NOTHING: [Missing; LONGEST] = [Missing([0; LANES]); LONGEST];

/// One person's planes over the variants of one piece.
struct Piece {
    homozygous: Vec<Homozygous>,
    /// None where nothing is missing.
    missing: Option<Vec<Missing>>,
    homozygotes: u32,
    heterozygotes: u32,
}

/// One person's planes.
pub struct Planes {
    pieces: Vec<Piece>,
}

/// Counts of one pair over the variants that both have.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct Pair {
    pub both_heterozygous: u32,
    /// One is homozygous for the reference, the other for the alternate allele.
    pub opposite: u32,
    pub first_heterozygous: u32,
    pub second_heterozygous: u32,
}

/// Lines of each piece of a row: pieces of equal length, so that little is counted behind the last variant.
fn lines_of_pieces(variants: usize) -> usize {
    let lines = variants.div_ceil(LINE).max(1);
    lines.div_ceil(lines.div_ceil(LONGEST))
}

impl Planes {
    /// Take the first `variants` codes of a row apart.
    pub fn new(row: &[u8], variants: usize) -> Self {
        let lines = lines_of_pieces(variants);
        let bytes = lines * LINE / 4;
        let pieces = (0..variants.div_ceil(lines * LINE))
            .map(|piece| piece_of(row.get(piece * bytes..).unwrap_or_default(), lines))
            .collect();
        Self { pieces }
    }
}

widest! {
    fn piece_of(row: &[u8], lines: usize) -> Piece => piece_anywhere
}

#[inline(always)]
fn piece_anywhere(row: &[u8], lines: usize) -> Piece {
    let mut piece =
        Piece { homozygous: Vec::with_capacity(lines), missing: None, homozygotes: 0, heterozygotes: 0 };
    let mut missing = Vec::with_capacity(lines);
    for line in 0..lines {
        let mut codes = [0u8; LINE / 4];
        let rest = row.get(line * codes.len()..).unwrap_or_default();
        let length = rest.len().min(codes.len());
        codes[..length].copy_from_slice(&rest[..length]);
        let words: [u64; 2 * LANES] =
            std::array::from_fn(|word| u64::from_le_bytes(codes.as_chunks::<8>().0[word]));
        // Of each pair of bits the upper one is 1 for a homozygote of the alternate allele, the lower one for a
        // heterozygote, and both for a missing genotype.
        let low = words.map(even_bits);
        let high = words.map(|word| even_bits(word >> 1));
        let plane = |bits: fn(u64, u64) -> u64| -> [u64; LANES] {
            std::array::from_fn(|lane| {
                let [first, second] =
                    [2 * lane, 2 * lane + 1].map(|word| bits(low[word], high[word]) & 0xffff_ffff);
                first | second << 32
            })
        };
        let either = plane(|low, _| !low);
        let both = plane(|low, high| low & high);
        piece.homozygous.push(Homozygous { either, alternate: plane(|low, high| high & !low) });
        missing.push(Missing(both));
        let count =
            |words: [u64; LANES]| words.iter().fold(0, |sum: u32, word| sum.wrapping_add(word.count_ones()));
        let homozygotes = count(either);
        piece.homozygotes += homozygotes;
        piece.heterozygotes += LINE as u32 - homozygotes - count(both);
    }
    if missing.iter().any(|line| line.0 != [0; LANES]) {
        piece.missing = Some(missing);
    }
    piece
}

/// Popcounts of the words of one lane; many lanes make one count.
type Lanes = [u64; LANES];

fn total(lanes: Lanes) -> u32 {
    lanes.iter().sum::<u64>() as u32
}

/// Count `lanes` more, lane by lane. No row is long enough to overflow; checking for it would keep the compiler from
/// counting in parallel.
#[inline(always)]
fn count(sums: &mut Lanes, words: impl Fn(usize) -> u64) {
    for (lane, sum) in sums.iter_mut().enumerate() {
        *sum = sum.wrapping_add(u64::from(words(lane).count_ones()));
    }
}

/// How often both are homozygous, and how often for opposite alleles: of several people with one other.
#[inline(always)]
fn homozygous_together<const N: usize>(ones: [&[Homozygous]; N], other: &[Homozygous]) -> [[u32; 2]; N] {
    let mut sums = [[[0; LANES]; 2]; N];
    let ones = ones.map(|person| &person[..other.len()]);
    for (line, theirs) in other.iter().enumerate() {
        for (person, [both, opposite]) in ones.iter().zip(&mut sums) {
            let own = &person[line];
            count(both, |lane| own.either[lane] & theirs.either[lane]);
            count(opposite, |lane| {
                own.either[lane] & theirs.either[lane] & (own.alternate[lane] ^ theirs.alternate[lane])
            });
        }
    }
    sums.map(|counts| counts.map(total))
}

/// How often both are heterozygous, and how often each is while the other's genotype is missing.
#[inline(always)]
fn heterozygous_together(one: &Piece, other: &Piece) -> [u32; 3] {
    let [missing, absent] = [one, other].map(|piece| piece.missing.as_deref().unwrap_or(&NOTHING));
    let [mut both, mut first, mut second] = [[0; LANES]; 3];
    for (line, (own, theirs)) in one.homozygous.iter().zip(&other.homozygous).enumerate() {
        let (own_gaps, their_gaps) = (&missing[line].0, &absent[line].0);
        let own = |lane: usize| !(own.either[lane] | own_gaps[lane]);
        let theirs = |lane: usize| !(theirs.either[lane] | their_gaps[lane]);
        count(&mut both, |lane| own(lane) & theirs(lane));
        count(&mut first, |lane| own(lane) & their_gaps[lane]);
        count(&mut second, |lane| theirs(lane) & own_gaps[lane]);
    }
    [both, first, second].map(total)
}

impl Pair {
    #[inline(always)]
    fn add(&mut self, one: &Piece, other: &Piece, [homozygous, opposite]: [u32; 2]) {
        self.opposite += opposite;
        self.first_heterozygous += one.heterozygotes;
        self.second_heterozygous += other.heterozygotes;
        if one.missing.is_none() && other.missing.is_none() {
            // Whoever is not homozygous is heterozygous: three counts out of one, and two that are known.
            let variants = (LINE * one.homozygous.len()) as u32;
            self.both_heterozygous += variants + homozygous - one.homozygotes - other.homozygotes;
        } else {
            let [both, first, second] = heterozygous_together(one, other);
            self.both_heterozygous += both;
            self.first_heterozygous -= first;
            self.second_heterozygous -= second;
        }
    }
}

widest! {
    /// All pairs of two groups of people: rows of the first, columns of the second.
    pub fn pairs(first: &[Planes], second: &[Planes]) -> Vec<Pair> => pairs_anywhere
}

#[inline(always)]
fn pairs_anywhere(first: &[Planes], second: &[Planes]) -> Vec<Pair> {
    let mut pairs = vec![Pair::default(); first.len() * second.len()];
    for piece in 0..first.first().map_or(0, |person| person.pieces.len()) {
        for (block, people) in first.chunks(TOGETHER).enumerate() {
            for (column, other) in second.iter().enumerate() {
                let theirs = &other.pieces[piece];
                let at = |row: usize| (block * TOGETHER + row) * second.len() + column;
                if let [a, b, c, d] = people {
                    let ones = [a, b, c, d].map(|person| &*person.pieces[piece].homozygous);
                    let found = homozygous_together(ones, &theirs.homozygous);
                    for (row, (one, counts)) in people.iter().zip(found).enumerate() {
                        pairs[at(row)].add(&one.pieces[piece], theirs, counts);
                    }
                } else {
                    for (row, one) in people.iter().enumerate() {
                        let own = &one.pieces[piece];
                        let [counts] = homozygous_together([&own.homozygous], &theirs.homozygous);
                        pairs[at(row)].add(own, theirs, counts);
                    }
                }
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packing::{code_at, pack_codes};

    fn some_people(people: usize, variants: usize, missing: bool) -> Vec<Vec<u8>> {
        let mut state = 7u32;
        let mut code = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 30) as u8 % if missing { 4 } else { 3 }
        };
        let mut row = || {
            let mut row = Vec::new();
            pack_codes((0..variants).map(|_| code()), &mut row);
            row
        };
        (0..people).map(|_| row()).collect()
    }

    /// One code after the other.
    fn slow(one: &[u8], other: &[u8], variants: usize) -> Pair {
        let mut pair = Pair::default();
        for (a, b) in (0..variants).map(|at| (code_at(one, at), code_at(other, at))) {
            pair.both_heterozygous += u32::from((a, b) == (1, 1));
            pair.opposite += u32::from([(0, 2), (2, 0)].contains(&(a, b)));
            pair.first_heterozygous += u32::from(a == 1 && b < 3);
            pair.second_heterozygous += u32::from(b == 1 && a < 3);
        }
        pair
    }

    #[test]
    fn a_pair_is_counted_over_what_both_have() {
        for (people, variants) in [(1, 1), (7, 300), (9, LINE), (6, 20_000), (5, LONGEST * LINE + 1)] {
            let [whole, mixed] = [false, true].map(|missing| some_people(people, variants, missing));
            // Some lack nothing, and some lack what others have.
            let rows: Vec<&[u8]> =
                whole.iter().zip(&mixed).flat_map(|(one, other)| [&one[..], other]).collect();
            let planes: Vec<Planes> = rows.iter().map(|row| Planes::new(row, variants)).collect();
            let expected: Vec<Pair> =
                rows.iter().flat_map(|one| rows.iter().map(|other| slow(one, other, variants))).collect();
            assert_eq!(pairs(&planes, &planes), expected);
            assert_eq!(pairs_anywhere(&planes, &planes), expected);
        }
    }
}
