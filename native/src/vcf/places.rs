//! The places of one separator in a line, one behind the other.

use super::look::LOOK;

/// More than a line that is worth remembering has.
const MOST: usize = 96;

pub struct Places {
    places: [u16; MOST + LOOK],
    /// How many were found, up to the first that had no room.
    count: usize,
    complete: bool,
}

impl Default for Places {
    fn default() -> Self {
        Self { places: [0; MOST + LOOK], count: 0, complete: true }
    }
}

impl Places {
    pub fn forget(&mut self) {
        (self.count, self.complete) = (0, true);
    }

    /// Add the ones of a word, of which `list` writes down where they stand.
    #[inline(always)]
    pub fn add(&mut self, word: u64, list: impl FnOnce(&mut [u16; LOOK])) {
        if word == 0 {
            return;
        }
        match self.places.get_mut(self.count..).and_then(|rest| rest.first_chunk_mut()) {
            Some(free) => {
                list(free);
                self.count += word.count_ones() as usize;
            }
            None => self.complete = false,
        }
    }

    #[inline(always)]
    pub fn are_more_than(&self, few: usize) -> bool {
        self.count > few || !self.complete
    }

    /// All of them, ascending; `None` where there were too many.
    #[inline(always)]
    pub fn all(&self) -> Option<&[u16]> {
        self.places.get(..self.count).filter(|_| self.complete)
    }
}

#[cfg(test)]
mod tests {
    use super::super::close_up::places;
    use super::*;

    #[test]
    fn places_are_those_of_the_ones_of_all_words() {
        for words in [
            &[][..],
            &[0],
            &[1, 0, 1 << 63],
            &[u64::MAX; 2],
            &[0x8001, 0xffff, 3, 5],
            &[u64::MAX, u64::MAX, 0],
            &[u64::MAX; 3],
        ] {
            let (mut found, mut expected) = (Places::default(), Vec::new());
            for (start, word) in (0u16..).step_by(LOOK).zip(words) {
                found.add(*word, |free| places(*word, start, free));
                expected.extend((0..64).filter(|bit| word >> bit & 1 == 1).map(|bit| start + bit));
            }
            assert_eq!(found.all(), Some(&expected[..]).filter(|all| all.len() <= MOST + LOOK));
        }
    }
}
