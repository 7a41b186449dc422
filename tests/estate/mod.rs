//! The model estate: a simulated company, the logs it would leave, and the truth about it.

pub(crate) mod compare;
pub(crate) mod demo;
pub(crate) mod logs;
pub(crate) mod look;
pub(crate) mod partial;
pub(crate) mod plan;
pub(crate) mod rng;
pub(crate) mod truth;
pub(crate) mod world;
