//! Holes, what they excuse, the questions, and the order of strength.

pub(crate) mod asked;
pub(crate) mod excused;
pub(crate) mod hole;
pub(crate) mod judge;
