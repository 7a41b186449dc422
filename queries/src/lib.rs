//! The SQL reductions of eksplain and the engine that runs them.
pub mod facts;
