//! From one row of codes per person to one row per site: squares of 32 × 32 codes, eight of them side by side.
//!
//! A tile is 256 people by 256 sites: every person's codes there are one cache line, and so are every site's. It is
//! transposed in the first-level cache and leaves it line by line.

use crate::cpu::{ask_for, widest};

/// Codes in a 64-bit word, and so the side of a square.
pub const SIDE: usize = 32;
/// Squares side by side: as many words as the widest register holds.
const LANES: usize = 8;
/// People, and sites, of a tile.
const TILE: usize = SIDE * LANES;
const LINE_BYTES: usize = 64;
/// Sites that are finished for all people before the next are begun: their rows stay in the second-level cache.
const STRIPE: usize = 4 * TILE;

/// Transpose squares that lie side by side: five rounds of swapping ever smaller quadrants (Hacker's Delight 7-3).
///
/// A row holds one person's codes at `LANES` × 32 sites; transposed, lane l of row i is site 32 l + i.
#[inline(always)]
pub fn transpose_squares<const LANES: usize>(band: &mut [[u64; LANES]; SIDE]) {
    const ROUNDS: [(usize, u64); 5] = [
        (16, 0x0000_0000_ffff_ffff),
        (8, 0x0000_ffff_0000_ffff),
        (4, 0x00ff_00ff_00ff_00ff),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (1, 0x3333_3333_3333_3333),
    ];
    for (step, mask) in ROUNDS {
        let shift = 2 * step;
        for base in (0..SIDE).step_by(2 * step) {
            for low in base..base + step {
                let (above, below) = band.split_at_mut(low + step);
                for (one, other) in above[low].iter_mut().zip(&mut below[0]) {
                    let swapped = ((*one >> shift) ^ *other) & mask;
                    *one ^= swapped << shift;
                    *other ^= swapped;
                }
            }
        }
    }
}

/// Read a person's line of 256 codes; what lies behind the end reads as zero.
#[inline(always)]
fn line_at(row: &[u8], start: usize) -> [u64; LANES] {
    let mut line = [0u8; LINE_BYTES];
    match row.get(start..start + LINE_BYTES) {
        Some(whole) => line.copy_from_slice(whole),
        None => {
            let rest = row.get(start..).unwrap_or_default();
            line[..rest.len()].copy_from_slice(rest);
        }
    }
    let (words, _) = line.as_chunks::<8>();
    std::array::from_fn(|lane| u64::from_le_bytes(words[lane]))
}

/// Where transposed codes go: rows of `width` bytes, of which the people's begin at byte `first`.
pub struct Target<'a> {
    pub bytes: &'a mut [u8],
    pub width: usize,
    pub first: usize,
}

widest! {
    /// Transpose `rows`, one per person and each of `sites` codes, into `target`.
    ///
    /// `target.bytes` must hold `sites` rows, wide enough for the people from `target.first` on; the caller has
    /// checked it. Bits behind the last person of a byte become zero.
    pub fn transpose_into(rows: &[&[u8]], sites: usize, target: &mut Target<'_>) => transpose_anywhere
}

#[inline(always)]
fn transpose_anywhere(rows: &[&[u8]], sites: usize, target: &mut Target<'_>) {
    let mut bands = Box::new([[[0u64; LANES]; SIDE]; LANES]);
    for stripe in (0..sites).step_by(STRIPE) {
        for (group, people) in rows.chunks(TILE).enumerate() {
            let start = target.first + group * LINE_BYTES;
            let bytes = people.len().div_ceil(4);
            for site in (stripe..sites.min(stripe + STRIPE)).step_by(TILE) {
                for (band, people) in bands.iter_mut().zip(people.chunks(SIDE)) {
                    read_band(band, people, site / 4);
                    transpose_squares(band);
                }
                let lines = target.bytes[site * target.width..].chunks_mut(target.width);
                for (offset, line) in lines.take(TILE.min(sites - site)).enumerate() {
                    write_line(&bands, offset, &mut line[start..start + bytes]);
                }
            }
        }
    }
}

/// Read some people's lines at one place, and have those brought near that the next stripe begins with.
#[inline(always)]
fn read_band(band: &mut [[u64; LANES]; SIDE], people: &[&[u8]], start: usize) {
    *band = [[0; LANES]; SIDE];
    for (line, row) in band.iter_mut().zip(people) {
        let next = start + STRIPE / 4;
        ask_for(row.get(next..next + LINE_BYTES).unwrap_or_default());
        *line = line_at(row, start);
    }
}

/// Write one site's codes, at most a cache line: a word of each band.
#[inline(always)]
fn write_line(bands: &[[[u64; LANES]; SIDE]; LANES], offset: usize, line: &mut [u8]) {
    let word = |band: usize| bands[band][offset % SIDE][offset / SIDE].to_le_bytes();
    let (words, rest) = line.as_chunks_mut::<8>();
    // Nearly all lines are whole. Their length is known here, so that no copy has to ask for it.
    if let Some(whole) = words.first_chunk_mut::<LANES>() {
        whole.iter_mut().enumerate().for_each(|(band, bytes)| *bytes = word(band));
        return;
    }
    words.iter_mut().enumerate().for_each(|(band, bytes)| *bytes = word(band));
    if !rest.is_empty() {
        rest.copy_from_slice(&word(words.len())[..rest.len()]);
    }
}

widest! {
    /// Transpose rows of one byte, which hold up to four `columns`: mostly one person's calls, one a row.
    pub fn transpose_narrow(rows: &[u8], columns: usize) -> Vec<u8> => transpose_narrow_anywhere
}

#[inline(always)]
fn transpose_narrow_anywhere(rows: &[u8], columns: usize) -> Vec<u8> {
    let (quads, rest) = rows.as_chunks::<4>();
    let mut out = Vec::with_capacity(columns * rows.len().div_ceil(4));
    for column in 0..columns {
        let code = |byte: u8| (byte >> (2 * column)) & 3;
        out.extend(quads.iter().map(|[a, b, c, d]| code(*a) | code(*b) << 2 | code(*c) << 4 | code(*d) << 6));
        if !rest.is_empty() {
            out.push(rest.iter().rev().fold(0, |byte, row| byte << 2 | code(*row)));
        }
    }
    out
}

/// Transpose `rows`, each of `columns` codes, to `columns` rows of `rows.len()` codes.
pub fn transpose_codes(rows: &[&[u8]], columns: usize) -> Vec<u8> {
    let width = rows.len().div_ceil(4);
    let mut bytes = vec![0u8; columns * width];
    transpose_into(rows, columns, &mut Target { bytes: &mut bytes, width, first: 0 });
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packing::{code_at, pack_codes};

    fn some_rows(people: usize, sites: usize) -> Vec<Vec<u8>> {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 30) as u8
        };
        (0..people)
            .map(|_| {
                let mut row = Vec::new();
                pack_codes((0..sites).map(|_| next()), &mut row);
                row
            })
            .collect()
    }

    #[test]
    fn transposing_moves_every_code_to_its_mirror_place() {
        for (people, sites) in [(1, 1), (3, 5), (32, 32), (33, 31), (70, 129), (300, 1030), (513, 260)] {
            let rows = some_rows(people, sites);
            let slices: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
            let out = transpose_codes(&slices, sites);
            let width = people.div_ceil(4);
            for site in 0..sites {
                let mut expected = Vec::new();
                pack_codes(rows.iter().map(|row| code_at(row, site)), &mut expected);
                assert_eq!(out[site * width..(site + 1) * width], expected[..]);
            }
            let mut plain = vec![0; out.len()];
            transpose_anywhere(&slices, sites, &mut Target { bytes: &mut plain, width, first: 0 });
            assert_eq!(plain, out);
        }
    }

    #[test]
    fn rows_of_one_byte_transpose_as_wide_ones_do() {
        for (people, sites) in [(1, 1), (2, 4), (7, 3), (133, 1), (260, 2)] {
            let rows = some_rows(people, sites);
            let slices: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
            assert_eq!(transpose_narrow(&rows.concat(), sites), transpose_codes(&slices, sites));
        }
    }

    #[test]
    fn people_placed_in_batches_lie_where_all_at_once_would() {
        let rows = some_rows(613, 300);
        let slices: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
        let width = rows.len().div_ceil(4);
        let mut bytes = vec![0; 300 * width];
        for (first, batch) in [(0, &slices[..40]), (40, &slices[40..340]), (340, &slices[340..])] {
            transpose_into(batch, 300, &mut Target { bytes: &mut bytes, width, first: first / 4 });
        }
        assert_eq!(bytes, transpose_codes(&slices, 300));
    }

    #[test]
    fn no_rows_transpose_to_empty_rows() {
        assert!(transpose_codes(&[], 5).is_empty());
    }
}
