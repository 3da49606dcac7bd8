//! Bytes of Python's, read where they stand.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;

use crate::cpu::ask_for_line;

/// Bytes in one piece that an object of Python's has, such as `bytes` or a mapped file; held for as long as this is.
pub struct Held(PyBuffer<u8>);

impl Held {
    pub fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let buffer = PyBuffer::get(object)?;
        if buffer.is_c_contiguous() {
            return Ok(Self(buffer));
        }
        Err(PyBufferError::new_err("bytes in one piece are needed"))
    }

    #[inline(always)]
    pub fn get(&self, at: usize) -> Option<u8> {
        let inside = at < self.0.len_bytes();
        // SAFETY: Python neither moves nor frees a buffer that is held, and `at` lies within it. Each byte is read once
        // and by itself: who writes to a mapped file meanwhile changes what is read, and nothing else.
        inside.then(|| unsafe { self.0.buf_ptr().cast::<u8>().add(at).read_volatile() })
    }

    /// Have a byte brought near while something else is worked on. Changes nothing but time.
    #[inline(always)]
    pub fn ask_for(&self, at: usize) {
        if at < self.0.len_bytes() {
            ask_for_line(self.0.buf_ptr().cast::<u8>().wrapping_add(at));
        }
    }
}
