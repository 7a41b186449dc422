//! Calls at the published rate: one limiter for each account, region and API, shared by all that call it.
//!
//! Rates are those of the service quotas pages of AWS (requests a second, for each account and region); where a quota is not
//! published, a rate that consoles and tools are known to live with.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::fault::{Fault, Kind};

/// An API with its own quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Api {
    /// `cloudtrail:LookupEvents`
    LookupEvents,
    /// `logs:FilterLogEvents`
    FilterLogEvents,
    /// `logs:StartQuery`
    StartQuery,
    /// `logs:GetQueryResults`
    GetQueryResults,
    /// `logs:CreateExportTask`, `logs:DescribeExportTasks`
    ExportTasks,
    /// `logs:DescribeLogGroups`, `logs:DescribeLogStreams`
    DescribeLogs,
    /// `eks:*`
    Eks,
    /// `iam:*`
    Iam,
    /// Calls that are made once or twice.
    Account,
}

impl Api {
    /// Requests a second.
    pub fn quota(self) -> f64 {
        match self {
            Self::LookupEvents => 2.0,
            Self::FilterLogEvents | Self::DescribeLogs => 25.0,
            Self::StartQuery | Self::GetQueryResults | Self::ExportTasks => 5.0,
            Self::Eks | Self::Iam | Self::Account => 10.0,
        }
    }
}

/// Kept below the quota, so that a late clock tick does not put one call too many into a second.
const SHARE: f64 = 0.985;
/// A call is given up after so many attempts.
const ATTEMPTS: u32 = 12;
const FIRST_PAUSE: f64 = 0.2;
const LONGEST_PAUSE: f64 = 20.0;

/// Paces the calls of one API.
#[derive(Debug)]
pub(crate) struct Limiter {
    least: Duration,
    state: Mutex<Pace>,
}

#[derive(Debug)]
struct Pace {
    next: Option<Instant>,
    interval: Duration,
}

impl Limiter {
    fn new(rate: f64) -> Self {
        let least = Duration::from_secs_f64(1.0 / rate);
        Self {
            least,
            state: Mutex::new(Pace {
                next: None,
                interval: least,
            }),
        }
    }

    /// Waits for a turn.
    async fn turn(&self) {
        let slot = {
            let mut pace = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let slot = pace.next.filter(|next| *next > now).unwrap_or(now);
            pace.next = Some(slot + pace.interval);
            slot
        };
        tokio::time::sleep_until(slot).await;
    }

    /// Throttling lowers the rate, each success brings it back a little.
    fn learn(&self, is_throttled: bool) {
        let mut pace = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        pace.interval = if is_throttled {
            pace.interval.mul_f64(1.2).min(self.least * 16)
        } else {
            pace.interval.mul_f64(0.9).max(self.least)
        };
    }
}

/// What was asked of AWS so far.
#[derive(Debug, Default)]
pub struct Meter {
    /// Calls made, each attempt counted.
    pub requests: AtomicU64,
    /// Calls that AWS refused for their rate.
    pub throttled: AtomicU64,
    /// Records fetched.
    pub records: AtomicU64,
    /// Milliseconds of log time that were asked for.
    pub wanted: AtomicU64,
    /// Milliseconds of log time that are fetched.
    pub covered: AtomicU64,
}

impl Meter {
    pub(crate) fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}

type Key = (Option<String>, String, Api);

/// All limiters of a run.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    limiters: Mutex<HashMap<Key, Arc<Limiter>>>,
    max_rate: Option<f64>,
    /// An emulator may have a larger quota than AWS.
    factor: f64,
    is_hurried: bool,
    pub(crate) meter: Arc<Meter>,
}

impl Quotas {
    pub(crate) fn new(max_rate: Option<f64>, factor: f64, is_hurried: bool) -> Self {
        Self {
            max_rate,
            factor,
            is_hurried,
            ..Self::default()
        }
    }

    fn limiter(&self, account: Option<&str>, region: &str, api: Api) -> Arc<Limiter> {
        let quota = api.quota() * self.factor;
        let rate = self.max_rate.map_or(quota, |most| most.min(quota)) * SHARE;
        let key = (account.map(str::to_owned), region.to_owned(), api);
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(limiters.entry(key).or_insert_with(|| Arc::new(Limiter::new(rate))))
    }

    /// Makes a call at its rate, and again where that can help.
    pub(crate) async fn call<T, F>(
        &self,
        (account, region, api): (Option<&str>, &str, Api),
        mut call: impl FnMut() -> F,
    ) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let limiter = self.limiter(account, region, api);
        let mut attempt = 0;
        loop {
            limiter.turn().await;
            Meter::add(&self.meter.requests, 1);
            let fault = match call().await {
                Ok(answer) => {
                    limiter.learn(false);
                    return Ok(answer);
                }
                Err(fault) => fault,
            };
            let is_throttled = fault.kind == Kind::Throttled;
            if is_throttled {
                Meter::add(&self.meter.throttled, 1);
                limiter.learn(true);
            }
            attempt += 1;
            let is_brief = self.is_hurried || api == Api::Account;
            if attempt >= attempts(is_brief, fault.kind) {
                return Err(fault);
            }
            tokio::time::sleep(pause(attempt)).await;
        }
    }
}

/// How often a call is made at most.
fn attempts(is_brief: bool, kind: Kind) -> u32 {
    match kind {
        Kind::Throttled => ATTEMPTS,
        // Whoever has no way to AWS should hear of it soon.
        Kind::Transient if is_brief => 4,
        Kind::Transient => ATTEMPTS - 4,
        Kind::Clock | Kind::Expired => 3,
        _ => 1,
    }
}

/// Full jitter: anything up to the doubled pause.
fn pause(attempt: u32) -> Duration {
    let most = (FIRST_PAUSE * f64::from(1_u32 << attempt.min(16))).min(LONGEST_PAUSE);
    Duration::from_secs_f64(fastrand::f64() * most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn many_callers_share_one_rate() {
        let quotas = Quotas::new(None, 1.0, false);
        let began = Instant::now();
        let calls = (0..51).map(|_| quotas.call((None, "r", Api::FilterLogEvents), async || Ok(())));
        futures::future::join_all(calls).await;
        let rate = 50.0 / began.elapsed().as_secs_f64();
        assert!((20.0..=25.0).contains(&rate), "{rate}");
    }

    #[tokio::test]
    async fn a_lower_rate_is_kept() {
        let quotas = Quotas::new(Some(10.0), 1.0, false);
        let began = Instant::now();
        let calls = (0..6).map(|_| quotas.call((None, "r", Api::FilterLogEvents), async || Ok(())));
        futures::future::join_all(calls).await;
        assert!(began.elapsed() >= Duration::from_millis(500));
    }

    #[tokio::test]
    async fn what_cannot_pass_is_asked_once() {
        let quotas = Quotas::new(None, 1.0, false);
        let answer: Result<(), _> = quotas
            .call((None, "r", Api::Eks), async || {
                Err(Fault::other("x:Y", "ValidationException", ""))
            })
            .await;
        assert!(answer.is_err());
        assert_eq!(quotas.meter.requests.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_may_pass_is_asked_again() {
        assert!(attempts(false, Kind::Throttled) > attempts(false, Kind::Transient));
        assert!(attempts(false, Kind::Transient) > attempts(false, Kind::Expired));
        assert_eq!((attempts(false, Kind::Denied), attempts(false, Kind::Token)), (1, 1));
        assert!((1..40).all(|attempt| pause(attempt).as_secs_f64() <= LONGEST_PAUSE));
    }

    #[test]
    fn throttling_slows_and_success_recovers() {
        let limiter = Limiter::new(10.0);
        limiter.learn(true);
        let slow = limiter.state.lock().unwrap().interval;
        assert!(slow > limiter.least);
        limiter.learn(false);
        limiter.learn(false);
        assert_eq!(limiter.state.lock().unwrap().interval, limiter.least);
    }
}
