//! GT: who carries which alleles.

/// A call: up to two alleles. `None` inside is a missing allele.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Call {
    pub first: Option<u16>,
    pub second: Option<u16>,
    pub ploidy: Ploidy,
    pub phased: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ploidy {
    /// A lone `.`, or no GT at all.
    #[default]
    Unknown,
    One,
    Two,
    More,
}

/// How a call is written, beside its code: two bits as well.
pub mod form {
    pub const UNPHASED: u8 = 0;
    pub const HAPLOID: u8 = 1;
    pub const PHASED: u8 = 2;
    pub const PHASED_ALTERNATE_SECOND: u8 = 3;
}

impl Call {
    pub fn ploidy_for_counting(self) -> Option<usize> {
        match self.ploidy {
            Ploidy::One => Some(1),
            Ploidy::Two => Some(2),
            Ploidy::Unknown | Ploidy::More => None,
        }
    }

    /// Half-missing calls such as `./1` count as missing.
    pub fn is_half(self) -> bool {
        self.ploidy == Ploidy::Two && self.first.is_some() != self.second.is_some()
    }

    pub fn is_reference(self) -> bool {
        match self.ploidy {
            Ploidy::One => self.first == Some(0),
            Ploidy::Two => self.first == Some(0) && self.second == Some(0),
            Ploidy::Unknown | Ploidy::More => false,
        }
    }

    /// Whether it has one alternative allele (1-based), or two of it.
    #[inline]
    pub fn carries(self, allele: u16) -> bool {
        matches!(self.code(allele).0, 1 | 2)
    }

    /// The two-bit code and form with respect to one alternative allele (1-based).
    #[inline]
    pub fn code(self, allele: u16) -> (u8, u8) {
        const MISSING: u8 = 3;
        let is = |found: Option<u16>| u8::from(found == Some(allele));
        match self.ploidy {
            Ploidy::One => (self.first.map_or(MISSING, |_| is(self.first)), form::HAPLOID),
            Ploidy::Two => {
                let known = self.first.is_some() && self.second.is_some();
                let code = if known { is(self.first) + is(self.second) } else { MISSING };
                let form = match (self.phased, code, is(self.second)) {
                    (false, ..) => form::UNPHASED,
                    (true, 1, 1) => form::PHASED_ALTERNATE_SECOND,
                    (true, ..) => form::PHASED,
                };
                (code, form)
            }
            Ploidy::Unknown | Ploidy::More => (MISSING, form::UNPHASED),
        }
    }
}

/// An allele's number, `.` for missing; `Err` for anything else, also a number that is not below `alleles`.
fn parse_allele(text: &[u8], alleles: u16) -> Result<Option<u16>, ()> {
    if text == b"." {
        return Ok(None);
    }
    if text.is_empty() || text.len() > 5 || !text.iter().all(u8::is_ascii_digit) {
        return Err(());
    }
    let value = text.iter().fold(0u32, |value, digit| value * 10 + u32::from(digit - b'0'));
    u16::try_from(value).ok().filter(|value| *value < alleles).map(Some).ok_or(())
}

/// Parse a GT value. `leading` permits a phase mark before the first allele, and one behind the last, where an
/// allele is missing (VCF 4.4).
pub fn parse_call(text: &[u8], alleles: u16, leading: bool) -> Result<Call, ()> {
    // Nearly every call of nearly every file has this shape.
    if let [first @ b'0'..=b'9', mark @ (b'/' | b'|'), second @ b'0'..=b'9'] = text {
        let (first, second) = (u16::from(first - b'0'), u16::from(second - b'0'));
        if first >= alleles || second >= alleles {
            return Err(());
        }
        let phased = *mark == b'|';
        return Ok(Call { first: Some(first), second: Some(second), ploidy: Ploidy::Two, phased });
    }
    let (text, marked) = match text {
        [mark @ (b'/' | b'|'), rest @ ..] if leading => (rest, Some(*mark)),
        _ => (text, None),
    };
    let mut call = Call { phased: marked != Some(b'/'), ..Call::default() };
    let mut count = 0usize;
    let mut rest = text;
    loop {
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'|')).unwrap_or(rest.len());
        let allele = parse_allele(&rest[..end], alleles)?;
        match count {
            0 => call.first = allele,
            1 => call.second = allele,
            _ => {}
        }
        count += 1;
        let Some(mark) = rest.get(end) else { break };
        call.phased &= *mark == b'|';
        rest = &rest[end + 1..];
        if leading && rest.is_empty() && count > 1 {
            count += 1;
            break;
        }
    }
    call.ploidy = match count {
        1 if call.first.is_none() => Ploidy::Unknown,
        1 => Ploidy::One,
        2 => Ploidy::Two,
        _ => Ploidy::More,
    };
    Ok(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &[u8]) -> Option<(u8, u8)> {
        parse_call(text, 3, false).ok().map(|call| call.code(1))
    }

    #[test]
    fn calls_become_codes_and_forms() {
        assert_eq!(codes(b"0/1"), Some((1, form::UNPHASED)));
        assert_eq!(codes(b"1|0"), Some((1, form::PHASED)));
        assert_eq!(codes(b"0|1"), Some((1, form::PHASED_ALTERNATE_SECOND)));
        assert_eq!(codes(b"1/1"), Some((2, form::UNPHASED)));
        assert_eq!(codes(b"1/2"), Some((1, form::UNPHASED)));
        assert_eq!(codes(b"2|2"), Some((0, form::PHASED)));
        assert_eq!(codes(b"1"), Some((1, form::HAPLOID)));
        assert_eq!(codes(b"./1"), Some((3, form::UNPHASED)));
        assert_eq!(codes(b"."), Some((3, form::UNPHASED)));
        assert_eq!(codes(b"0/0/1"), Some((3, form::UNPHASED)));
    }

    #[test]
    fn what_is_no_call_is_refused() {
        for bad in [
            &b""[..],
            b"0/",
            b"/0",
            b"0/|1",
            b"0/3",
            b"0/C",
            b"0.0",
            b"-1/0",
            b"0/99999999999",
            b"0 1",
            b"|1",
        ] {
            assert_eq!(codes(bad), None, "{bad:?}");
        }
        assert!(parse_call(b"|0/1", 2, true).is_ok());
    }
}
