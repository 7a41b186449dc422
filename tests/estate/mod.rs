//! The model estate: a simulated company, the logs it would leave, and the truth about it.

pub mod demo;
pub mod logs;
pub mod plan;
pub mod rng;
pub mod truth;
pub mod world;
