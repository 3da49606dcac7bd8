//! BGZF, the blocked gzip of the field (SAM specification, 4.1): blocks that say how long they are.
//!
//! SECURITY: a stranger's bytes. Every block is looked at before anything is set aside for it, none becomes more
//! than 64 KiB, and each is checked against its CRC-32 and its length.

use libdeflater::Decompressor;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// What a block may become.
const LARGEST: usize = 1 << 16;
/// Enough for one piece: a file that grows a thousandfold must not be held at once.
const ENOUGH: usize = 1 << 22;
/// The empty block that ends every file.
const LAST: [u8; 28] =
    [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 0x42, 0x43, 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// How long the block at the front is, or `None` where no whole header of one stands there.
fn block_length(raw: &[u8]) -> Option<usize> {
    let (head, rest) = raw.split_at_checked(12)?;
    if head[..4] != [0x1f, 0x8b, 8, 4] {
        return None;
    }
    let mut extra = rest.get(..usize::from(u16::from_le_bytes([head[10], head[11]])))?;
    while let [first, second, low, high, behind @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let (value, next) = behind.split_at_checked(length)?;
        if let (b'B', b'C', [low, high]) = (first, second, value) {
            return Some(usize::from(u16::from_le_bytes([*low, *high])) + 1);
        }
        extra = next;
    }
    None
}

/// Whole blocks at the front, as they stand in the file, and what each says it becomes.
fn whole_blocks(raw: &[u8]) -> Result<Vec<(&[u8], usize)>, &'static str> {
    let (mut blocks, mut rest, mut total) = (Vec::new(), raw, 0);
    while total < ENOUGH {
        let Some((block, behind)) = block_length(rest).and_then(|length| rest.split_at_checked(length))
        else {
            break;
        };
        let Some(stated) = block.last_chunk::<4>().filter(|_| block.len() >= 26) else {
            return Err("a block is too short to be one");
        };
        let becomes = usize::try_from(u32::from_le_bytes(*stated)).unwrap_or(usize::MAX);
        if becomes > LARGEST {
            return Err("a block is larger than 64 KiB");
        }
        blocks.push((block, becomes));
        (rest, total) = (behind, total + becomes);
    }
    Ok(blocks)
}

fn inflate_into(blocks: &[(&[u8], usize)], mut out: &mut [u8]) -> Result<(), &'static str> {
    let mut inflater = Decompressor::new();
    for (block, becomes) in blocks {
        let (target, behind) = out.split_at_mut(*becomes);
        let written =
            inflater.gzip_decompress(block, target).map_err(|_| "a block's data or its checksum is wrong")?;
        if written != *becomes {
            return Err("a block is not as long as it says");
        }
        out = behind;
    }
    Ok(())
}

/// Inflate whole blocks at the front of `raw`: all of them, or 4 MiB and what its last block has beyond.
///
/// Returns what they become, how many bytes of `raw` they are, and whether the last of them is the one that ends a
/// file. `ValueError` says what is damaged.
#[pyfunction]
pub fn inflate_blocks<'py>(py: Python<'py>, raw: &[u8]) -> PyResult<(Bound<'py, PyBytes>, usize, bool)> {
    let blocks = whole_blocks(raw).map_err(PyValueError::new_err)?;
    let total = blocks.iter().map(|(_, becomes)| becomes).sum();
    let used = blocks.iter().map(|(block, _)| block.len()).sum();
    let ended = blocks.last().is_some_and(|(block, _)| *block == LAST);
    let inflated = PyBytes::new_with(py, total, |out| {
        py.detach(|| inflate_into(&blocks, out)).map_err(PyValueError::new_err)
    })?;
    Ok((inflated, used, ended))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ends_where_it_says() {
        assert_eq!(block_length(&LAST), Some(28));
        assert_eq!(block_length(&LAST[..17]), None);
        assert_eq!(whole_blocks(&[LAST, LAST].concat()).map(|blocks| blocks.len()), Ok(2));
    }

    #[test]
    fn a_block_that_says_it_becomes_too_much_is_refused() {
        let mut block = LAST;
        block[27] = 1;
        assert!(whole_blocks(&block).is_err());
    }
}
