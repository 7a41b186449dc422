//! Types and code of this crate are being laid.
