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
        if buffer.is_c_contiguous() && buffer.readonly() {
            return Ok(Self(buffer));
        }
        Err(PyBufferError::new_err("bytes in one piece that nobody writes to are needed"))
    }

    #[inline(always)]
    pub fn get(&self, at: usize) -> Option<u8> {
        let inside = at < self.0.len_bytes();
        // SAFETY: `at` lies within the buffer, which is in one piece and read-only (`of` has looked); Python neither
        // moves nor frees it while it is held. Behind a mapped file there may be another process that writes, which no
        // language rules: so each byte is read once, by itself. One that shortens it raises SIGBUS, see `reference.py`.
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
