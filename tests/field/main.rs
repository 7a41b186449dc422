//! Situations that people met in public, by the numbers under which they are known here, with logs of our own: each has one right answer.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod files;
mod logins;
mod requests;
mod texts;
